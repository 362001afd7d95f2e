/** What a demo with KEEP=1 left running, so that the next one, or `--stop`, can end it. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runFolder } from '../cluster/paths.ts';
import type { ProcessRecord } from '../cluster/processes.ts';
import { stopProcess } from '../cluster/processes.ts';

interface Kept {
  readonly processes: readonly ProcessRecord[];
  readonly folders: readonly string[];
}

const file = (): string => join(runFolder(), 'demo.json');

export function remember(kept: Kept): void {
  mkdirSync(dirname(file()), { recursive: true });
  writeFileSync(file(), JSON.stringify(kept));
}

/** Ends what is remembered; false when there was nothing. */
export async function stopKept(): Promise<boolean> {
  const kept = recall();
  if (!kept) return false;
  for (const process of kept.processes) await stopProcess(process);
  for (const folder of kept.folders) rmSync(folder, { recursive: true, force: true });
  rmSync(file(), { force: true });
  return true;
}

function recall(): Kept | undefined {
  try {
    return JSON.parse(readFileSync(file(), 'utf8')) as Kept;
  } catch {
    return undefined;
  }
}
