import { describe, expect, it, onTestFinished } from 'vitest';
import type { KubeObject } from '../cluster/cluster-client.ts';
import { silentLogger } from '../lib/logger.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { Controller } from './controller.ts';
import { FakeSource, openGuard, RecordingReconciler } from './testing/doubles.ts';

/** After which follow-ups are served. */
const QUIET_MS = 200;

const object = (name: string, version: number, more: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  metadata: { name, namespace: 'a', uid: `uid-${name}`, resourceVersion: String(version), generation: 1, ...more },
});
const ownerOf = ({ metadata }: KubeObject) =>
  metadata.labels?.['owner'] ? { namespace: 'a', name: metadata.labels['owner'] } : undefined;
const child = (name: string, version: number, owner: string): KubeObject =>
  object(name, version, { labels: { owner } });

function controller(elected = true, filter?: (object: KubeObject) => boolean) {
  const clock = new FakeClock();
  const [workloads, pods] = [new FakeSource(), new FakeSource()];
  const reconciler = new RecordingReconciler();
  const made = new Controller(
    {
      source: workloads,
      reconciler,
      children: [{ source: pods, mapToKey: ownerOf }],
      concurrency: 1,
      ...(filter && { filter }),
    },
    { guard: openGuard, dispute() {}, clock, random: () => 0.5, logger: silentLogger },
  );
  onTestFinished(() => made.stop());
  made.start();
  const elect = async (): Promise<void> => {
    workloads.ready.resolve();
    pods.ready.resolve();
    made.onElected();
    await clock.settle();
  };
  return { controller: made, clock, workloads, pods, reconciler, ready: elected ? elect() : Promise.resolve(), elect };
}

/** Blocks the only worker, so that what is queued meanwhile shows its order. */
function hold(reconciler: RecordingReconciler): () => void {
  const held = Promise.withResolvers<Record<string, never>>();
  reconciler.act = () => held.promise;
  return () => held.resolve({});
}

