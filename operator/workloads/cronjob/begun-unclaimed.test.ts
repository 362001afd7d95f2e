/** Runs that began without a claim: a person resumed their Job, or Kubernetes had begun them before runs were claimed. */
import { describe, expect, it } from 'vitest';
import type { CronJob } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import { MemoryStore } from '../../lease/testing/memory-store.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import { jobFor } from './jobs.ts';
import { ClaimedWorld, MINUTE_MS } from './testing/claimed-world.ts';

const { cronJobs, jobs } = childTypes;
const causes = [
  'a person resumes it',
  'a person resumes it and it ends at once',
  'scope becomes multi',
  'it was parked',
] as const;

/** One whose only Job so far has begun and is not in the ledger. */
async function begunUnclaimed(how: (typeof causes)[number]): Promise<ClaimedWorld> {
  const world = new ClaimedWorld('east', new MemoryStore(new FakeClock()), { schedule: '0 * * * *' });
  world.scope = how === 'scope becomes multi' ? 'single' : 'multi';
  await world.reconcile();
  await world.reconcile();
  const lastScheduleTime = new Date(world.clock.wall()).toISOString();
  await world.clock.advance(60 * MINUTE_MS);
  // Kubernetes' own note of the run has not arrived, or met a write of ours.
  world.editChild<CronJob>(cronJobs, (found) => ({ ...found, status: { lastScheduleTime } }));
  const job = jobFor(world.child<CronJob>(cronJobs)!, world.clock.wall());
  const stamped = {
    ...job.metadata,
    annotations: { ...job.metadata.annotations, 'highlander.plexobject.io/term': '0' },
  };
  const isParked = how === 'it was parked';
  world.cluster.edit(jobs, {
    ...job,
    ...(isParked && { metadata: stamped }),
    spec: { ...job.spec, suspend: isParked },
  });
  if (how.endsWith('at once')) world.finish();
  world.scope = 'multi';
  await world.reconcile();
  await world.reconcile();
  await world.clock.advance(5000);
  world.finish();
  await world.clock.advance(11_000);
  return world;
}

describe.each(causes)('a Job has begun without a claim: %s', (how) => {
  it('nothing is made in its place', async () => {
    const world = await begunUnclaimed(how);
    world.takeWrites();
    await world.reconcile();
    expect(world.takeWrites()).not.toContain('create Job');
    expect(world.begun).toEqual([]);
  });

  it('its instant is not begun again when it is removed, by this leader or the next', async () => {
    const world = await begunUnclaimed(how);
    for (const { metadata } of world.all()) world.cluster.remove(jobs, 'default', metadata.name);
    await world.reconcile();
    world.newLeader(8);
    await world.reconcile();
    expect(world.begun).toEqual([]);
    expect(world.all()).toEqual([]);
  });
});

describe('the name of a due run', () => {
  async function due(edit: (job: ReturnType<typeof jobFor>) => ReturnType<typeof jobFor>): Promise<ClaimedWorld> {
    const world = new ClaimedWorld('east', new MemoryStore(new FakeClock()));
    await world.reconcile();
    await world.reconcile();
    await world.clock.advance(MINUTE_MS + 11_000);
    const instant = world.clock.wall() - 11_000;
    world.cluster.edit(jobs, edit(jobFor(world.child<CronJob>(cronJobs)!, instant)));
    world.takeWrites();
    return world;
  }
  const creates = (world: ClaimedWorld) => world.takeWrites().filter((write) => write === 'create Job').length;

  it('belongs to somebody else: it is left out, and an event says why', async () => {
    const world = await due((job) => ({ ...job, metadata: { ...job.metadata, ownerReferences: [], labels: {} } }));
    await world.reconcile();
    expect(creates(world)).toBe(1);
    expect(world.events).toContain('RunsSkipped');
    await world.nextMinute();
    await world.clock.advance(11_000);
    await world.reconcile();
    expect(world.begun).toEqual([2]);
  });

  it('is that of a run which a person asked for: that one takes place, and the next one as well', async () => {
    const manual = { 'cronjob.kubernetes.io/instantiate': 'manual' };
    const world = await due((job) => ({ ...job, metadata: { ...job.metadata, annotations: manual } }));
    await world.reconcile();
    expect(world.begun).toEqual([1]);
    world.finish();
    await world.reconcile();
    await world.nextMinute();
    expect(world.begun).toEqual([1, 2]);
  });

  it('is still taken by a Job that is being deleted: it waits for that', async () => {
    const world = await due((job) => ({
      ...job,
      metadata: { ...job.metadata, deletionTimestamp: '2030-01-01T00:01:00Z' },
    }));
    await expect(world.reconcile()).rejects.toThrow('waits for its name');
    expect(creates(world)).toBe(1);
    for (const { metadata } of world.cluster.all(jobs)) world.cluster.remove(jobs, 'default', metadata.name);
    await world.reconcile();
    expect(world.begun).toEqual([1]);
  });
});
