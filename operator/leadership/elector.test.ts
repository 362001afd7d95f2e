import { beforeEach, describe, expect, it } from 'vitest';
import { cellKeys } from '../lease/cell-store.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { decodeRecord } from './lease-record.ts';
import type { Contender } from './testing/contender.ts';
import { TestCluster, contend, timing } from './testing/contender.ts';

const START = Math.floor(Date.UTC(2030, 0, 1) / 1000);
const LEASE = cellKeys.lease('default');

let clock: FakeClock;
let store: MemoryStore;
let cluster: TestCluster;

beforeEach(() => {
  clock = new FakeClock();
  store = new MemoryStore(clock);
  cluster = new TestCluster();
});

const start = (identity: string, on = cluster): Contender => contend({ identity, clock, store, cluster: on });
const leaders = (...all: Contender[]): string[] => all.filter((c) => c.elector.term).map((c) => c.identity);
const record = () => decodeRecord(store.snapshot().get(LEASE)?.value ?? '');

describe('acquiring', () => {
  it('leads at once when neither the store nor the cluster has seen the tenant', async () => {
    const a = start('a');
    await clock.settle();
    expect(a.history).toEqual([`elected ${START + 1}`]);
    expect(record()).toMatchObject({ holder: 'a', scope: 'single', release: 'none' });
    expect(cluster.permit).toMatchObject({ scope: 'single', drainMs: 30_000, term: START + 1 });
  });

  it('announces a longer grace before its pods start, and keeps it for whoever leads after a crash', async () => {
    const a = start('a');
    await clock.advance(2000);
    const allowed = a.elector.term?.allowGrace(90_000);
    await clock.settle();
    await allowed;
    expect(record()).toMatchObject({ holder: 'a', drainMs: 90_000 });
    a.kill();
    start('b');
    await clock.advance(40_000);
    expect(record()).toMatchObject({ holder: 'b', drainMs: 90_000 });
  });

  it('has one winner among ten', async () => {
    const all = Array.from({ length: 10 }, (_, i) => start(`c${i}`));
    await clock.advance(60_000);
    expect(leaders(...all)).toHaveLength(1);
    expect(all.flatMap((c) => c.history)).toHaveLength(1);
  });

  it('waits ttl and drain when the record is gone but the cluster has seen the tenant', async () => {
    cluster.permit = {
      scope: 'single',
      clusterId: cluster.id,
      drainMs: 40_000,
      term: START - 100,
      renewedAt: 0,
      ttlMs: 15_000,
    };
    const a = start('a');
    await clock.advance(55_000);
    expect(leaders(a)).toEqual([]);
    await clock.advance(1000);
    expect(leaders(a)).toEqual(['a']);
  });

  it('lifts the term above every stamp in its own cluster and above those its peers report', async () => {
    cluster.stamp = START + 500;
    const a = start('a');
    await clock.settle();
    expect(a.history).toEqual([`elected ${START + 501}`]);
  });

  it('does not lead while its API server does not answer', async () => {
    cluster.reachable = false;
    const a = start('a');
    await clock.advance(30_000);
    expect(leaders(a)).toEqual([]);
    cluster.reachable = true;
    await clock.advance(3000);
    expect(leaders(a)).toEqual(['a']);
  });

  it('never leads when told to remain a follower', async () => {
    const a = contend({ identity: 'a', clock, store, cluster, remainsFollower: true });
    await clock.advance(60_000);
    expect(leaders(a)).toEqual([]);
  });

  it('takes no record of another cluster by the timer', async () => {
    const a = start('a');
    await clock.settle();
    a.elector.demote('test');
    a.elector.leave();
    await clock.settle();
    const b = start('b', new TestCluster('cluster-b'));
    await clock.advance(600_000);
    expect(leaders(b)).toEqual([]);
    expect(b.elector.standing).toContain('cluster-a');
  });

  it('refuses to take a cell that somebody else uses', async () => {
    await store.write(LEASE, 'controller-7', undefined, { timeoutMs: 1 });
    const a = start('a');
    await clock.advance(120_000);
    expect(leaders(a)).toEqual([]);
  });
});

