import { beforeEach, describe, expect, it } from 'vitest';
import type { CronJob } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import { labels } from '../../api/group.ts';
import type { CronJobStatus } from '../../api/cronjob.ts';
import type { CommonStatus } from '../../reconcile/status.ts';
import type { Scope } from '../../api/scope.ts';
import { ApiError } from '../../cluster/cluster-client.ts';
import { MemoryStore } from '../../lease/testing/memory-store.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import { ClaimedWorld, MINUTE_MS } from './testing/claimed-world.ts';

const killed = new ApiError(500, 'InternalError', 'the process was killed here');

let store: MemoryStore;
let world: ClaimedWorld;

async function start(clusterId: string, spec: Record<string, unknown> = {}): Promise<ClaimedWorld> {
  const started = new ClaimedWorld(clusterId, store, spec);
  await started.reconcile();
  await started.reconcile();
  return started;
}

async function pass(minutes: number, ...worlds: readonly ClaimedWorld[]): Promise<void> {
  for (const each of worlds) await each.clock.advance(minutes * MINUTE_MS);
}

beforeEach(async () => {
  store = new MemoryStore(new FakeClock());
  world = await start('east');
});

describe('claimed runs', () => {
  it('each due run begins once', async () => {
    for (let n = 0; n < 3; n++) {
      await world.nextMinute();
      await world.reconcile();
      world.finish();
      await world.reconcile();
    }
    expect(world.begun).toEqual([1, 2, 3]);
  });

  it('a run that is due while another one is under way waits for it', async () => {
    await world.nextMinute();
    await world.nextMinute();
    expect(world.begun).toEqual([1]);
    world.finish();
    await world.clock.advance(11_000);
    await world.reconcile();
    expect(world.begun).toEqual([1, 2]);
  });

  it('a run that is due while the pod of one whose Job has gone still ends waits for it', async () => {
    await world.nextMinute();
    world.addPod('run-1', { phase: 'Running' }, { deletionTimestamp: '2030-01-01T00:02:00Z' });
    for (const { metadata } of world.all()) world.cluster.remove(childTypes.jobs, 'default', metadata.name);
    await world.nextMinute();
    expect(world.begun).toEqual([1]);
    world.addPod('run-1', { phase: 'Succeeded' });
    await world.clock.advance(11_000);
    await world.reconcile();
    expect(world.begun).toEqual([1, 2]);
  });

  it('makes the Job of a due run that Kubernetes did not make', async () => {
    await pass(1.2, world);
    await world.reconcile();
    expect(world.begun).toEqual([1]);
  });

  it('two leaders of the same ledger never both begin a run', async () => {
    await world.clock.advance(MINUTE_MS);
    world.makeJob(world.clock.wall());
    const both = await Promise.allSettled([world.reconcileOnce(), world.reconcileOnce()]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(world.begun).toEqual([1]);
  });

  it('of a workload that now belongs to another tenant, none begins', async () => {
    await world.clock.advance(MINUTE_MS);
    world.makeJob(world.clock.wall());
    world.edit({ schedule: '* * * * *' }, { labels: { [labels.tenant]: 'other' } });
    await world.reconcile();
    expect(world.begun).toEqual([]);
  });

  it('suspended runs nothing, and makes up for nothing', async () => {
    world.edit({ schedule: '* * * * *', suspend: true });
    await world.reconcile();
    await pass(5, world);
    await world.reconcile();
    world.edit({ schedule: '* * * * *' });
    await world.reconcile();
    await world.nextMinute();
    expect(world.begun).toEqual([6]);
  });
});

describe('the API server refuses a Job', () => {
  it('an event says so, an edit of the spec is brought up nevertheless, and the run begins when the cause is gone', async () => {
    await pass(1.2, world);
    const quota = new ApiError(403, 'Forbidden', 'exceeded quota: jobs, requested: count/jobs.batch=1');
    world.edit({ schedule: '* * * * *', image: 'other' });
    world.cluster.failures.set('create', quota);
    await expect(world.reconcile()).rejects.toThrow('exceeded quota');
    expect(world.events).toContain('RunRefused');
    const template = world.child<CronJob>(childTypes.cronJobs)?.spec.jobTemplate.spec.template;
    expect(template?.spec.containers[0]?.image).toBe('other');
    await world.reconcile();
    expect(world.begun).toEqual([1]);
  });
});

describe('schedule #17', () => {
  it('a leader that dies between claim and start: the next one starts it, once', async () => {
    await world.clock.advance(MINUTE_MS);
    world.makeJob(world.clock.wall());
    world.cluster.failures.set('patch', killed);
    await expect(world.reconcile()).rejects.toThrow('killed');
    expect(world.begun).toEqual([]);
    world.newLeader(8);
    await world.reconcile();
    await world.reconcile();
    expect(world.begun).toEqual([1]);
  });

  it('the next one starts it although its cache has not heard of the Job', async () => {
    await world.clock.advance(MINUTE_MS);
    world.makeJob(world.clock.wall());
    world.cluster.failures.set('patch', killed);
    await expect(world.reconcile()).rejects.toThrow('killed');
    for (const { metadata } of world.all()) world.unseen.add(metadata.name);
    world.newLeader(8);
    await world.reconcile();
    expect(world.begun).toEqual([1]);
  });

  it('a run that was parked midway is ended when its cluster leads again, and not begun anew', async () => {
    await world.nextMinute();
    for (const job of world.all()) world.editJob(job, { spec: { ...job.spec, suspend: true }, status: {} });
    world.newLeader(8);
    await world.reconcile();
    expect(world.all()).toEqual([]);
    await world.nextMinute();
    expect(world.begun).toEqual([1, 2]);
  });

  it('a run that was parked midway does not stand in the way when its cluster leads again after another one', async () => {
    await world.nextMinute();
    for (const job of world.all()) world.editJob(job, { spec: { ...job.spec, suspend: true }, status: {} });
    const other = await start('west');
    await pass(1, other);
    world.newLeader(9);
    await world.reconcile();
    expect(world.all()).toEqual([]);
    await world.nextMinute();
    expect(world.begun).toEqual([1, 2]);
  });

  it('a Job that is deleted before its claim is made again', async () => {
    await world.clock.advance(MINUTE_MS);
    world.makeJob(world.clock.wall());
    for (const { metadata } of world.all()) world.cluster.remove(childTypes.jobs, 'default', metadata.name);
    await world.clock.advance(11_000);
    await world.reconcile();
    expect(world.begun).toEqual([1]);
  });

  it('after the ledger was lost nothing runs twice', async () => {
    await world.nextMinute();
    world.finish();
    for (const { metadata } of world.all()) world.cluster.remove(childTypes.jobs, 'default', metadata.name);
    store.restore(new Map(), 'second');
    world.makeJob(world.clock.wall());
    expect(world.all()).toHaveLength(1);
    await world.reconcile();
    await world.nextMinute();
    expect(world.begun).toEqual([1, 2]);
  });

  it('after a ledger came back from a backup nothing runs twice', async () => {
    await world.nextMinute();
    world.finish();
    await world.reconcile();
    const backup = store.snapshot();
    await world.nextMinute();
    world.finish();
    store.restore(backup, 'second');
    await world.reconcile();
    await world.nextMinute();
    expect(world.begun).toEqual([1, 2, 3]);
  });
});

describe('the store may have lost writes while runs were due', () => {
  async function back(scope: Scope, contents: 'an old ledger' | 'no ledger'): Promise<ClaimedWorld> {
    const east = await start('east', { catchUp: 'All' });
    east.scope = scope;
    await east.nextMinute();
    east.finish();
    await east.reconcile();
    store.restore(contents === 'no ledger' ? new Map() : store.snapshot(), 'second');
    await pass(2.5, east);
    for (let n = 0; n < 4; n++) {
      await east.reconcile();
      east.finish();
    }
    return east;
  }

  it.each(['an old ledger', 'no ledger'] as const)('alone a cluster knows what it has run: %s', async (contents) => {
    expect((await back('single', contents)).begun).toEqual([1, 2, 3]);
  });

  it.each(['an old ledger', 'no ledger'] as const)('others may have run them: %s', async (contents) => {
    const east = await back('multi', contents);
    expect(east.begun).toEqual([1]);
    await pass(0.7, east);
    await east.reconcile();
    expect(east.begun).toEqual([1, 4]);
  });

  it('what is left out is told', async () => {
    expect((await back('multi', 'an old ledger')).events).toContain('RunsSkipped');
  });
});

describe('another cluster takes over', () => {
  it('what was claimed and may have begun is not begun again, and an event says so', async () => {
    await world.clock.advance(MINUTE_MS);
    world.makeJob(world.clock.wall());
    world.cluster.failures.set('patch', killed);
    await expect(world.reconcile()).rejects.toThrow('killed');
    const west = await start('west');
    await pass(1, west);
    await west.reconcile();
    expect(west.events).toContain('RunUnknown');
    expect(west.begun).toEqual([]);
    await west.nextMinute();
    expect(west.begun).toEqual([2]);
  });

  it('the last run there is known here', async () => {
    await world.nextMinute();
    world.finish();
    const west = await start('west');
    await west.reconcile();
    expect(west.status<CommonStatus & CronJobStatus>().lastScheduleTime).toBe('2030-01-01T00:01:00Z');
  });

  it.each([
    ['None', []],
    ['Last', [30]],
    ['All', [21, 22, 23, 24, 25, 26, 27, 28, 29, 30]],
  ] as const)('catchUp %s', async (catchUp, expected) => {
    const spec = { schedule: '* * * * *', catchUp };
    const west = new ClaimedWorld('west', store, spec);
    await world.nextMinute();
    world.finish();
    await world.reconcile();
    await pass(30.5, west);
    for (let n = 0; n < 12; n++) {
      await west.reconcile();
      west.finish();
    }
    expect(west.begun).toEqual(expected);
    expect(west.events.includes('RunsSkipped')).toBe(true);
  });
});
