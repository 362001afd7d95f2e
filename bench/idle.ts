/** What two controllers ask of the API server and of the store while nothing happens, and the CPU time that it takes. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { readKubeconfig } from '../hack/cluster/api.ts';
import { type CountingProxy, startCountingProxy } from './counting-proxy.ts';
import { cpuSeconds } from './process-memory.ts';
import type { Pair, Rig } from './rig.ts';
import type { Result } from './table.ts';

const WORKLOADS = 20;
const WINDOW_MS = 60_000;
const TENANT = 'idle';
/** Only called inside our scripts: no round trip of their own. INFO is also how this benchmark asks. */
const INSIDE_SCRIPTS = new Set(['info', 'time', 'hget', 'hmget', 'hset', 'del', 'publish']);

const exec = promisify(execFile);

export async function idle(rig: Rig): Promise<Result> {
  const proxy = await startCountingProxy(readKubeconfig(rig.kubeconfig));
  try {
    const pair = await rig.startPair(TENANT, { kubeconfig: proxy.kubeconfig });
    try {
      await rig.settleWorkloads(TENANT, WORKLOADS);
      const result = await measure(rig, pair, proxy);
      await rig.clear(TENANT);
      return result;
    } finally {
      await pair.end();
    }
  } finally {
    proxy.close();
  }
}

async function measure(rig: Rig, { leader, standby }: Pair, proxy: CountingProxy): Promise<Result> {
  const look = async () => ({
    api: proxy.counts(),
    store: await storeCommands(rig.redis.addr),
    leader: cpuSeconds(leader.pid),
    standby: cpuSeconds(standby.pid),
  });
  const before = await look();
  await sleep(WINDOW_MS);
  const after = await look();
  const seconds = WINDOW_MS / 1000;
  const api = difference(before.api, after.api);
  const store = difference(before.store, after.store);
  const perMinute = (role: 'leader' | 'standby') => (((after[role] - before[role]) * 60) / seconds).toFixed(2);
  const pairOf = `idle, leader and standby, ${WORKLOADS} CRs:`;
  return {
    rows: [
      { measure: `${pairOf} API requests`, ours: perSecond(api, seconds), original: '4.5 /s' },
      { measure: `${pairOf} store commands`, ours: perSecond(store, seconds), original: '3.8 /s' },
      {
        measure: `${pairOf} CPU`,
        ours: `${perMinute('leader')} + ${perMinute('standby')} s/min`,
        original: '0.36 s/min',
      },
    ],
    notes: [`idle: in ${seconds} s: API ${list(api)}; store ${list(store)}`],
  };
}

type Counts = ReadonlyMap<string, number>;

async function storeCommands(address: string): Promise<Counts> {
  const [host = '', port = ''] = address.split(':');
  const { stdout } = await exec('redis-cli', ['-h', host, '-p', port, 'info', 'commandstats']);
  const found = stdout.matchAll(/^cmdstat_([^:|]+)[^:]*:calls=(\d+)/gm);
  const counts = new Map<string, number>();
  for (const [, name = '', calls] of found)
    if (!INSIDE_SCRIPTS.has(name)) counts.set(name, (counts.get(name) ?? 0) + Number(calls));
  return counts;
}

function difference(before: Counts, after: Counts): Counts {
  const grown = [...after].map(([name, count]): [string, number] => [name, count - (before.get(name) ?? 0)]);
  return new Map(grown.filter(([, count]) => count > 0));
}

function perSecond(counts: Counts, seconds: number): string {
  return `${([...counts.values()].reduce((sum, count) => sum + count, 0) / seconds).toFixed(2)} /s`;
}

function list(counts: Counts): string {
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(', ') || 'nothing';
}
