import { beforeEach, describe, expect, it } from 'vitest';
import type { CellStore } from '../lease/cell-store.ts';
import { cellKeys } from '../lease/cell-store.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { setBack } from '../lease/testing/set-back.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { StillAlive } from './confirmation.ts';
import { History } from './history.ts';
import type { LeaseRecord } from './lease-record.ts';
import { Outdated, TenantDesk } from './tenant-desk.ts';
import { OrderBook } from './orders.ts';

const CALL = { timeoutMs: 1000 };
const EAST = { id: 'e', name: 'east' };

let clock: FakeClock;
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
  clock = new FakeClock();
  store = new MemoryStore(clock);
  desk = new TenantDesk(store, 'default', CALL);
  await put(cellKeys.lease('default'), record);
  for (const identity of ['e1', 'e2'])
    await put(cellKeys.presence('default', identity), { identity, cluster: EAST, highestStamp: 0, beat: 1 });
});

describe('orders', () => {
  it('a hand-over is asked for in the term that is seen, and leaves a pause as it is', async () => {
    await desk.pause('somebody', '2030-01-01T00:00:00Z');
    await desk.handOver({}, 'somebody');
    expect(await new OrderBook(store, 'default').read(CALL)).toEqual({
      paused: { by: 'somebody', since: '2030-01-01T00:00:00Z' },
      handOver: { term: 7, to: 'e2', by: 'somebody' },
    });
    expect((await desk.resume()).paused).toBeUndefined();
  });

  it('a second pause keeps the first', async () => {
    await desk.pause('one', '2030-01-01');
    expect((await desk.pause('two', '2030-01-02')).paused).toEqual({ by: 'one', since: '2030-01-01' });
  });

  it.each([{ leader: 'e2' }, { term: 6 }])('a hand-over that expects %j is outdated', async (expected) => {
    await expect(desk.handOver({}, 'x', expected)).rejects.toThrow(new Outdated('e1 is the leader in term 7'));
  });

  it('nobody can hand over what nobody holds', async () => {
    await put(cellKeys.lease('default'), { ...record, holder: null });
    await expect(desk.handOver({}, 'x')).rejects.toThrow('there is no leader');
  });

  it('what somebody else wrote there is not taken for orders', async () => {
    await put(cellKeys.orders('default'), { handOver: { to: 1 } });
    await expect(desk.pause('x', 'y')).rejects.toThrow('is another application using this key?');
  });
});

