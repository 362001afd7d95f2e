/**
 * Many CRs at once → all their pods exist, beside a raw client that creates the same CRs and pods itself, each pod as
 * soon as its CR is accepted. Rounds take turns, each on an empty cluster; the raw client's objects belong to nobody's
 * tenant, so the controllers see its CRs and leave them alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fieldManagers } from '../operator/api/group.ts';
import { processResource } from '../operator/api/process.ts';
import { core } from '../operator/cluster/cluster-client.ts';
import { median, ms, spread } from './numbers.ts';
import { equivalentPod, RAW_TENANT, workload } from './objects.ts';
import { PodWatch } from './pod-watch.ts';
import type { Rig } from './rig.ts';
import type { Result } from './table.ts';

const COUNT = 200;
const ROUNDS = 9;
const TENANT = 'burst';
const PAUSE_MS = 2000;
/** Calls wait for one of the client's connections. */
const PATIENT = { timeoutMs: 60_000 };

export async function burst(rig: Rig): Promise<Result> {
  const pair = await rig.startPair(TENANT);
  try {
    await oneRound(rig, 'warm');
    const raw: number[] = [];
    const ours: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const [rawMs, oursMs] = await oneRound(rig, `r${round}`, round % 2 === 1);
      raw.push(rawMs);
      ours.push(oursMs);
    }
    const ratios = ours.map((each, round) => each / (raw[round] ?? Number.NaN));
    const row = {
      measure: `${COUNT} CRs at once → ${COUNT} pods exist`,
      ours: ms(median(ours)),
      peer: `${ms(median(raw))} raw client, both`,
      ratio: median(ratios),
      goal: 1.25,
      original: '4800 ms, ratio 4.5',
    };
    const notes = [
      `burst: ${ROUNDS} rounds, min / median / max: ours ${spread(ours, ms)}; raw ${spread(raw, ms)}; ` +
        `ratio ${spread(ratios, (ratio) => ratio.toFixed(2))}`,
    ];
    return { rows: [row], notes };
  } finally {
    await pair.end();
  }
}

/** Milliseconds of the raw client and of ours. */
async function oneRound(rig: Rig, prefix: string, oursFirst = false): Promise<readonly [number, number]> {
  const turn = async (tenant: string, run: (rig: Rig, prefix: string) => Promise<number>) => {
    const took = await run(rig, `${tenant}-${prefix}`);
    await sleep(PAUSE_MS);
    await rig.clear(tenant);
    await sleep(PAUSE_MS);
    return took;
  };
  if (!oursFirst) return [await turn(RAW_TENANT, rawRound), await turn(TENANT, ourRound)];
  const ours = await turn(TENANT, ourRound);
  return [await turn(RAW_TENANT, rawRound), ours];
}

function rawRound(rig: Rig, prefix: string): Promise<number> {
  const { client } = rig;
  return untilPodsExist(rig, RAW_TENANT, async () => {
    const create = async (name: string) => {
      const owner = await client.create(processResource, workload(name, RAW_TENANT), PATIENT);
      await client.create(core.pods, equivalentPod(owner), { fieldManager: fieldManagers.children, ...PATIENT });
    };
    await Promise.all(names(prefix).map(create));
  });
}

function ourRound(rig: Rig, prefix: string): Promise<number> {
  return untilPodsExist(rig, TENANT, async () => {
    await Promise.all(names(prefix).map((name) => rig.client.create(processResource, workload(name, TENANT), PATIENT)));
  });
}

/** Both clients' pods exist when the same kind of watch has seen them: what an observer can know. */
async function untilPodsExist({ client }: Rig, tenant: string, create: () => Promise<void>): Promise<number> {
  const watch = await PodWatch.open(client, tenant);
  try {
    const started = performance.now();
    const [ended] = await Promise.all([watch.nth(COUNT), create()]);
    return ended - started;
  } finally {
    watch.close();
  }
}

function names(prefix: string): readonly string[] {
  return Array.from({ length: COUNT }, (_, n) => `${prefix}-${n}`);
}
