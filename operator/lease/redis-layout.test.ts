import { describe, expect, test } from 'vitest';
import { clusterLayout, masterLayout, slotOf } from './redis-layout.ts';

// As a server of version 7 answers `CLUSTER KEYSLOT`.
test.for([
  ['highlander-leader-lock:default', 3437],
  ['123456789', 12_739],
  ['{team}:highlander-leader-lock:default', 15_631],
  ['team', 15_631],
  ['a{b}{c}', 3300],
  ['b', 3300],
  ['{}x', 10_595],
  ['grün', 14_522],
] as const)('the slot of %s is %d', ([key, slot]) => {
  expect(slotOf(key)).toBe(slot);
});

describe('a cluster', () => {
  const slots = [
    [5461, 16_383, ['10.0.0.2', 7001, 'b', []], ['10.0.0.3', 7002, 'c', []]],
    [0, 5460, ['10.0.0.1', 7000, 'a', []]],
  ];

  test('tells the server of a key, and where it is', () => {
    const layout = clusterLayout(slots, 'asked');
    expect(layout.ownerOf('123456789')).toBe('b');
    expect(layout.ownerOf('highlander-leader-lock:default')).toBe('a');
    expect([...layout.servers]).toEqual([
      ['b', { host: '10.0.0.2', port: 7001 }],
      ['a', { host: '10.0.0.1', port: 7000 }],
    ]);
  });

  test.for([[''], [null]])('whose host is told as %j is at the host that was asked', ([host]) => {
    const { servers } = clusterLayout([[0, 16_383, [host, 7000, 'a', []]]], 'asked');
    expect(servers.get('a')).toEqual({ host: 'asked', port: 7000 });
  });

  test('may have slots that nobody holds', () => {
    expect(clusterLayout(slots.slice(1), 'asked').ownerOf('123456789')).toBeUndefined();
    expect(clusterLayout([], 'asked').servers.size).toBe(0);
  });
});

test('a master holds every key', () => {
  const layout = masterLayout(['::1', '6379']);
  expect(layout?.ownerOf('any')).toBe('[::1]:6379');
  expect(layout?.servers.get('[::1]:6379')).toEqual({ host: '::1', port: 6379 });
  expect(masterLayout(null)).toBeUndefined();
});
