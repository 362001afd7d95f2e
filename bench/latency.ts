/**
 * CR created → pod exists, beside a raw create of the same pod by the same client. Both take turns, so that whatever
 * else the machine does meets both. The floor for ours is a create of the CR plus one of the pod.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fieldManagers } from '../operator/api/group.ts';
import { processResource } from '../operator/api/process.ts';
import { core } from '../operator/cluster/cluster-client.ts';
import { median, ms, percentile } from './numbers.ts';
import { equivalentPod, RAW_TENANT, workload } from './objects.ts';
import { PodWatch } from './pod-watch.ts';
import type { Rig } from './rig.ts';
import type { Result } from './table.ts';

const WARM_UP = 20;
const SAMPLES = 150;
/** Between two measurements: scheduling, the kubelet's reports and the status of the last one are over by then. */
const PAUSE_MS = 120;
const TENANT = 'latency';

interface Samples {
  readonly raw: number[];
  readonly ours: number[];
  /** POST of the CR → its answer: part of `ours`. */
  readonly accepted: number[];
}

export async function latency(rig: Rig): Promise<Result> {
  const pair = await rig.startPair(TENANT);
  const watch = await PodWatch.open(rig.client, TENANT);
  try {
    await measure(rig, watch, WARM_UP, 'warm');
    const { raw, ours, accepted } = await measure(rig, watch, SAMPLES, 'sample');
    await Promise.all([rig.clear(TENANT), rig.clear(RAW_TENANT)]);
    const row = (part: number, goal: number, original: string) => ({
      measure: `CR created → pod exists, p${part * 100}`,
      ours: ms(percentile(ours, part)),
      peer: `${ms(percentile(raw, part))} raw create`,
      ratio: percentile(ours, part) / percentile(raw, part),
      goal,
      original,
    });
    return {
      rows: [row(0.5, 2, '20.6 ms, ratio 2.8'), row(0.99, 3, '50 ms (max of 30)')],
      notes: [
        `latency: ${SAMPLES} samples each; the CR alone is accepted after ${ms(median(accepted))} (p50), so whoever creates ` +
          `both, one after the other, has a ratio of ${(1 + median(accepted) / median(raw)).toFixed(2)}`,
      ],
    };
  } finally {
    watch.close();
    await pair.end();
  }
}

async function measure(rig: Rig, watch: PodWatch, count: number, prefix: string): Promise<Samples> {
  const owner = await rig.client.create(processResource, workload(`latency-owner-${prefix}`, RAW_TENANT));
  const samples: Samples = { raw: [], ours: [], accepted: [] };
  for (let n = 0; n < count; n++) {
    const turns = [
      async () => void samples.raw.push(await createRaw(rig, equivalentPod(owner, `latency-raw-${prefix}-${n}`))),
      async () => {
        const { exists, accepted } = await createOurs(rig, watch, `latency-${prefix}-${n}`);
        samples.ours.push(exists);
        samples.accepted.push(accepted);
      },
    ];
    for (const turn of n % 2 === 0 ? turns : turns.toReversed()) {
      await turn();
      await sleep(PAUSE_MS);
    }
  }
  return samples;
}

async function createRaw({ client }: Rig, pod: ReturnType<typeof equivalentPod>): Promise<number> {
  const started = performance.now();
  await client.create(core.pods, pod, { fieldManager: fieldManagers.children });
  return performance.now() - started;
}

async function createOurs(
  { client }: Rig,
  watch: PodWatch,
  name: string,
): Promise<{ exists: number; accepted: number }> {
  const seen = watch.nth(watch.count + 1);
  const started = performance.now();
  const accepted = client.create(processResource, workload(name, TENANT)).then(() => performance.now() - started);
  const [at, answered] = await Promise.all([seen, accepted]);
  return { exists: at - started, accepted: answered };
}
