/** Start of a controller's process → ready, and → leader of a free lease, beside an empty program of the same Node. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { median, ms, spread } from './numbers.ts';
import type { Rig } from './rig.ts';
import type { Result, Row } from './table.ts';
import { VARIANTS } from './variants.ts';

const RUNS = 7;
const exec = promisify(execFile);

interface Times {
  readonly ready: number[];
  readonly leading: number[];
}

export async function start(rig: Rig): Promise<Result> {
  const empty: number[] = [];
  const times = VARIANTS.map((): Times => ({ ready: [], leading: [] }));
  for (let run = 0; run < RUNS; run++) {
    empty.push(await startEmpty());
    for (const [index, { env }] of VARIANTS.entries()) {
      const { ready, leading } = await startOne(rig, `start-${index}-${run}`, env);
      times[index]?.ready.push(ready);
      times[index]?.leading.push(leading);
    }
  }
  const row = (measure: string, values: readonly number[], original: string): Row => ({
    measure,
    ours: ms(median(values)),
    peer: `${ms(median(empty))} empty Node`,
    ratio: median(values) / median(empty),
    original,
  });
  const rows = times.flatMap(({ ready, leading }, index) => [
    row(`start → ready${VARIANTS[index]?.label}`, ready, '134 ms'),
    row(`start → leader, lock free${VARIANTS[index]?.label}`, leading, '646 ms'),
  ]);
  const shown = spread(times[0]?.ready ?? [], ms);
  return { rows, notes: [`start: ${RUNS} runs; start → ready min / median / max: ${shown}`] };
}

async function startEmpty(): Promise<number> {
  const started = performance.now();
  await exec(process.execPath, ['-e', '0']);
  return performance.now() - started;
}

/** A tenant of its own finds its lease free. */
async function startOne(rig: Rig, tenant: string, env: Readonly<Record<string, string>>) {
  const began = Date.now();
  const controller = await rig.startController(tenant, tenant, { env });
  const acquired = await controller.logged('Acquired the lease');
  await controller.end('SIGTERM');
  return { ready: controller.readyMs, leading: Date.parse(acquired.timestamp) - began };
}