describe('a confirmation', () => {
  const north = { id: 'n', name: 'north' };
  const silentFor = (ms: number) => clock.advance(ms);
  const words = async () => (await desk.peers()).filter(({ report }) => report?.byPerson === true);

  it('counts for a cluster that is waited for, by its name, in this term', async () => {
    expect(await desk.confirmStopped('west')).toEqual({ id: 'w', name: 'west' });
    expect(await words()).toMatchObject([
      { cluster: { id: 'w' }, mayLead: false, report: { term: 7, notGone: [], byPerson: true } },
    ]);
  });

  it('counts for the last holder, while the lease is what the person saw', async () => {
    await silentFor(15_001);
    expect(await desk.confirmStopped('east')).toEqual(EAST);
    const { cell } = await store.read(cellKeys.lease('default'), CALL);
    expect((await words())[0]?.report).toMatchObject({ term: 7, leaseVersion: cell?.version });
  });

  it.each(['east', 'e'])('is refused for the cluster that leads, called %s', async (called) => {
    await silentFor(4000);
    await expect(desk.confirmStopped(called)).rejects.toThrow(
      'cluster east (e) cannot be confirmed as stopped: it is the leader: e1 renewed the lease 4.0 s ago, term 7; stop its controllers and try again 15 s later',
    );
    expect(await words()).toEqual([]);
  });

  it('is refused for a cluster whose controllers live, although its lease has ended or others lead', async () => {
    await silentFor(15_001);
    await put(cellKeys.presence('default', 'e2'), { identity: 'e2', cluster: EAST, highestStamp: 0, beat: 2 });
    await put(cellKeys.presence('default', 'w1'), {
      identity: 'w1',
      cluster: { id: 'w', name: 'west' },
      highestStamp: 0,
      beat: 1,
    });
    await expect(desk.confirmStopped('east')).rejects.toThrow('report when nothing runs any more: e2 (0.0 s ago)');
    await expect(desk.confirmStopped('west')).rejects.toThrow(StillAlive);
  });

  it("is taken of a cluster that was silent for a lease while somebody watched, although the store's clock was set back", async () => {
    const watching = new TenantDesk(setBack(store), 'default', CALL, clock);
    await expect(watching.confirmStopped('east')).rejects.toThrow('it is the leader: e1');
    await silentFor(15_000);
    await expect(watching.confirmStopped('east')).rejects.toThrow('it is the leader: e1');
    await silentFor(1);
    expect(await watching.confirmStopped('east')).toEqual(EAST);
  });

  it('tells whoever shows itself again from whoever was heard from last', async () => {
    const refused = (): Promise<StillAlive> =>
      desk.confirmStopped('east').then(Promise.reject, (e: unknown) => e as StillAlive);
    const first = await refused();
    expect((await refused()).hasMovedSince(first)).toBe(false);
    await put(cellKeys.lease('default'), record);
    expect((await refused()).hasMovedSince(first)).toBe(true);
  });

  it('of a name that several clusters have is refused, with their ids', async () => {
    const pending = ['a', 'b'].map((id) => ({ cluster: { id, name: 'default' }, drainMs: 1 }));
    await put(cellKeys.lease('default'), { ...record, pending });
    await expect(desk.confirmStopped('default')).rejects.toThrow(
      '2 clusters are named default: use one of the ids a, b',
    );
    expect(await desk.confirmStopped('b')).toEqual({ id: 'b', name: 'default' });
  });

  it('of a name that the leading cluster has too is of the other one; of both when neither leads', async () => {
    const cluster = { id: 'B', name: 'default' };
    const pending = [{ cluster: { id: 'A', name: 'default' }, drainMs: 1 }];
    await put(cellKeys.lease('default'), { ...record, cluster, pending });
    expect((await desk.confirmStopped('default')).id).toBe('A');
    await silentFor(15_001);
    await expect(desk.confirmStopped('default')).rejects.toThrow('use one of the ids B, A');
  });

  it('of an unknown cluster, or of one that has stopped everything, says which are known', async () => {
    await expect(desk.confirmStopped('north')).rejects.toThrow(
      'cluster north does not need a confirmation; those that do: east (e), west (w)',
    );
    await put(cellKeys.lease('default'), { ...record, holder: null, release: 'stopped', cluster: north });
    await expect(desk.confirmStopped('north')).rejects.toThrow(
      'cluster north does not need a confirmation; those that do: west (w)',
    );
  });

  it('is said anew when the lease changed hands meanwhile, for the term that is then', async () => {
    await silentFor(15_001);
    const next = { ...record, cluster: north, holder: 'n1', term: 8, pending: [{ cluster: EAST, drainMs: 1 }] };
    const racing = raced(store, () => put(cellKeys.lease('default'), next));
    expect(await new TenantDesk(racing, 'default', CALL).confirmStopped('east')).toEqual(EAST);
    expect((await words())[0]?.report).toEqual({ term: 8, notGone: [], byPerson: true });
  });

  it('is refused when that cluster took the lease again meanwhile', async () => {
    await silentFor(15_001);
    const racing = raced(store, () => put(cellKeys.lease('default'), { ...record, term: 8 }));
    await expect(new TenantDesk(racing, 'default', CALL).confirmStopped('east')).rejects.toThrow(
      'it is the leader: e1',
    );
  });
});

/** `meanwhile` happens before the first write through it. */
function raced(to: MemoryStore, meanwhile: () => Promise<void>): CellStore {
  let isFirst = true;
  return {
    kind: to.kind,
    read: (key, call) => to.read(key, call),
    list: (prefix, call) => to.list(prefix, call),
    remove: (key, expected, call) => to.remove(key, expected, call),
    subscribe: (key, hint) => to.subscribe(key, hint),
    close: () => to.close(),
    async write(key, value, expected, call) {
      if (isFirst) await meanwhile();
      isFirst = false;
      return to.write(key, value, expected, call);
    },
  };
}

it('the history keeps the last terms, and how each ended', async () => {
  const history = new History(store, 'default');
  for (let term = 1; term <= 60; term++)
    await history.began({ term, holder: 'e1', cluster: EAST, from: '2030-01-01' }, CALL);
  await history.ended(60, { to: '2030-01-02', reason: 'released' }, CALL);
  const terms = await history.read(CALL);
  expect(terms).toHaveLength(50);
  expect(terms.at(-1)).toEqual({
    term: 60,
    holder: 'e1',
    cluster: EAST,
    from: '2030-01-01',
    to: '2030-01-02',
    reason: 'released',
  });
});
