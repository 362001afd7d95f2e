/**
 * A planned hand-over to another cluster → the pod runs there, beside a bare delete and create of the same pod: what the
 * controllers add to the time that the pod itself needs to stop and to start. On two real clusters, in turns.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Clusters } from '../e2e/support/clusters.ts';
import type { Stage } from '../e2e/support/stage.ts';
import { ApiClient } from '../hack/cluster/api.ts';
import { TenantDesk } from '../operator/leadership/tenant-desk.ts';
import { openStore } from '../operator/lease/open.ts';
import { median, ms, spread } from './numbers.ts';
import type { Result } from './table.ts';

const SAMPLES = 10;
const LIMIT_MS = 100;
const LOOK_MS = 5;
const PAUSE_MS = 4000;
const PODS = '/api/v1/namespaces/default/pods';

interface Pod {
  readonly metadata: object;
  readonly spec: object;
  readonly status?: { readonly phase?: string };
}

export async function handover(): Promise<Result> {
  const clusters = await Clusters.open({ samples: [['WorkloadProcess', 'p', '']] });
  const store = await openStore({ kind: 'redis', redis: { addr: clusters.redis.addr, keyPrefix: '' } });
  try {
    const { east, west } = clusters;
    await clusters.startController(east, 'east-1');
    await clusters.active(east);
    await clusters.startController(west, 'west-1');
    await clusters.shared();
    const desk = new TenantDesk(store, 'default', { timeoutMs: 5000 });
    const ours: number[] = [];
    const bare: number[] = [];
    for (let n = 0; n <= SAMPLES; n++) {
      const [from, to] = n % 2 === 0 ? [east, west] : [west, east];
      await sleep(PAUSE_MS);
      const moved = await moveBare(from, to);
      const handed = await handOver(desk, to);
      if (n === 0) continue; // images and connections are cold
      bare.push(moved);
      ours.push(handed);
    }
    const overhead = median(ours) - median(bare);
    return {
      rows: [
        {
          measure: 'hand-over to another cluster, beyond the stop and start of its pod, p50',
          ours: ms(overhead),
          peer: `${LIMIT_MS} ms`,
          ratio: overhead / LIMIT_MS,
          goal: 1,
        },
      ],
      notes: [
        `handover: ${SAMPLES} of each; asked for → the pod runs in the other cluster ${spread(ours, ms)} (min / p50 / max), ` +
          `bare delete, gone, create, runs ${spread(bare, ms)}`,
      ],
    };
  } finally {
    await store.close();
    await clusters.close();
  }
}

async function handOver(desk: TenantDesk, to: Stage): Promise<number> {
  const began = performance.now();
  const toCluster = to.cluster.name === 'e2e' ? 'east' : 'west';
  await desk.handOver({ toCluster }, 'bench');
  await runs(to, 'p-pod');
  return performance.now() - began;
}

/** The same pod without anything of ours, made in one cluster and moved to the other one. */
async function moveBare(from: Stage, to: Stage): Promise<number> {
  const [here, there] = [from, to].map(({ cluster }) => ApiClient.fromKubeconfig(cluster.kubeconfigPath));
  if (!here || !there) throw new Error('two clusters are needed');
  try {
    const { spec } = (await here.find<Pod>(`${PODS}/p-pod`)) ?? { spec: {} };
    const { nodeName: _, ...movable } = spec as Record<string, unknown>;
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare' }, spec: movable };
    await here.request('POST', PODS, { body: pod });
    await runs(from, 'bare');
    const began = performance.now();
    await here.request('DELETE', `${PODS}/bare`);
    while (await here.find(`${PODS}/bare`)) await sleep(LOOK_MS);
    await there.request('POST', PODS, { body: pod });
    await runs(to, 'bare');
    const took = performance.now() - began;
    await there.request('DELETE', `${PODS}/bare`);
    while (await there.find(`${PODS}/bare`)) await sleep(LOOK_MS);
    return took;
  } finally {
    here.close();
    there.close();
  }
}

async function runs(stage: Stage, name: string): Promise<void> {
  while ((await stage.pod(name))?.status?.phase !== 'Running') await sleep(LOOK_MS);
}
