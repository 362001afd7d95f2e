/** What makes pods and may make none: the status says why, and says so no longer when the cause is gone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CronJob, StatefulSet } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import { persistentResource } from '../api/persistent.ts';
import { ApiError } from '../cluster/cluster-client.ts';
import type { KubeObject, ResourceType } from '../cluster/cluster-client.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { RealWorld, type RealKind } from '../reconcile/testing/real-world.ts';
import { jobFor } from './cronjob/jobs.ts';
import { ClaimedWorld, MINUTE_MS } from './cronjob/testing/claimed-world.ts';
import { PersistentReconciler } from './persistent/reconciler.ts';

const { cronJobs, jobs, pods, services, statefulSets } = childTypes;

describe('a StatefulSet on a real API server', () => {
  const persistent: RealKind = {
    resource: persistentResource,
    types: [statefulSets, services],
    make: (options) => new PersistentReconciler(options),
  };
  const accounts: ResourceType = {
    group: '',
    version: 'v1',
    plural: 'serviceaccounts',
    kind: 'ServiceAccount',
    namespaced: true,
  };
  const key = { namespace: 'refused', name: 'mq' };
  let world: RealWorld;

  beforeAll(async () => {
    world = await RealWorld.start();
    await world.namespace(key.namespace);
  }, 60_000);
  afterAll(() => world?.[Symbol.asyncDispose]());

  async function look(aheadMs: number) {
    world.aheadMs = aheadMs;
    await world.reconcile(persistent, key);
    const { status } = await world.workload(persistentResource, key);
    return { reason: status.conditions?.[0]?.reason, problem: status['lastError'] };
  }

  it('waits a while, then says what refuses its pods, also past the deadline', async () => {
    const spec = { serviceAccountName: 'broker' };
    await world.apply(persistentResource, key, { image: 'broker:1', podTemplate: { spec } });
    expect(await look(0)).toEqual({ reason: 'Progressing', problem: undefined });
    const problem = expect.stringMatching(
      /^Kubernetes refuses the pods: .*serviceaccount "broker" not found/,
    ) as unknown;
    expect(await look(6000)).toEqual({ reason: 'PodsRefused', problem });
    expect(await look(3_600_000)).toEqual({ reason: 'PodsRefused', problem });
    const metadata = { name: 'broker', namespace: key.namespace };
    await world.client.create<KubeObject>(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
    expect(await look(7000)).toEqual({ reason: 'Progressing', problem: undefined });
    expect((await world.client.list(pods)).items).toEqual([]);
    expect(await world.get<StatefulSet>(statefulSets, key, 'mq')).toBeDefined();
  });
});

it('a run of a cron job', async () => {
  const world = new ClaimedWorld('east', new MemoryStore(new FakeClock()));
  world.scope = 'single';
  await world.reconcile();
  await world.reconcile();
  await world.clock.advance(MINUTE_MS);
  const job = jobFor(world.child<CronJob>(cronJobs)!, world.clock.wall());
  world.cluster.edit(jobs, { ...job, spec: { ...job.spec, suspend: false } });
  await world.reconcile();
  expect(world.summary).toContain('Scheduled');
  await world.clock.advance(6000);
  world.cluster.failures.set('create', new ApiError(403, 'Forbidden', 'exceeded quota: pods=0'));
  await world.reconcile();
  expect(world.summary).toBe('Ready=False Reconciling=True PodsRefused');
  expect(world.status().lastError).toBe('Kubernetes refuses the pods: exceeded quota: pods=0');
  await world.reconcile();
  expect(world.summary).toBe('Ready=True Scheduled');
});
