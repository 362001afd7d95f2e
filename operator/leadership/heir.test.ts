import { describe, expect, it } from 'vitest';
import { Failback } from './failback.ts';
import { heirOf } from './heir.ts';
import type { Peer } from './presence.ts';

const TTL_MS = 15_000;
const EAST = { id: 'e', name: 'east' };
const WEST = { id: 'w', name: 'west' };
const peer = (identity: string, more: Partial<Peer> = {}): Peer => ({
  identity,
  cluster: EAST,
  highestStamp: 0,
  beat: 1,
  mayLead: true,
  ageMs: 1000,
  ...more,
});
const PEERS = [peer('w1', { cluster: WEST }), peer('e2'), peer('e1'), peer('e3', { mayLead: false })];
const heir = (wish: object, peers = PEERS) =>
  heirOf({ leader: { identity: 'e1', cluster: EAST }, peers, wish, ttlMs: TTL_MS });

describe('who leads next', () => {
  it.each<[string, object, string, Peer[]?]>([
    ['nobody named: a standby beside the leader', {}, 'e2'],
    ['an identity', { to: 'w1' }, 'w1'],
    ['the id of a configuration', { to: 'w1' }, 'w1-0123abcd', [peer('w1-0123abcd'), peer('w1-other-0123abcd')]],
    ['a cluster by its name', { toCluster: 'west' }, 'w1'],
    ['a cluster by its identity', { toCluster: 'w' }, 'w1'],
  ])('%s', (_, wish, identity, peers = PEERS) => expect(heir(wish, peers).identity).toBe(identity));

  it('is in another cluster when nobody else is left', () => {
    expect(heir({}, [peer('e1'), peer('w1', { cluster: WEST })]).identity).toBe('w1');
  });

  it.each([
    [{ to: 'x' }, 'x is unknown; ready to lead: e2 (east), w1 (west)'],
    [{ to: 'e1' }, 'e1 is already the leader'],
    [{ to: 'e3' }, 'e3 is not ready to lead; ready to lead: e2 (east), w1 (west)'],
    [{ toCluster: 'north' }, 'a controller in cluster north is unknown; ready to lead: e2 (east), w1 (west)'],
  ])('cannot be %j', (wish, message) => expect(() => heir(wish)).toThrow(message));

  it('cannot be anybody when nobody else is alive', () => {
    const peers = [peer('e1'), peer('e2', { ageMs: TTL_MS }), peer('w1', { cluster: WEST, leaving: true })];
    expect(() => heir({}, peers)).toThrow('a controller is not ready to lead; no other controller is ready to lead');
  });
});

describe('failback', () => {
  const west = peer('w1', { cluster: WEST, priority: 5 });
  const failback = () => new Failback({ clusterId: 'e', priority: 1, ttlMs: TTL_MS, delayMs: 60_000 });

  it('waits until the better cluster has been ready for long enough, without a gap', () => {
    const waiting = failback();
    expect(waiting.heir([west], 0)).toBeUndefined();
    expect(waiting.heir([west], 59_000)).toBeUndefined();
    expect(waiting.heir([], 60_000)).toBeUndefined();
    expect(waiting.heir([west], 61_000)).toBeUndefined();
    expect(waiting.heir([west], 121_000)?.identity).toBe('w1');
  });

  it('goes to the best, and never to an equal or to its own cluster', () => {
    const best = peer('n1', { cluster: { id: 'n', name: 'north' }, priority: 9 });
    const peers = [
      west,
      best,
      peer('e2', { priority: 99 }),
      peer('s1', { cluster: { id: 's', name: 's' }, priority: 1 }),
    ];
    const waiting = failback();
    waiting.heir(peers, 0);
    expect(waiting.heir(peers, 60_000)?.identity).toBe('n1');
  });
});
