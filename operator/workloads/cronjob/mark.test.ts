/** From when on runs are due: when a cron job is first seen, and when ledger or stamp say what no clock explains. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { CronJob } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import { annotations } from '../../api/group.ts';
import { encodeLedger } from '../../ledger/cron-ledger.ts';
import type { CronJobStatus } from '../../api/cronjob.ts';
import { cellKeys } from '../../lease/cell-store.ts';
import { MemoryStore } from '../../lease/testing/memory-store.ts';
import { ApiError } from '../../cluster/cluster-client.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import type { CommonStatus } from '../../reconcile/status.ts';
import { ClaimedWorld, MINUTE_MS } from './testing/claimed-world.ts';

const { cronJobs } = childTypes;
const killed = new ApiError(500, 'InternalError', 'the process was killed here');
const FAR = Date.UTC(5384, 2, 1);

let store: MemoryStore;

beforeEach(() => {
  store = new MemoryStore(new FakeClock());
});

describe('a cron job is first seen', () => {
  it.each([
    ['multi', 'Last'],
    ['single', 'All'],
  ] as const)('in scope %s: what is due after that is not lost when the leader dies', async (scope, catchUp) => {
    const world = new ClaimedWorld('east', store, { catchUp });
    world.scope = scope;
    await world.clock.advance(MINUTE_MS / 2);
    world.cluster.failures.set('apply', killed);
    await expect(world.reconcile()).rejects.toThrow('killed');
    await world.clock.advance(MINUTE_MS);
    world.newLeader(8);
    await world.reconcile();
    await world.reconcile();
    expect(world.begun).toEqual([1]);
  });

  it('by nobody until now: alone a cluster knows that nothing has run since it was made', async () => {
    const world = new ClaimedWorld('east', store, { catchUp: 'All' });
    world.scope = 'single';
    await world.clock.advance(2.5 * MINUTE_MS);
    for (let n = 0; n < 4; n++) {
      await world.reconcile();
      world.finish();
    }
    expect(world.begun).toEqual([1, 2]);
  });
});

describe('a mark in the far future', () => {
  async function broken(): Promise<ClaimedWorld> {
    const world = new ClaimedWorld('east', store);
    await world.reconcile();
    await world.reconcile();
    await world.nextMinute();
    world.finish();
    await world.reconcile();
    return world;
  }

  it.each(['in the ledger', 'on the CronJob', 'in both'])(
    '%s is put right and told, and the next run takes place',
    async (where) => {
      const world = await broken();
      if (where !== 'on the CronJob') {
        const key = cellKeys.ledger('default', 'default', 'web');
        const { cell, incarnation } = await store.read(key, { timeoutMs: 1000 });
        const claim = { instant: FAR, term: 7, clusterId: 'east', jobUid: 'gone', state: 'claimed' } as const;
        const ledger = { mark: FAR, activation: { clusterId: 'east', at: 0 }, claims: [claim] };
        await store.write(key, encodeLedger(ledger, incarnation), cell?.version, { timeoutMs: 1000 });
      }
      if (where !== 'in the ledger')
        world.editChild<CronJob>(cronJobs, (found) => {
          const notes = { [annotations.lastClaimed]: String(FAR), [annotations.lastRun]: String(FAR) };
          return {
            ...found,
            metadata: { ...found.metadata, annotations: { ...found.metadata.annotations, ...notes } },
          };
        });
      await world.reconcile();
      expect(world.events.includes('LedgerCorrected')).toBe(where !== 'on the CronJob');
      await world.nextMinute();
      expect(world.begun).toEqual([1, 2]);
      const { metadata } = world.child<CronJob>(cronJobs)!;
      expect(Number(metadata.annotations?.[annotations.lastClaimed])).toBeLessThanOrEqual(world.clock.wall());
      expect(world.status<CommonStatus & CronJobStatus>().lastScheduleTime).toBe('2030-01-01T00:02:00Z');
    },
  );

  it('is also put right when the ledger is lost', async () => {
    const world = await broken();
    store.restore(new Map(), 'second');
    world.editChild<CronJob>(cronJobs, (found) => {
      const notes = { [annotations.lastClaimed]: '999999999999999' };
      return {
        ...found,
        metadata: { ...found.metadata, annotations: { ...found.metadata.annotations, ...notes } },
        status: { lastScheduleTime: '9999-01-01T00:00:00Z' },
      };
    });
    await world.reconcile();
    world.editChild<CronJob>(cronJobs, (found) => ({ ...found, status: {} }));
    await world.nextMinute();
    expect(world.begun).toEqual([1, 2]);
  });
});

it('a schedule that somebody else put on the CronJob stops nothing', async () => {
  const world = new ClaimedWorld('east', store);
  await world.reconcile();
  await world.reconcile();
  world.editChild<CronJob>(cronJobs, (found) => ({
    ...found,
    spec: { ...found.spec, schedule: 'TZ=UTC 0 0 * * *', timeZone: 'No/where' },
  }));
  await world.reconcile();
  expect(world.child<CronJob>(cronJobs)?.spec.schedule).toBe('* * * * *');
});
