import { expect, it } from 'vitest';
import { labels } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';
import type { StoreEvent } from '../cluster/object-store.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import type { OverlapOptions } from './overlap-watch.ts';
import { watchOverlaps } from './overlap-watch.ts';

function world(workload: { kind: string; spec: object }, leads = true) {
  const clock = new FakeClock();
  const began = clock.wall();
  const errors: object[] = [];
  const counted: number[] = [];
  let hear: (event: StoreEvent<Pod>) => void = () => {};
  const options = {
    base: {
      clock,
      clusterClock: clock,
      metrics: { overlapped: (seconds: number) => counted.push(seconds) },
      logger: { error: (_: string, fields: object) => errors.push(fields) },
    },
    leads: () => leads,
    pods: {
      subscribe: (listener: typeof hear) => {
        hear = listener;
        return () => (hear = () => {});
      },
    },
    sources: [{ type: { kind: workload.kind }, get: () => ({ metadata: { name: 'web' }, spec: workload.spec }) }],
  } as unknown as OverlapOptions;
  const run = (name: string, fromMs: number) => {
    const own = { [labels.kind]: workload.kind, [labels.name]: 'web' };
    const state = { running: { startedAt: new Date(began + fromMs).toISOString() } };
    const object = {
      metadata: { name, uid: name, namespace: 'apps', labels: own },
      spec: { containers: [] },
      status: { containerStatuses: [{ name: 'main', restartCount: 0, state }] },
    } as unknown as Pod;
    hear({ type: 'modified', object });
  };
  const stopping = new AbortController();
  const ended = watchOverlaps(options, stopping.signal);
  const end = async () => {
    stopping.abort();
    await clock.advance(1000);
    await ended;
  };
  return { clock, run, errors, counted, end };
}

it('says which workload it was, with which pods and for how long', async () => {
  const { clock, run, errors, counted, end } = world({ kind: 'WorkloadProcess', spec: {} });
  run('web-a', 0);
  await clock.advance(5000);
  run('web-b', 5000);
  await clock.advance(3000);
  await end();
  expect(counted.reduce((sum, each) => sum + each, 0)).toBeGreaterThanOrEqual(3);
  const subject = { kind: 'WorkloadProcess', namespace: 'apps', name: 'web' };
  expect(errors[0]).toEqual({ ...subject, pods: 'web-a,web-b', seconds: expect.any(Number) });
});

it.each([
  ['a service of several replicas', { kind: 'WorkloadService', spec: { replicas: 3 } }, true],
  ['a cron job whose runs may overlap', { kind: 'WorkloadCronJob', spec: { concurrencyPolicy: 'Allow' } }, true],
  ['a controller that does not lead', { kind: 'WorkloadProcess', spec: {} }, false],
])('says nothing of %s', async (_, workload, leads) => {
  const { clock, run, errors, counted, end } = world(workload, leads);
  run('web-a', 0);
  run('web-b', 0);
  await clock.advance(5000);
  await end();
  expect([errors, counted]).toEqual([[], []]);
});
