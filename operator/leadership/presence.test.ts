import { beforeEach, expect, it } from 'vitest';
import { cellKeys } from '../lease/cell-store.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { silentLogger } from '../lib/logger.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import type { PresenceOptions } from './presence.ts';
import { Presence } from './presence.ts';
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
    onClaims: () => heard.push(tenant),
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

it('tells which other tenants claim a namespace, in one order for everybody', async () => {
  const all = ['c', 'a', 'b'].map((tenant) => presence(tenant, ['shared', tenant]));
  for (const each of all) await each.announce();
  for (const each of all) await each.look(call);
  expect(all.map((each) => each.claimedBy('shared'))).toEqual([
    ['a', 'b'],
    ['b', 'c'],
    ['a', 'c'],
  ]);
  expect(all[0]?.claimedBy('c')).toEqual([]);
  expect(all[0]?.peers.map(({ identity }) => identity)).toEqual(['c-1']);
});

it('says so once when that changes, whatever the order in which the store lists them', async () => {
  const [first, second] = [presence('a', ['shared']), presence('b', ['shared'])];
  const mine = presence('default');
  for (const each of [first, second]) await each.announce();
  await mine.look(call);
  await store.write(cellKeys.presence('a', 'a-2'), '{"beat":1,"claims":["shared"]}', undefined, call);
  await first.announce();
  await mine.look(call);
  expect(heard).toEqual(['default']);
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
