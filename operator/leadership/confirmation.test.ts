/** How long a person's word counts: a tenant that one cluster held lets nobody of another one in without it. */
import { beforeEach, expect, it } from 'vitest';
import { cellKeys } from '../lease/cell-store.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { TenantDesk } from './tenant-desk.ts';
import { contend, TestCluster, timing } from './testing/contender.ts';

const CALL = { timeoutMs: 1000 };
const LEASE = cellKeys.lease('default');

let clock: FakeClock;
let store: MemoryStore;

const start = (identity: string, cluster: string) =>
  contend({ identity, clock, store, cluster: new TestCluster(cluster) });

/** The controller of cluster-a died a while ago, and a person says so. */
beforeEach(async () => {
  clock = new FakeClock();
  store = new MemoryStore(clock);
  const last = start('a', 'cluster-a');
  await clock.advance(10_000);
  last.kill();
  await clock.advance(timing.ttlMs + 1000);
  await new TenantDesk(store, 'default', CALL).confirmStopped('cluster-a');
});

it('lets another cluster in', async () => {
  const b = start('b', 'cluster-b');
  await clock.advance(30_000);
  expect(b.elector.term).toBeDefined();
});

it('does not when the lease was written since, though its term is the same', async () => {
  const { cell } = await store.read(LEASE, CALL);
  await store.write(LEASE, cell?.value ?? '', cell?.version, CALL);
  const b = start('b', 'cluster-b');
  await clock.advance(120_000);
  expect(b.elector.term).toBeUndefined();
  expect(b.elector.standing).toContain('highlander confirm-stopped --cluster cluster-a');
});

it('does not eleven minutes later, nor does it stay in the store', async () => {
  const b = contend({ identity: 'b', clock, store, cluster: new TestCluster('cluster-b'), remainsFollower: true });
  await clock.advance(11 * 60_000);
  const c = start('c', 'cluster-b');
  await clock.advance(120_000);
  expect(c.elector.term).toBeUndefined();
  expect(b.presence.peers.map(({ identity }) => identity)).not.toContain('confirmed-cluster-a');
});
