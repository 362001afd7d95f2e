import { expect, it } from 'vitest';
import { labels } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';
import type { KubeObject } from '../cluster/cluster-client.ts';
import type { StoreEvent } from '../cluster/object-store.ts';
import { recordingLogger } from '../controller/testing/doubles.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import type { OverlapOptions } from './overlap.ts';
import { watchOverlaps } from './overlap.ts';

it('two instances are reported with the kind, the namespace and the name of their workload', async () => {
  const clock = new FakeClock();
  const logger = recordingLogger();
  const counted: number[] = [];
  const stopping = new AbortController();
  const workload = { metadata: { namespace: 'apps', name: 'p' }, spec: {} } as unknown as KubeObject;
  const base = {
    clock,
    clusterClock: clock,
    logger,
    metrics: { overlapped: (seconds: number) => counted.push(seconds) },
  };
  let hear: (event: StoreEvent<Pod>) => void = () => {};
  const pods = { subscribe: (listener: typeof hear) => ((hear = listener), () => {}) };
  const sources = [{ type: { kind: 'WorkloadProcess' }, get: () => workload }];
  const options = { base, leads: () => true, pods, sources } as unknown as OverlapOptions;
  const watching = watchOverlaps(options, stopping.signal);
  for (const uid of ['a', 'b']) hear({ type: 'added', object: runningPod(uid, clock.wall()) } as StoreEvent<Pod>);
  await clock.advance(2000);
  stopping.abort();
  await clock.advance(1000);
  await watching;
  const fields = { kind: 'WorkloadProcess', namespace: 'apps', name: 'p', pods: 'a,b', seconds: expect.any(Number) };
  expect(logger.lines[0]).toEqual({ level: 'error', message: 'Detected overlapping instances of a workload', fields });
  expect(counted.reduce((sum, seconds) => sum + seconds, 0)).toBe(2);
});

function runningPod(uid: string, startedAt: number): Pod {
  const own = { [labels.kind]: 'WorkloadProcess', [labels.name]: 'p' };
  const state = { running: { startedAt: new Date(startedAt).toISOString() } };
  return {
    metadata: { name: uid, namespace: 'apps', uid, labels: own },
    spec: { containers: [] },
    status: { containerStatuses: [{ name: 'main', restartCount: 0, state }] },
  } as never;
}
