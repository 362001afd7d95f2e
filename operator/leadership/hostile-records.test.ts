/** What others write on objects and into the store neither ends a process nor leaves a lease that nobody can read. */
import { beforeEach, describe, expect, it } from 'vitest';
import { annotations } from '../api/group.ts';
import { MAX_LIFT, MAX_NUMBER } from '../api/terms.ts';
import { TenantObjects } from '../cluster/tenant-objects.ts';
import { owned } from '../cluster/testing/owned.ts';
import { cellKeys } from '../lease/cell-store.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { HigherTermSeen } from '../lib/errors.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { History } from './history.ts';
import type { LeaseRecord } from './lease-record.ts';
import { decodeRecord, encodeRecord } from './lease-record.ts';
import { OrderBook } from './orders.ts';
import { contend, TestCluster, timing } from './testing/contender.ts';

const CALL = { timeoutMs: 1000 };
const LEASE = cellKeys.lease('default');

let clock: FakeClock;
let store: MemoryStore;
let cluster: TestCluster;

beforeEach(() => {
  clock = new FakeClock();
  store = new MemoryStore(clock);
  cluster = new TestCluster();
});

function start(identity: string) {
  return contend({ identity, clock, store, cluster });
}

async function lease(): Promise<LeaseRecord> {
  const { cell } = await store.read(LEASE, CALL);
  return decodeRecord(cell?.value ?? '');
}

describe('an annotation that somebody wrote on a child', () => {
  const stamps = ['soon', 'Infinity', String(MAX_NUMBER), '999999999999999', '1e300', '-', '-7', '0x7', '7.5', ''];

  it.each(stamps)('%j leaves a lease that the next controller takes', async (text) => {
    const pod = { metadata: { ...owned, name: 'x', annotations: { [annotations.term]: text } } };
    const source = { list: () => [pod], hasSynced: true, lastError: undefined, subscribe: () => () => {} };
    cluster.stamp = new TenantObjects([source]).highestStamp();
    const first = start('first');
    await clock.advance(60_000);
    const { term } = await lease();
    first.kill();
    const second = start('second');
    await clock.advance(60_000);
    expect(second.elector.term?.number).toBe(term + 1);
  });

  it('lifts a term when it is plausible, and not when it is out of reach, whatever else is known', async () => {
    cluster.stamp = Math.floor(clock.wall() / 1000) + 500;
    const first = start('first');
    await clock.advance(1000);
    const { term } = await lease();
    expect(term).toBe(cluster.stamp + 1);
    first.kill();
    cluster.stamp = term + MAX_LIFT + 60;
    cluster.permit = cluster.permit && { ...cluster.permit, term: MAX_NUMBER };
    start('second');
    await clock.advance(60_000);
    expect((await lease()).term).toBe(term + 1);
  });

  it('costs a leader its term once, and is put right from then on', async () => {
    const leader = start('first');
    await clock.advance(1000);
    const { term } = await lease();
    const seen = (by: number) => new HigherTermSeen(term + by, 'Pod default/app-pod');
    await leader.elector.dispute(seen(5));
    expect(leader.elector.term).toBeUndefined();
    cluster.stamp = term + 5;
    await clock.advance(2 * timing.ttlMs);
    expect(leader.elector.term?.number).toBe(term + 6);
    const grant = await leader.guard.enter();
    for (const by of [20, 30, 40]) {
      await leader.elector.dispute(seen(by));
      expect([leader.elector.term?.number, grant.isForged(term + by)]).toEqual([term + 6, true]);
    }
    expect(grant.isForged(term + 50)).toBe(false);
  });

  it('out of reach of any term does not cost a leader its term', async () => {
    const leader = start('first');
    await clock.advance(1000);
    await leader.elector.dispute(new HigherTermSeen(MAX_NUMBER, 'Pod default/app-pod'));
    expect(leader.elector.term).toBeDefined();
    expect(leader.elector.isForged(MAX_NUMBER)).toBe(true);
  });

  it('is the word of a later leader when the store says so', async () => {
    const leader = start('first');
    await clock.advance(1000);
    const { cell } = await store.read(LEASE, CALL);
    const record = await lease();
    await store.write(LEASE, encodeRecord({ ...record, holder: 'second', term: record.term + 1 }), cell?.version, CALL);
    await leader.elector.dispute(new HigherTermSeen(record.term + 1, 'Pod default/app-pod'));
    expect(leader.elector.term).toBeUndefined();
    expect(leader.elector.isForged(record.term + 1)).toBe(false);
  });
});

