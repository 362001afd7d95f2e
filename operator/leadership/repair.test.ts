import { describe, expect, it } from 'vitest';
import { MAX_LIFT } from '../api/terms.ts';
import { cellKeys } from '../lease/cell-store.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { decodeRecord, encodeRecord, type LeaseRecord } from './lease-record.ts';
import { readPeers } from './presence.ts';
import { examine, repaired } from './repair.ts';
import { contend, TestCluster, timing } from './testing/contender.ts';

const CALL = { timeoutMs: 1000 };
const KEY = cellKeys.lease('default');
const MAX_DRAIN_MS = 3_608_000;
const NOW = Date.UTC(2030, 0, 1);
const SECONDS = NOW / 1000;

const east = { id: 'east-id', name: 'default' };
const west = { id: 'west-id', name: 'west' };
const around = (...clusters: (typeof east)[]) => ({
  peers: clusters.map((cluster) => ({ cluster, highestStamp: 0 })),
  storeTimeMs: NOW,
  ttlMs: timing.ttlMs,
  maxDrainMs: MAX_DRAIN_MS,
});
const sound: LeaseRecord = {
  holder: 'a',
  cluster: east,
  term: SECONDS + 7,
  scope: 'multi',
  ttlMs: 15_000,
  drainMs: 90_000,
  incarnation: 'i',
  release: 'none',
  pending: [],
};

async function broken(text: string) {
  const clock = new FakeClock();
  const store = new MemoryStore(clock);
  const cluster = new TestCluster();
  const running = contend({ identity: 'running', clock, store, cluster });
  await clock.advance(5000);
  const before = running.elector.term?.number ?? 0;
  const { cell } = await store.read(KEY, CALL);
  await store.write(KEY, text, cell?.version, CALL);
  await clock.advance(3_600_000);
  return { clock, store, cluster, running, before };
}

/** As the command does it. */
async function repair(store: MemoryStore): Promise<LeaseRecord> {
  const { cell, storeTimeMs } = await store.read(KEY, CALL);
  const peers = await readPeers(store, 'default', CALL);
  const record = repaired(cell?.value ?? '', {}, { ...around(), peers, storeTimeMs });
  await store.write(KEY, encodeRecord(record), cell?.version, CALL);
  return record;
}

it.each(['', 'not JSON', '[]', '{"term":"soon"}', '{"holder":null,"term":1e300}', `${'9'.repeat(999)}`])(
  'controllers that cannot read %j go on after the repair, in a later term, when the wait after a loss is over',
  async (text) => {
    const { clock, store, running, before } = await broken(text);
    expect(running.elector.term).toBeUndefined();
    const record = await repair(store);
    expect(record.term).toBeGreaterThanOrEqual(before);
    await clock.advance(timing.ttlMs + 30_000);
    expect(running.elector.term).toBeUndefined();
    await clock.advance(20_000);
    expect(running.elector.term?.number).toBeGreaterThan(Math.max(before, record.term));
    running.kill();
  },
);

it('from a term that leaves no room, new controllers go on near the time', async () => {
  const clock = new FakeClock();
  const store = new MemoryStore(clock);
  await store.write(
    KEY,
    encodeRecord({ ...sound, cluster: { id: 'cluster-a', name: 'default' }, term: 2 ** 53 - 1 }),
    undefined,
    CALL,
  );
  const stuck = contend({ identity: 'stuck', clock, store, cluster: new TestCluster() });
  await clock.advance(600_000);
  expect(stuck.history).toEqual([]);
  stuck.kill();
  expect(examine(await store.read(KEY, CALL))).toMatchObject({
    is: 'broken',
    because: expect.stringContaining('term 9007199254740991'),
  });
  await repair(store);
  const next = contend({ identity: 'next', clock, store, cluster: new TestCluster() });
  await clock.advance(600_000);
  const { cell } = await store.read(KEY, CALL);
  expect(decodeRecord(cell?.value ?? '')).toMatchObject({ holder: 'next', scope: 'multi' });
  expect(next.elector.term?.number).toBeLessThan(SECONDS + 10_000);
  next.kill();
});

describe('what is kept', () => {
  it('of a text with one wrong field: the cluster, the scope, the term and the drain', () => {
    const text = JSON.stringify({ ...sound, pending: 'none' });
    expect(repaired(text, {}, around(east, west))).toEqual({
      ...sound,
      holder: null,
      incarnation: 'repaired',
      pending: [{ cluster: west, drainMs: 90_000 }],
    });
  });

  it('nothing that is out of reach', () => {
    const text = JSON.stringify({ ...sound, term: SECONDS + MAX_LIFT + 1, drainMs: 1e300, holder: 7 });
    expect(repaired(text, {}, around(east))).toMatchObject({ term: SECONDS, drainMs: MAX_DRAIN_MS });
  });

  it('other clusters are waited for as long as any pod may take, unless a person knows better', () => {
    expect(repaired('', { cluster: 'west' }, around(east, west))).toMatchObject({
      cluster: west,
      scope: 'multi',
      pending: [{ cluster: east, drainMs: MAX_DRAIN_MS }],
    });
    const asked = repaired('', { cluster: 'east-id', drainMs: 30_000 }, around(east, west));
    expect(asked.pending).toEqual([{ cluster: west, drainMs: 30_000 }]);
  });

  it('what controllers have heard of: the highest term', () => {
    const peers = [{ cluster: east, highestStamp: SECONDS + 50, report: { term: SECONDS + 60, notGone: [] } }];
    expect(repaired('', {}, { ...around(), peers }).term).toBe(SECONDS + 60);
  });
});

describe('refused, with what to write instead', () => {
  it.each([
    [
      'no controller known',
      {},
      around(),
      'missing --cluster: name the cluster in which the tenant ran last: none is known',
    ],
    [
      'several clusters',
      {},
      around(east, west),
      'missing --cluster: name the cluster in which the tenant ran last: default (east-id), west (west-id)',
    ],
    ['an unknown cluster', { cluster: 'north' }, around(east), '--cluster north: unknown cluster: default (east-id)'],
    [
      'one name, two clusters',
      { cluster: 'default' },
      around(east, { id: 'x', name: 'default' }),
      'several clusters have this name',
    ],
    ['a term that goes back', { term: 5 }, around(east), `--term 5: must be a whole number from ${SECONDS}`],
    ['a term out of reach', { term: 2 ** 53 - 1 }, around(east), `to ${SECONDS + MAX_LIFT}`],
  ])('%s', (_, advice, where, message) => {
    expect(() => repaired('', advice, where)).toThrow(message);
  });
});
