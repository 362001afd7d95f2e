/** Several parts of a process read and write one object at one time: an answer that comes late overwrites nothing newer. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { CellStore } from '../lease/cell-store.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { silentLogger } from '../lib/logger.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import type { LeaseRecord } from './lease-record.ts';
import type { Permit } from './permit.ts';
import { PermitKeeper } from './permit-keeper.ts';
import type { PermitStore } from './ports.ts';
import { contend, TestCluster, timing } from './testing/contender.ts';
import { Warden } from './warden.ts';

const CALL = { timeoutMs: 60_000 };
const LATE_MS = 200;
const east = { id: 'east', name: 'east' };
const record: LeaseRecord = {
  holder: 'e2',
  cluster: east,
  term: 8,
  scope: 'multi',
  ttlMs: 15_000,
  drainMs: 13_000,
  incarnation: 'i',
  release: 'none',
  pending: [],
};

let clock: FakeClock;

beforeEach(() => (clock = new FakeClock()));

describe('the permit', () => {
  let permit: Permit;
  let keeper: PermitKeeper;
  let version: number;
  let lateReads: number;
  let lateWrites: number;
  let onRead: () => void;

  const put = (next: Permit): string => {
    permit = next;
    return String(++version);
  };
  const store: PermitStore = {
    async read() {
      const found = { permit, version: String(version) };
      onRead();
      await clock.sleep(lateReads);
      return found;
    },
    async write(next, expected) {
      if (expected !== String(version)) return undefined;
      const written = put(next);
      await clock.sleep(lateWrites);
      return written;
    },
  };

  beforeEach(async () => {
    permit = {
      scope: 'multi',
      term: 7,
      clusterId: 'east',
      drainMs: 13_000,
      renewedAt: clock.wall() - 20_000,
      ttlMs: 15_000,
    };
    version = 1;
    lateReads = lateWrites = 0;
    onRead = () => {};
    keeper = new PermitKeeper(store);
  });

  const settle = async (...calls: readonly Promise<void>[]): Promise<void> => {
    await clock.advance(2 * LATE_MS);
    await Promise.all(calls);
  };

  it('is what was written last, not what an earlier read brings', async () => {
    await settle(keeper.read(CALL));
    lateReads = LATE_MS;
    const reading = keeper.read(CALL);
    const renewing = keeper.renew(record, clock.wall(), CALL);
    await settle(reading, renewing);
    expect(keeper.known).toEqual(permit);
  });

  it('is what a later read brought, not an earlier one', async () => {
    lateReads = LATE_MS;
    const first = keeper.read(CALL);
    put({ ...permit, term: 9 });
    lateReads = 0;
    await settle(keeper.read(CALL), first);
    expect(keeper.known).toEqual(permit);
  });

  it('is what others wrote over a write of ours whose answer comes late', async () => {
    await settle(keeper.read(CALL));
    lateWrites = LATE_MS;
    const renewing = keeper.renew(record, clock.wall(), CALL);
    await clock.settle();
    put({ ...permit, term: 9, renewedAt: 0 });
    await settle(keeper.read(CALL), renewing);
    expect(keeper.known).toMatchObject({ term: 9, renewedAt: 0 });
  });

  it('is known all the time while others write it as well', async () => {
    await settle(keeper.read(CALL));
    put({ ...permit, term: 8 });
    lateReads = LATE_MS;
    const renewing = keeper.renew(record, clock.wall(), CALL);
    await clock.settle();
    expect(keeper.term).toBe(7);
    await settle(renewing);
    expect(keeper.known).toMatchObject({ term: 8, renewedAt: permit.renewedAt });
  });

  it('parks nothing that has just been adopted, 3 s after its end', async () => {
    let isAdopted = false;
    let parked = 0;
    lateReads = LATE_MS;
    onRead = () => {
      if (isAdopted || clock.monotonic() < 3000 + LATE_MS) return;
      isAdopted = true;
      // The elector of the same process has the lease meanwhile, and the answer to its renewal is here before the read's.
      void keeper.renew(record, clock.wall(), CALL);
    };
    const warden = new Warden({
      candidate: { identity: 'e2', cluster: east, timing, takeover: 'bounded' },
      lease: { seen: { ...record, holder: 'e1', term: 7 }, doubtfulTerm: undefined },
      permit: keeper,
      presence: { peers: [], setReport() {}, announce: async () => {} } as never,
      cluster: {
        ready: () => true,
        highestStamp: () => 0,
        drainMs: () => 13_000,
        silentMs: () => 0,
        serverTime: () => clock.wall(),
      },
      workloads: {
        park: async () => void (parked += 1),
        running: async () => [],
        hasChanged: () => false,
        change: (ms) => clock.sleep(ms),
      },
      clock,
      logger: silentLogger,
    });
    const running = warden.run();
    await clock.advance(10_000);
    warden.stop();
    await running;
    expect(isAdopted).toBe(true);
    expect(parked).toBe(0);
  });
});

describe('the store', () => {
  let store: MemoryStore;
  /** How long the next read or list stays on its way back. */
  let lateMs: number;

  /** What it answers is as of when it was asked. */
  const late = (): CellStore => ({
    kind: store.kind,
    read: async (key, call) => {
      const reply = await store.read(key, call);
      await isLate();
      return reply;
    },
    list: async (prefix, call) => {
      const cells = await store.list(prefix, call);
      await isLate();
      return cells;
    },
    write: (key, value, expected, call) => store.write(key, value, expected, call),
    remove: (key, expected, call) => store.remove(key, expected, call),
    subscribe: (key, hint) => store.subscribe(key, hint),
    close: () => store.close(),
  });
  const isLate = async (): Promise<void> => {
    const ms = lateMs;
    lateMs = 0;
    if (ms > 0) await clock.sleep(ms);
  };

  beforeEach(() => {
    store = new MemoryStore(clock);
    lateMs = 0;
  });

  it('ends no term by an answer from before it began', async () => {
    const cluster = new TestCluster();
    const a = contend({ identity: 'a', clock, store, cluster });
    await clock.advance(1000);
    const b = contend({ identity: 'b', clock, store: late(), cluster });
    await clock.advance(10_000);
    lateMs = 1000;
    const verifying = b.elector.verify(CALL);
    a.elector.leave();
    await clock.settle();
    expect(b.elector.term).toBeDefined();
    await clock.advance(5000);
    await verifying;
    expect(b.history).toEqual([expect.stringMatching(/^elected/)]);
  });

  it('knows who was there at the last look, not at the one before', async () => {
    const cluster = new TestCluster();
    const b = contend({ identity: 'b', clock, store: late(), cluster, remainsFollower: true });
    await clock.advance(1000);
    lateMs = 1000;
    const looking = b.presence.look(CALL);
    contend({ identity: 'a', clock, store, cluster });
    await clock.settle();
    await b.presence.look(CALL);
    await clock.advance(1000);
    await looking;
    expect(b.presence.peers.map(({ identity }) => identity).toSorted()).toEqual(['a', 'b']);
  });

  it('does not take a record that was rewritten meanwhile for one that was lost', async () => {
    const b = contend({ identity: 'b', clock, store: late(), cluster: new TestCluster(), remainsFollower: true });
    await clock.advance(1000);
    lateMs = 1000;
    const checking = b.presence.isWell(CALL);
    await b.presence.announce();
    await clock.advance(1000);
    expect(await checking).toBe(true);
  });
});
