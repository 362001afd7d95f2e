import { beforeEach, describe, expect, it } from 'vitest';
import { cellKeys } from '../lease/cell-store.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { History } from './history.ts';
import type { LeaseRecord } from './lease-record.ts';
import { Outdated, TenantDesk } from './tenant-desk.ts';
import { OrderBook } from './orders.ts';

const CALL = { timeoutMs: 1000 };
const EAST = { id: 'e', name: 'east' };

let store: MemoryStore;
let desk: TenantDesk;

async function put(key: string, value: object): Promise<void> {
  const { cell } = await store.read(key, CALL);
  await store.write(key, JSON.stringify(value), cell?.version, CALL);
}

const record: LeaseRecord = {
  holder: 'e1',
  cluster: EAST,
  term: 7,
  scope: 'multi',
  ttlMs: 15_000,
  drainMs: 30_000,
  incarnation: 'i',
  release: 'none',
  pending: [{ cluster: { id: 'w', name: 'west' }, drainMs: 1 }],
};

beforeEach(async () => {
  store = new MemoryStore(new FakeClock());
  desk = new TenantDesk(store, 'default', CALL);
  await put(cellKeys.lease('default'), record);
  for (const identity of ['e1', 'e2'])
    await put(cellKeys.presence('default', identity), { identity, cluster: EAST, highestStamp: 0, beat: 1 });
});

describe('orders', () => {
  it('a hand-over is asked for in the term that is seen, and leaves a pause as it is', async () => {
    await desk.pause('somebody', 'now');
    await desk.handOver({}, 'somebody');
    expect(await new OrderBook(store, 'default').read(CALL)).toEqual({
      paused: { by: 'somebody', since: 'now' },
      handOver: { term: 7, to: 'e2', by: 'somebody' },
    });
    expect((await desk.resume()).paused).toBeUndefined();
  });

  it('a second pause keeps the first', async () => {
    await desk.pause('one', '1');
    expect((await desk.pause('two', '2')).paused).toEqual({ by: 'one', since: '1' });
  });

  it.each([{ leader: 'e2' }, { term: 6 }])('a hand-over that expects %j is outdated', async (expected) => {
    await expect(desk.handOver({}, 'x', expected)).rejects.toThrow(new Outdated('e1 leads in term 7'));
  });

  it('nobody can hand over what nobody holds', async () => {
    await put(cellKeys.lease('default'), { ...record, holder: null });
    await expect(desk.handOver({}, 'x')).rejects.toThrow('nobody leads');
  });

  it('what somebody else wrote there is not taken for orders', async () => {
    await put(cellKeys.orders('default'), { handOver: { to: 1 } });
    await expect(desk.pause('x', 'y')).rejects.toThrow('somebody else uses this key');
  });
});

describe('a confirmation', () => {
  it('counts for a cluster that is waited for, by its name', async () => {
    expect(await desk.confirmStopped('west')).toEqual({ id: 'w', name: 'west' });
    const said = (await desk.peers()).find(({ report }) => report !== undefined);
    expect(said).toMatchObject({
      cluster: { id: 'w' },
      mayLead: false,
      report: { term: 7, notGone: [], byPerson: true },
    });
  });

  it('of an unknown cluster says which are known', async () => {
    await expect(desk.confirmStopped('north')).rejects.toThrow(
      'nobody waits for a cluster north; known: east (e), west (w)',
    );
  });
});

it('the history keeps the last terms, and how each ended', async () => {
  const history = new History(store, 'default');
  for (let term = 1; term <= 60; term++) await history.began({ term, holder: 'e1', cluster: EAST, from: 'f' }, CALL);
  await history.ended(60, { to: 't', reason: 'released' }, CALL);
  const terms = await history.read(CALL);
  expect(terms).toHaveLength(50);
  expect(terms.at(-1)).toEqual({ term: 60, holder: 'e1', cluster: EAST, from: 'f', to: 't', reason: 'released' });
});
