/** Whoever cannot write to its own cluster does not lead: it answers reads, so only a write tells. */
import { beforeEach, expect, it } from 'vitest';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import type { Contender, ContenderOptions } from './testing/contender.ts';
import { contend, TestCluster, timing } from './testing/contender.ts';

const MINUTE_MS = 60_000;
/** As long is a lease kept that nobody can act on. */
const PATIENCE_MS = 3 * timing.ttlMs;

let clock: FakeClock;
let store: MemoryStore;

beforeEach(() => {
  clock = new FakeClock();
  store = new MemoryStore(clock);
});

const start = (identity: string, cluster: TestCluster, more: Partial<ContenderOptions> = {}): Contender =>
  contend({ identity, clock, store, cluster, ...more });
const elections = (...all: readonly Contender[]): number =>
  all.flatMap(({ history }) => history.filter((line) => line.startsWith('elected'))).length;

function broken(): TestCluster {
  const cluster = new TestCluster();
  cluster.takesWrites = false;
  return cluster;
}

it('who wins the lease, and cannot write, gives it up to a standby that can', async () => {
  const first = start('first', broken());
  await clock.advance(1000);
  const second = start('second', new TestCluster());
  await clock.advance(PATIENCE_MS + timing.ttlMs);
  expect(second.elector.term).toBeDefined();
  await clock.advance(10 * MINUTE_MS);
  expect(second.history).toHaveLength(1);
  expect(first.history).toEqual([]);
});

it('who cannot write does not stand, says why, and is not taken for a standby', async () => {
  const first = start('first', new TestCluster());
  await clock.advance(10_000);
  const cluster = broken();
  cluster.permit = { scope: 'single', term: 1, clusterId: cluster.id, drainMs: 0, renewedAt: 0, ttlMs: 15_000 };
  const second = start('second', cluster);
  await clock.advance(10_000);
  first.kill();
  await clock.advance(2 * timing.ttlMs);
  expect(second.elector.record?.holder).toBe('first');
  expect(second.elector.standing).toBe('its cluster does not accept writes: etcdserver: mvcc: database space exceeded');
  expect(second.presence.peers.find(({ identity }) => identity === 'second')?.mayLead).toBe(false);
  const third = start('third', new TestCluster());
  await clock.advance(2 * timing.ttlMs + 1000);
  expect(third.elector.term).toBeDefined();
});

it('where nobody can write nobody leads, tries stay few, and somebody leads soon after the cluster has healed', async () => {
  const cluster = broken();
  const all = ['a', 'b', 'c'].map((identity) => start(identity, cluster));
  await clock.advance(30 * MINUTE_MS);
  expect(elections(...all)).toBe(0);
  cluster.tries = 0;
  await clock.advance(10 * MINUTE_MS);
  expect(cluster.tries).toBeLessThan(3 * 10 * 4.5);
  cluster.takesWrites = true;
  await clock.advance(timing.ttlMs + 5000);
  expect(all.filter(({ elector }) => elector.term)).toHaveLength(1);
});

it('who is alone keeps the lease, and acts when its cluster takes writes again', async () => {
  const cluster = broken();
  const alone = start('alone', cluster);
  await clock.advance(5 * MINUTE_MS);
  expect(alone.elector.record?.holder).toBe('alone');
  cluster.takesWrites = true;
  await clock.advance(2000);
  expect(elections(alone)).toBe(1);
});

it('who leads and can write no more gives the lease up, and stands again when it can', async () => {
  const [one, other] = [new TestCluster(), new TestCluster()];
  const first = start('first', one);
  await clock.advance(1000);
  const second = start('second', other);
  await clock.advance(MINUTE_MS);
  one.takesWrites = false;
  await clock.advance(2 * PATIENCE_MS);
  expect(first.history.at(-1)).toContain('its cluster has not accepted a write for 45 s: etcdserver');
  expect(second.elector.term).toBeDefined();
  one.takesWrites = true;
  await clock.advance(MINUTE_MS);
  expect(first.elector.unfitBecause).toBeUndefined();
  second.kill();
  await clock.advance(timing.ttlMs + 500);
  expect(first.elector.term).toBeDefined();
});

it('a short refusal costs nothing', async () => {
  const cluster = new TestCluster();
  const first = start('first', cluster);
  await clock.advance(1000);
  start('second', new TestCluster());
  await clock.advance(MINUTE_MS);
  cluster.takesWrites = false;
  await clock.advance(30_000);
  cluster.takesWrites = true;
  await clock.advance(10 * MINUTE_MS);
  expect(first.history).toHaveLength(1);
});

it('where several clusters share the tenant another one leads, after it has waited', async () => {
  const [east, west] = [new TestCluster('east'), new TestCluster('west')];
  const first = start('first', east, { takeover: 'bounded' });
  await clock.advance(1000);
  const second = start('second', west, { takeover: 'bounded' });
  await clock.advance(MINUTE_MS);
  expect(first.elector.record?.scope).toBe('multi');
  east.takesWrites = false;
  await clock.advance(PATIENCE_MS + 2 * timing.ttlMs + east.drainMs + 20_000);
  expect(second.elector.term).toBeDefined();
});

it('pauses grow while tries are refused, to a ttl, and start anew for who has acted', async () => {
  const cluster = broken();
  cluster.permit = { scope: 'single', term: 1, clusterId: cluster.id, drainMs: 0, renewedAt: 0, ttlMs: 15_000 };
  const pauses: number[] = [];
  const alone = start('alone', cluster);
  for (let last = 0, tried = clock.monotonic(); pauses.length < 5; await clock.advance(100)) {
    if (cluster.tries === last) continue;
    if (last > 0) pauses.push(Math.round((clock.monotonic() - tried) / 1000));
    [last, tried] = [cluster.tries, clock.monotonic()];
  }
  expect(pauses).toEqual([2, 4, 8, 15, 15]);
  cluster.takesWrites = true;
  await clock.advance(5 * MINUTE_MS);
  expect(elections(alone)).toBe(1);
});
