import { expect, it } from 'vitest';
import { assertDistinct } from './clusters.ts';

const TTL_MS = 15_000;
const peer = (id: string, name: string, ageMs = 1000) => ({ identity: 'other-1', cluster: { id, name }, ageMs });
const check =
  (own: { id: string; name: string }, ...peers: ReturnType<typeof peer>[]) =>
  () =>
    assertDistinct(own, peers, TTL_MS);

it('clusters that nobody named work side by side', () => {
  expect(check({ id: 'a', name: 'default' }, peer('b', 'default'), peer('a', 'east'))).not.toThrow();
});

it('each name is one cluster, and each cluster has one name', () => {
  expect(check({ id: 'a', name: 'east' }, peer('a', 'east'), peer('b', 'west'), peer('c', 'default'))).not.toThrow();
  expect(check({ id: 'a', name: 'east' }, peer('b', 'east'))).toThrow(
    'cluster.name: "east" conflicts with controller other-1: "east" is a here and b there',
  );
  expect(check({ id: 'a', name: 'east' }, peer('a', 'west'))).toThrow(
    'this cluster (a) is "east" here and "west" there',
  );
});

it('controllers that are gone do not count', () => {
  expect(check({ id: 'a', name: 'east' }, peer('b', 'east', TTL_MS + 1))).not.toThrow();
});
