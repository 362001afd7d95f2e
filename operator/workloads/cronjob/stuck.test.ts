/** A run that never starts, and a spec that was corrected since. */
import { describe, expect, it } from 'vitest';
import type { CronJob } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import type { PodStatus } from '../../api/kubernetes.ts';
import { MemoryStore } from '../../lease/testing/memory-store.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import { jobFor } from './jobs.ts';
import { ClaimedWorld, MINUTE_MS } from './testing/claimed-world.ts';

const { cronJobs, jobs, pods } = childTypes;
const BROKEN = { schedule: '* * * * *', image: 'alpine:no-such-tag' };
const CORRECTED = { ...BROKEN, image: 'alpine:3.20' };

const waiting = (reason: string): PodStatus => ({
  phase: 'Pending',
  containerStatuses: [{ name: 'main', restartCount: 0, state: { waiting: { reason } } }],
});
const noNode: PodStatus = { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False' }] };
const crashed: PodStatus = {
  phase: 'Running',
  containerStatuses: [
    {
      name: 'main',
      restartCount: 1,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 1 } },
    },
  ],
};
const initRan: PodStatus = {
  ...waiting('ImagePullBackOff'),
  initContainerStatuses: [{ name: 'prepare', restartCount: 0, state: { terminated: { exitCode: 0 } } }],
};

/** Kubernetes begins the runs by itself (`single`), or each is claimed (`multi`). One run is under way. */
async function running(scope: 'single' | 'multi', status: PodStatus | undefined): Promise<ClaimedWorld> {
  const world = new ClaimedWorld('east', new MemoryStore(new FakeClock()), BROKEN);
  world.scope = scope;
  await world.reconcile();
  await world.reconcile();
  await world.clock.advance(MINUTE_MS);
  const job = jobFor(world.child<CronJob>(cronJobs)!, world.clock.wall());
  world.cluster.edit(jobs, { ...job, spec: { ...job.spec, suspend: scope === 'multi' } });
  await world.reconcile();
  const [{ metadata } = job] = world.all();
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: metadata.name, uid: metadata.uid ?? '', controller: true };
  if (status) world.addPod('run-1', status, { ownerReferences: [owner] });
  await world.clock.advance(11_000);
  await world.reconcile();
  return world;
}

describe.each(['single', 'multi'] as const)('scope %s', (scope) => {
  it.each([
    ['its image cannot be pulled', waiting('ImagePullBackOff')],
    ['its image has no valid name', waiting('InvalidImageName')],
    ['a Secret is missing', waiting('CreateContainerConfigError')],
    ['it has no node', noNode],
    ['no pod of it is let in', undefined],
  ])('a run that never starts (%s) is ended when the spec has changed', async (_, status) => {
    const world = await running(scope, status);
    expect(world.all()).toHaveLength(1);
    world.edit(CORRECTED);
    await world.reconcile();
    expect(world.all()).toEqual([]);
    expect(world.events).toContain('JobRemoved');
    world.cluster.remove(pods, 'default', 'run-1');
    world.cluster.remove(jobs, 'default', world.cluster.all(jobs)[0]?.metadata.name ?? '');
    await world.clock.advance(MINUTE_MS);
    await world.reconcile();
    expect(world.begun).toEqual(scope === 'multi' ? [1, 2] : []);
  });

  it.each([
    ['is only slow', waiting('ContainerCreating')],
    ['has started and failed', crashed],
    ['has run an init container', initRan],
    ['runs', { phase: 'Running', containerStatuses: [{ name: 'main', state: { running: {} } }] } as PodStatus],
  ])('a run that %s is left alone', async (_, status) => {
    const world = await running(scope, status);
    world.edit(CORRECTED);
    await world.reconcile();
    expect(world.all()).toHaveLength(1);
  });

  it('a run of the spec as it is is left alone', async () => {
    const world = await running(scope, waiting('ImagePullBackOff'));
    world.edit({ ...BROKEN, schedule: '*/2 * * * *' });
    await world.reconcile();
    expect(world.all()).toHaveLength(1);
  });
});
