import { expect, it } from 'vitest';
import type { CronJob } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import { cronJobResource } from '../../api/cronjob.ts';
import { DEFAULT_TENANT, labels } from '../../api/group.ts';
import { LedgerStore } from '../../ledger/ledger.ts';
import { MemoryStore } from '../../lease/testing/memory-store.ts';
import { TerminalError } from '../../lib/errors.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import { ChildWorld, KEY } from '../../reconcile/testing/child-world.ts';
import { CronJobReconciler } from './reconciler.ts';

const { cronJobs, jobs } = childTypes;
const ledger = new LedgerStore(new MemoryStore(new FakeClock()), DEFAULT_TENANT);
const SPEC = { schedule: '*/5 * * * *' };

async function scheduled(): Promise<ChildWorld> {
  const world = new ChildWorld(
    {
      resource: cronJobResource,
      types: [cronJobs, jobs],
      make: (options) => new CronJobReconciler({ ...options, ledger, clusterId: 'east' }),
    },
    SPEC,
  );
  await world.reconcile();
  return world;
}

it('makes a CronJob and is ready at once', async () => {
  const world = await scheduled();
  expect(world.takeWrites()).toEqual(['apply CronJob', 'status']);
  expect(world.summary).toBe('Ready=True Scheduled');
  await world.reconcile();
  expect(world.takeWrites()).toEqual([]);
});

it('puts back a schedule that somebody else changed', async () => {
  const world = await scheduled();
  world.editChild<CronJob>(cronJobs, (found) => ({ ...found, spec: { ...found.spec, schedule: '* * * * *' } }));
  await world.reconcile();
  expect(world.child<CronJob>(cronJobs)?.spec.schedule).toBe(SPEC.schedule);
});

it('names what is wrong with a schedule, and leaves the old one as it is', async () => {
  const world = await scheduled();
  world.edit({ schedule: '* * * * 7' });
  await expect(world.reconcile()).rejects.toThrow(TerminalError);
  expect(world.status().lastError).toContain('spec.schedule: day of the week');
  expect(world.child<CronJob>(cronJobs)?.spec.schedule).toBe(SPEC.schedule);
});

it('leaves the Jobs of its CronJob to Kubernetes', async () => {
  const world = await scheduled();
  const own = { [labels.kind]: 'WorkloadCronJob', [labels.name]: KEY.name };
  world.cluster.edit(jobs, { metadata: { ...KEY, name: 'web-1', labels: own } });
  await world.reconcile();
  expect(world.child(jobs, 'web-1')).toBeDefined();
  expect(world.status()).toMatchObject({ lastRun: 'web-1' });
});
