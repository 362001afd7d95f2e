import { describe, expect, it } from 'vitest';
import { annotations } from '../api/group.ts';
import type { KubeObject } from './cluster-client.ts';
import { ObjectStore, type StoreEvent } from './object-store.ts';
import { owned } from './testing/owned.ts';
import { TenantObjects } from './tenant-objects.ts';

function pod(name: string, version: number, graceSeconds: number, term = 1): KubeObject {
  const metadata = {
    ...owned,
    name,
    uid: name,
    resourceVersion: String(version),
    annotations: { [annotations.term]: `${term}` },
  };
  return { metadata, spec: { terminationGracePeriodSeconds: graceSeconds } } as KubeObject;
}

function tenant(...objects: readonly KubeObject[]) {
  const listeners: ((event: StoreEvent<KubeObject>) => void)[] = [];
  const store = new ObjectStore<KubeObject>((event) => listeners.forEach((tell) => tell(event)));
  for (const object of objects) store.upsert(object);
  const source = {
    list: () => store.list(),
    hasSynced: true,
    lastError: undefined as unknown,
    subscribe: (listener: (typeof listeners)[number]) => {
      listeners.push(listener);
      return () => {};
    },
  };
  return { store, source, objects: new TenantObjects([source]) };
}

it('knows the longest grace, and forgets that of a pod that is gone or has a shorter one', () => {
  const { store, objects } = tenant(pod('short', 1, 5));
  expect(objects.drainMs()).toBe(5000);
  store.upsert(pod('long', 2, 60));
  expect(objects.drainMs()).toBe(60_000);
  store.upsert(pod('longest', 3, 90));
  store.upsert(pod('longest', 4, 70));
  expect(objects.drainMs()).toBe(70_000);
  store.delete(pod('longest', 5, 70));
  expect(objects.drainMs()).toBe(60_000);
  store.delete(pod('long', 6, 60));
  expect(objects.drainMs()).toBe(5000);
});

it('lets nobody wait for years, whatever got a pod past the bound', () => {
  const { source } = tenant(pod('odd', 1, 1_000_000_000));
  const objects = new TenantObjects([source], undefined, 3_600_000);
  expect(objects.drainMs()).toBe(3_600_000);
  expect(objects.drainMs(7_200_000)).toBe(3_600_000);
  const late = pod('late', 1, 5);
  const deleted = { ...late, metadata: { ...late.metadata, deletionGracePeriodSeconds: 600 } };
  expect(new TenantObjects([tenant(deleted).source], undefined, 3_600_000).drainMs()).toBe(600_000);
});

it('never forgets the highest term, and knows those of objects that were there before', () => {
  const { store, objects } = tenant(pod('a', 1, 5, 7));
  expect(objects.highestStamp()).toBe(7);
  store.upsert(pod('b', 2, 5, 9));
  store.delete(pod('b', 3, 5, 9));
  expect(objects.highestStamp()).toBe(9);
});

describe('what anybody can write', () => {
  const stampOf = (object: KubeObject, known = 0) =>
    new TenantObjects([tenant(object).source], () => known).highestStamp();
  const stamped = (term: string, metadata: Partial<KubeObject['metadata']> = {}) => {
    const object = pod('a', 1, 5);
    return { ...object, metadata: { ...object.metadata, annotations: { [annotations.term]: term }, ...metadata } };
  };

  it.each(['soon', 'Infinity', '1e300', '-', '-5', '0x10', '9007199254740993', '7 ', '٧'])(
    'a stamp %j is none',
    (term) => {
      expect(stampOf(stamped(term))).toBe(0);
    },
  );

  it('a stamp on an object that is not a child of ours is none', () => {
    expect(stampOf(stamped('7', { ownerReferences: [] }))).toBe(0);
    expect(stampOf(stamped('7', { labels: {} }))).toBe(0);
    expect(stampOf(stamped('7'))).toBe(7);
  });

  it('a stamp far above what is known hides no other', () => {
    const { store, source } = tenant(stamped('999999999999999'));
    const objects = new TenantObjects([source], () => 1_800_000_000);
    store.upsert(pod('b', 2, 5, 1_800_000_009));
    expect(objects.highestStamp()).toBe(1_800_000_009);
  });

  it('a grace on an object that nobody here would stop delays nothing', () => {
    const foreign = pod('a', 1, 1_000_000_000);
    const { objects } = tenant({ ...foreign, metadata: { ...foreign.metadata, ownerReferences: [] } });
    expect(objects.drainMs()).toBe(0);
  });
});

it('is ready while each cache is complete and hears from the API server', () => {
  const { source, objects } = tenant();
  expect(objects.ready()).toBe(true);
  source.lastError = new Error('refused');
  expect(objects.ready()).toBe(false);
});

it('is ready with warm caches and an API server that answers the first of them', () => {
  const pods = tenant().source;
  const jobs = tenant().source;
  const objects = new TenantObjects([pods, jobs]);
  expect(objects.ready()).toBe(true);
  jobs.lastError = new Error('the watch ended');
  expect(objects.ready()).toBe(true);
  pods.lastError = jobs.lastError;
  expect(objects.ready()).toBe(false);
  pods.lastError = undefined;
  jobs.hasSynced = false;
  expect(objects.ready()).toBe(false);
});

it('counts what may have to be stopped', () => {
  const { store, source, objects } = tenant(pod('first', 1, 5));
  store.upsert(pod('second', 2, 5));
  store.upsert(pod('second', 3, 5));
  expect(objects.count).toBe(2);
  store.delete(pod('first', 4, 5));
  expect(objects.count).toBe(1);
  expect(new TenantObjects([source, source]).count).toBe(2);
});