describe('a lease record', () => {
  const record: LeaseRecord = {
    holder: 'a',
    cluster: { id: 'c', name: 'default' },
    term: 7,
    scope: 'multi',
    ttlMs: 15_000,
    drainMs: 30_000,
    incarnation: 'i',
    release: 'none',
    pending: [{ cluster: { id: 'd', name: 'default' }, drainMs: 1 }],
  };
  const spoilt: readonly (readonly [string, object])[] = [
    ['a term that is not a number', { term: NaN }],
    ['a term without end', { term: Infinity }],
    ['a term that JSON cannot hold exactly', { term: MAX_NUMBER + 1 }],
    ['a term below zero', { term: -1 }],
    ['a drain without end', { drainMs: Infinity }],
    ['a ttl of thirty years', { ttlMs: 1e12 }],
    ['a holder with control characters', { holder: 'a\u001b[2J' }],
    ['a holder of a megabyte', { holder: 'a'.repeat(1_000_000) }],
    ['a cluster without an id', { cluster: { name: 'default' } }],
    ['a pending cluster of nothing', { pending: [{}] }],
    ['a pending cluster with a drain of text', { pending: [{ cluster: { id: 'd', name: 'd' }, drainMs: '1' }] }],
    ['pending clusters without end', { pending: Array.from({ length: 10_000 }, () => record.pending[0]) }],
  ];

  it.each(spoilt)('with %s is neither written nor read', (_what, change) => {
    const bad = { ...record, ...change };
    expect(() => encodeRecord(bad)).toThrow(/field/);
    expect(() => decodeRecord(JSON.stringify(bad))).toThrow(/expected a lease record, found other data \(/);
  });

  it('is read as it was written, and fields of later versions are left alone', () => {
    expect(decodeRecord(encodeRecord(record))).toEqual(record);
    expect(decodeRecord(JSON.stringify({ ...record, later: true }))).toMatchObject(record);
  });
});

describe('a record in the place of presence', () => {
  const texts = [
    '',
    'not JSON',
    '{}',
    '[]',
    'null',
    '7',
    '{"identity":"x"}',
    '{"__proto__":{"identity":"x"}}',
    JSON.stringify({ identity: 'x', cluster: null, highestStamp: 1e300, beat: 'soon', mayLead: 'yes' }),
    JSON.stringify({ identity: 'first', cluster: { id: 'cluster-a', name: 'default' }, highestStamp: 0, beat: 1 }),
    `{"identity":"${'x'.repeat(2_000_000)}"}`,
  ];

  it.each(texts.map((text) => [text.slice(0, 40), text] as const))('%j is skipped', async (_start, text) => {
    const first = start('first');
    let failure: unknown;
    first.done.catch((error: unknown) => (failure = error));
    await clock.advance(30_000);
    await store.write(cellKeys.presence('default', 'x'), text, undefined, CALL);
    await clock.advance(30_000);
    const second = start('second');
    await second.presence.join(new AbortController().signal);
    expect([failure, first.elector.term === undefined]).toEqual([undefined, false]);
    expect(second.presence.peers.map(({ identity }) => identity)).toEqual(['first']);
  });

  it('is removed like the record of a controller that does not come back', async () => {
    const key = cellKeys.presence('default', 'x');
    await store.write(key, '{}', undefined, CALL);
    start('first');
    await clock.advance(3_700_000);
    expect((await store.read(key, CALL)).cell).toBeUndefined();
  });

  it('that is the own one counts as lost, and is written anew', async () => {
    const leader = start('first');
    await clock.advance(30_000);
    const key = cellKeys.presence('default', 'first');
    const { cell } = await store.read(key, CALL);
    await store.write(key, 'something else', cell?.version, CALL);
    await clock.advance(120_000);
    expect(leader.elector.term).toBeDefined();
    expect(leader.presence.peers.map(({ identity }) => identity)).toEqual(['first']);
  });
});

describe('the cells of people', () => {
  const term = { term: 7, holder: 'a', cluster: { id: 'c', name: 'default' }, from: '2030-01-01T00:00:00Z' };

  it('of past terms, what can be read is kept', async () => {
    const terms = [term, {}, null, 'x', { ...term, from: 'soon' }, { ...term, reason: 'x'.repeat(100_000) }];
    await store.write(cellKeys.history('default'), JSON.stringify(terms), undefined, CALL);
    expect(await new History(store, 'default').read(CALL)).toEqual([term]);
  });

  it.each(['[', '[]', '{"handOver":{"to":7}}', '{"paused":{"since":"soon","by":"x"}}', '{"paused":true}'])(
    'no request is read from %j',
    async (text) => {
      await store.write(cellKeys.orders('default'), text, undefined, CALL);
      await expect(new OrderBook(store, 'default').read(CALL)).rejects.toThrow('expected requests, found other data (');
    },
  );
});
