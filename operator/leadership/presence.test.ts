import { beforeEach, expect, it } from 'vitest';
import { cellKeys } from '../lease/cell-store.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { setBack } from '../lease/testing/set-back.ts';
import { silentLogger } from '../lib/logger.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import type { PresenceOptions } from './presence.ts';
import { isStandby, Presence } from './presence.ts';
import type { PresenceRecord } from './presence-record.ts';

const call = { timeoutMs: 1000 };

let clock: FakeClock;
let store: MemoryStore;
let heard: string[];

function options(tenant: string, claims: readonly string[] = []): PresenceOptions {
  return {
    tenant,
    identity: `${tenant}-1`,
    cluster: { id: 'east', name: 'default' },
    store,
    clock,
    logger: silentLogger,
    periodMs: 5000,
    highestStamp: () => 0,
    mayLead: () => true,
    claims,
    onNeighbours: () => heard.push(tenant),
    onLoss: () => {},
  };
}

function presence(tenant: string, claims: readonly string[] = []): Presence {
  return new Presence(options(tenant, claims));
}

beforeEach(() => {
  clock = new FakeClock();
  store = new MemoryStore(clock);
  heard = [];
});

it('tells which other tenants have controllers in this cluster, in one order for everybody', async () => {
  const all = ['c', 'a', 'b'].map((tenant) => presence(tenant, ['shared', tenant]));
  for (const each of all) await each.announce();
  for (const each of all) await each.look(call);
  expect(all.map((each) => each.neighbours.others.map(({ name }) => name))).toEqual([
    ['a', 'b'],
    ['b', 'c'],
    ['a', 'c'],
  ]);
  expect(all[1]?.neighbours.others[1]).toEqual({
    name: 'c',
    lives: true,
    claims: new Set(['shared', 'c']),
    watches: undefined,
  });
  expect(all[0]?.peers.map(({ identity }) => identity)).toEqual(['c-1']);
});

it('does not take controllers of other clusters for neighbours', async () => {
  const far = new Presence({ ...options('far'), cluster: { id: 'west', name: 'default' } });
  await far.announce();
  const mine = presence('default');
  await mine.look(call);
  expect(mine.neighbours.others).toEqual([]);
});

it('knows what a tenant looks at by all its controllers', async () => {
  const first = new Presence({ ...options('a'), identity: 'a-1', watches: ['x'] });
  const second = new Presence({ ...options('a'), identity: 'a-2', watches: ['y'] });
  const mine = presence('default');
  for (const each of [first, second]) await each.announce();
  await mine.look(call);
  expect(mine.neighbours.others[0]?.watches).toEqual(new Set(['x', 'y']));
  await new Presence({ ...options('a'), identity: 'a-3' }).announce(); // looks at all
  await mine.look(call);
  expect(mine.neighbours.others[0]?.watches).toBeUndefined();
});

it('says so once when that changes, whatever the order in which the store lists them, and skips what it cannot read', async () => {
  const [first, second] = [presence('a', ['shared']), presence('b', ['shared'])];
  const mine = presence('default');
  for (const each of [first, second]) await each.announce();
  await mine.look(call);
  const unreadable = ['{"beat":1,"claims":["shared"]}', '{}', 'null', '{"claims":7}'];
  for (const [index, text] of unreadable.entries())
    await store.write(cellKeys.presence('c', `c-${index}`), text, undefined, call);
  const borrowed = JSON.stringify({ identity: 'x', cluster: { id: 'east', name: 'd' }, highestStamp: 0, beat: 1 });
  await store.write(cellKeys.presence('c', 'not-x'), borrowed, undefined, call);
  await store.write(cellKeys.presence('No tenant has this name', 'x'), borrowed, undefined, call);
  await first.announce();
  await mine.look(call);
  expect(heard).toEqual(['default']);
});

it('counts on a tenant for a minute after it left, and calls it dead when it has not been heard of for one', async () => {
  const [mine, leaver, crashed] = [presence('default'), presence('leaver'), presence('crashed')];
  const leaving = leaver.run();
  await clock.settle();
  await crashed.announce();
  await mine.look(call);
  leaver.stop();
  await clock.settle();
  await leaving;
  const known = async (seconds: number) => {
    await clock.advance(seconds * 1000);
    await mine.look(call);
    return mine.neighbours.others.map(({ name, lives }) => `${name} ${lives}`);
  };
  expect(await known(59)).toEqual(['crashed true', 'leaver true']);
  expect(await known(2)).toEqual(['crashed false']);
  expect(await known(3500)).toEqual(['crashed false']);
  expect(await known(100)).toEqual([]);
});

it('is settled a period after it has been seen, and says so', async () => {
  const mine = presence('default');
  const running = mine.run();
  await clock.advance(4900);
  expect([mine.neighbours.isSettled, heard]).toEqual([false, []]);
  await clock.advance(200);
  expect([mine.neighbours.isSettled, heard]).toEqual([true, ['default']]);
  mine.stop();
  await clock.settle();
  await running;
});

it('says at once when it could lead again, or no more', async () => {
  let mayLead = true;
  const mine = new Presence({ ...options('default'), mayLead: () => mayLead });
  const told = async () => {
    const { cell } = await store.read(cellKeys.presence('default', 'default-1'), call);
    return cell && (JSON.parse(cell.value) as PresenceRecord).mayLead;
  };
  const running = mine.run();
  await clock.advance(100);
  expect(await told()).toBe(true);
  for (const next of [false, true]) {
    mayLead = next;
    await clock.advance(1000);
    expect(await told()).toBe(next);
  }
  mine.stop();
  await clock.settle();
  await running;
});

it('looks around although another tenant has written something else', async () => {
  await store.write(cellKeys.presence('other', 'x'), 'no JSON', undefined, call);
  const mine = presence('default');
  await mine.announce();
  await mine.look(call);
  expect(mine.peers).toHaveLength(1);
});

it("calls nobody alive who has written nothing for a lease, although the store's clock was set back", async () => {
  const mine = new Presence({ ...options('default'), identity: 'default-2', store: setBack(store) });
  const other = presence('default');
  const ttlMs = 15_000;
  const lives = async () => {
    await mine.look(call);
    return mine.peers.map((peer) => isStandby(peer, ttlMs));
  };
  await other.announce();
  expect(await lives()).toEqual([true]);
  await clock.advance(ttlMs - 1);
  expect(await lives()).toEqual([true]);
  await clock.advance(1);
  expect(await lives()).toEqual([false]);
  await other.announce();
  expect(await lives()).toEqual([true]);
});