describe('Controller', () => {
  it('keeps warm but does nothing on a standby', async () => {
    const { workloads, pods, clock, reconciler, controller: c } = controller(false);
    workloads.store.upsert(object('x', 1));
    pods.store.upsert(child('p', 2, 'x'));
    c.enqueueAll();
    await clock.advance(700_000);
    expect(reconciler.calls).toEqual([]);
  });

  it('queues on election every workload, and every child whose workload is gone', async () => {
    const all = controller(false);
    all.workloads.store.upsert(object('x', 1));
    all.pods.store.upsert(child('p', 2, 'x'));
    all.pods.store.upsert(child('orphan', 3, 'gone'));
    await all.elect();
    await all.clock.advance(QUIET_MS);
    expect(all.reconciler.calls).toEqual(['x', 'gone']);
  });

  it('waits for complete caches before it acts', async () => {
    const { workloads, pods, clock, reconciler, controller: c } = controller(false);
    workloads.store.upsert(object('x', 1));
    workloads.ready.resolve();
    c.onElected();
    await clock.settle();
    workloads.store.upsert(object('y', 2));
    await clock.settle();
    expect(reconciler.calls).toEqual([]);
    pods.ready.resolve();
    await clock.settle();
    expect(reconciler.calls).toEqual(['x', 'y']);
  });

  it('does not act when it was demoted while it waited for the caches', async () => {
    const { workloads, pods, clock, reconciler, controller: c } = controller(false);
    workloads.store.upsert(object('x', 1));
    c.onElected();
    c.onDemoted();
    workloads.ready.resolve();
    pods.ready.resolve();
    await clock.advance(700_000);
    expect([reconciler.calls, clock.pendingTimers]).toEqual([[], 0]);
  });

  it('drops everything on demotion', async () => {
    const all = controller();
    await all.ready;
    const release = hold(all.reconciler);
    all.workloads.store.upsert(object('x', 1));
    all.workloads.store.upsert(object('y', 2));
    await all.clock.settle();
    all.controller.onDemoted();
    release();
    await all.clock.advance(700_000);
    expect([all.reconciler.calls, all.clock.pendingTimers]).toEqual([['x'], 0]);
  });

  it('puts new workloads, changes of the spec and lost children before status-only follow-ups', async () => {
    const all = controller();
    await all.ready;
    for (const name of ['a', 'b', 'c', 'd']) all.workloads.store.upsert(object(name, 1));
    all.pods.store.upsert(child('pd', 2, 'd'));
    await all.clock.settle();
    const release = hold(all.reconciler);
    all.workloads.store.upsert(object('busy', 3));
    await all.clock.settle();
    all.reconciler.calls.length = 0;
    all.workloads.store.upsert(object('a', 4));
    all.pods.store.upsert(child('pb', 5, 'b'));
    all.workloads.store.upsert(object('c', 6, { generation: 2 }));
    all.pods.store.delete(child('pd', 7, 'd'));
    all.workloads.store.upsert(object('new', 8));
    release();
    await all.clock.settle();
    expect(all.reconciler.calls).toEqual(['c', 'd', 'new']);
    await all.clock.advance(QUIET_MS);
    expect(all.reconciler.calls).toEqual(['c', 'd', 'new', 'a', 'b']);
  });

  it.each([
    ['an annotation', { annotations: { now: '1' } }],
    ['a deletion', { deletionTimestamp: '2030-01-01T00:00:00Z' }],
    ['a finalizer', { finalizers: ['f'] }],
  ])('does not take %s for a status-only change', async (_, change) => {
    const all = controller();
    await all.ready;
    for (const name of ['a', 'b']) all.workloads.store.upsert(object(name, 1));
    await all.clock.settle();
    const release = hold(all.reconciler);
    all.workloads.store.upsert(object('busy', 2));
    await all.clock.settle();
    all.reconciler.calls.length = 0;
    all.workloads.store.upsert(object('a', 3));
    all.workloads.store.upsert(object('b', 4, change));
    release();
    await all.clock.settle();
    expect(all.reconciler.calls).toEqual(['b']);
    await all.clock.advance(QUIET_MS);
    expect(all.reconciler.calls).toEqual(['b', 'a']);
  });

  it('looks at a workload once more when it ceases to be ours, and at both owners of a child that changes hands', async () => {
    const all = controller(true, ({ metadata }) => metadata.labels?.['tenant'] === 'mine');
    await all.ready;
    all.workloads.store.upsert(object('other', 1));
    all.workloads.store.upsert(object('x', 2, { labels: { tenant: 'mine' } }));
    all.workloads.store.upsert(object('x', 3));
    await all.clock.settle();
    all.workloads.store.upsert(object('x', 4));
    await all.clock.settle();
    expect(all.reconciler.calls).toEqual(['x', 'x']);
    all.pods.store.upsert(child('p', 5, 'one'));
    await all.clock.advance(QUIET_MS);
    all.reconciler.calls.length = 0;
    all.pods.store.upsert(child('p', 6, 'two'));
    await all.clock.advance(QUIET_MS);
    expect(all.reconciler.calls).toEqual(['two', 'one']);
  });

  it('looks at everything again every 10 min as a safety net', async () => {
    const all = controller();
    await all.ready;
    all.workloads.store.upsert(object('x', 1));
    await all.clock.advance(599_999);
    expect(all.reconciler.calls).toEqual(['x']);
    await all.clock.advance(600_001 + QUIET_MS);
    expect(all.reconciler.calls).toEqual(['x', 'x', 'x']);
  });

  it('leaves no subscription and no timer', async () => {
    const all = controller();
    await all.ready;
    await all.controller.stop();
    expect([all.workloads.listeners, all.pods.listeners, all.clock.pendingTimers]).toEqual([0, 0, 0]);
  });
});
