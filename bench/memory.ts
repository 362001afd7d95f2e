/** Memory of an idle controller with some workloads, beside an idle empty program of the same Node. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { mib } from './numbers.ts';
import type { Memory } from './process-memory.ts';
import { memoryOf } from './process-memory.ts';
import type { Rig } from './rig.ts';
import type { Result, Row } from './table.ts';
import { VARIANTS, type Variant } from './variants.ts';

const WORKLOADS = 20;
const IDLE_MS = 10_000;

export async function memory(rig: Rig): Promise<Result> {
  const empty = await emptyNode();
  const rows: Row[] = [];
  for (const [index, variant] of VARIANTS.entries())
    rows.push(...(await measure(rig, `memory-${index}`, variant, empty)));
  return {
    rows,
    notes: [`memory: RSS, in brackets the private part; ${WORKLOADS} workloads, idle for ${IDLE_MS / 1000} s`],
  };
}

async function measure(rig: Rig, tenant: string, { label, env }: Variant, empty: Memory): Promise<Row[]> {
  const pair = await rig.startPair(tenant, { env });
  try {
    await rig.settleWorkloads(tenant, WORKLOADS);
    await sleep(IDLE_MS);
    const row = (role: string, pid: number, original: string): Row => {
      const now = memoryOf(pid);
      return {
        measure: `memory idle, ${role}${label}`,
        ours: show(now),
        peer: `${show(empty)} empty Node`,
        ratio: now.rss / empty.rss,
        original,
      };
    };
    const rows = [row('leader', pair.leader.pid, '58 MiB'), row('standby', pair.standby.pid, '56 MiB')];
    await rig.clear(tenant);
    return rows;
  } finally {
    await pair.end();
  }
}

async function emptyNode(): Promise<Memory> {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' });
  try {
    await sleep(1000);
    return memoryOf(child.pid ?? 0);
  } finally {
    child.kill();
    await once(child, 'exit');
  }
}

function show({ rss, anonymous }: Memory): string {
  return `${mib(rss)} (${mib(anonymous)})`;
}