describe('holding', () => {
  it('keeps its term through an outage of the store that ends before the deadline', async () => {
    const a = start('a');
    await clock.advance(20_000);
    store.reachable = false;
    await clock.advance(9000);
    store.reachable = true;
    await clock.advance(60_000);
    expect(a.history).toEqual([`elected ${START + 1}`]);
  });

  it('stops at its own deadline when the store does not answer, before anybody else may start', async () => {
    const a = start('a');
    const b = start('b');
    await clock.advance(20_000);
    const [leader, other] = a.elector.term ? [a, b] : [b, a];
    store.reachable = false;
    await clock.advance(14_850);
    expect(leader.elector.term).toBeUndefined();
    store.reachable = true;
    await clock.advance(500);
    expect(other.elector.term).toBeUndefined();
  });

  it('goes on when the reply of a renewal was lost', async () => {
    const a = start('a');
    await clock.advance(1000);
    store.answersWrites = false;
    await clock.advance(3000);
    store.answersWrites = true;
    await clock.advance(60_000);
    expect(a.history).toEqual([`elected ${START + 1}`]);
  });

  it('steps down when everything vanishes under it, and waits from the last finding on before it leads again', async () => {
    const a = start('a');
    await clock.advance(1000);
    store.restore(new Map());
    await clock.advance(3000);
    expect(a.history).toEqual([`elected ${START + 1}`, `lost ${START + 1}: the record is gone`]);
    await clock.advance(timing.ttlMs + cluster.drainMs - 4000);
    expect(a.history).toHaveLength(2);
    await clock.advance(6000);
    expect(a.history).toHaveLength(3);
    expect(a.elector.term?.number).toBeGreaterThan(START + 1);
  });

  it('does not count a renewal that a rolled-back store accepted in another incarnation', async () => {
    const a = start('a');
    await clock.advance(1000);
    store.restore(store.snapshot(), 'second');
    await clock.advance(2000);
    expect(a.history.at(-1)).toBe(`lost ${START + 1}: the store may have lost writes`);
  });

  it('notices a loss by its own presence record although the lease looks well', async () => {
    const a = start('a');
    await clock.advance(1000);
    const lease = store.snapshot().get(LEASE);
    if (!lease) throw new Error('no lease');
    store.restore(new Map([[LEASE, lease]]));
    await clock.advance(6000);
    expect(a.history.at(-1)).toBe(`lost ${START + 1}: the store may have lost writes`);
  });

  it('begins a later term than any before although the store went back to an older record', async () => {
    const a = start('a');
    await clock.advance(1000);
    const backup = store.snapshot();
    a.kill();
    const b = start('b');
    await clock.advance(20_000);
    expect(b.history).toEqual([`elected ${START + 2}`]);
    b.kill();
    store.restore(backup, 'promoted replica');
    const c = start('c');
    await clock.advance(120_000);
    expect(c.history).toEqual([`elected ${START + 3}`]);
  });

  it('steps down when a later term is seen on an object', async () => {
    const a = start('a');
    await clock.advance(1000);
    a.elector.demote('object carries term 9');
    expect(a.elector.term).toBeUndefined();
  });

  it('is replaced in time by a standby that had seen the store empty at the start', async () => {
    cluster.reachable = false;
    const b = start('b');
    await clock.advance(100);
    cluster.reachable = true;
    const a = start('a');
    await clock.advance(10_000);
    a.kill();
    await clock.advance(timing.ttlMs + 500);
    expect(b.history).toEqual([`elected ${START + 2}`]);
  });

  it('does not take a lost record for a new tenant because the cluster knew nothing when it started', async () => {
    const a = start('a');
    const b = start('b');
    await clock.advance(10_000);
    const [leader, other] = a.elector.term ? [a, b] : [b, a];
    leader.kill();
    store.restore(new Map());
    await clock.advance(30_000);
    expect(other.elector.term).toBeUndefined();
    await clock.advance(30_000);
    expect(other.elector.term).toBeDefined();
  });
});

describe('handing over', () => {
  it('lets a standby take over at once after a release, with a later term', async () => {
    const a = start('a');
    await clock.settle();
    const b = start('b');
    await clock.advance(10_000);
    a.elector.leave();
    await clock.settle();
    expect(leaders(a, b)).toEqual(['b']);
    expect(b.history).toEqual([`elected ${START + 2}`]);
  });

  it('lets a standby take over soon although the first release did not arrive', async () => {
    const a = start('a');
    await clock.settle();
    const b = start('b');
    await clock.advance(10_100);
    store.reachable = false;
    a.elector.leave();
    await clock.advance(1000);
    store.reachable = true;
    await clock.advance(3500);
    expect(leaders(a, b)).toEqual(['b']);
  });

  it('never leads twice under one identity, should a name be given to two processes', async () => {
    const [a, b] = [start('same'), start('same')];
    for (let second = 0; second < 60; second++) {
      await clock.advance(1000);
      expect(leaders(a, b).length).toBeLessThan(2);
    }
  });

  it('lets a standby take over within half a second of the expiry when the leader dies', async () => {
    const a = start('a');
    await clock.settle();
    const b = start('b');
    await clock.advance(10_500);
    a.kill();
    await clock.advance(timing.ttlMs + 500);
    expect(b.history).toEqual([`elected ${START + 2}`]);
  });

  it('finds itself a follower after a SIGSTOP longer than its lease, and writes nothing more', async () => {
    const a = start('a');
    await clock.settle();
    const { term } = a.elector;
    clock.suspend({ monotonic: 60_000, wall: 60_000 });
    expect(() => term?.assertHeld()).toThrow('deadline');
    await expect(a.guard.enter()).rejects.toThrow();
    expect(a.elector.term).toBeUndefined();
  });

  it('pauses writes when a suspended machine stopped one clock, until the next renewal', async () => {
    const a = start('a');
    await clock.advance(1000);
    clock.jumpWall(5000);
    expect(() => a.elector.term?.assertHeld()).toThrow('clocks moved apart');
    await clock.advance(2000);
    expect(() => a.elector.term?.assertHeld()).not.toThrow();
  });
});
