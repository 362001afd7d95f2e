/** Tenants that come and go, do not see each other, or see each other late: never two of them act on one workload. */
import { describe, expect, it } from 'vitest';
import { Chance } from '../sim/chance.ts';
import type { Rival, RivalOptions } from './testing/rivals.ts';
import { PERIOD_MS, Rivals } from './testing/rivals.ts';

const TENANTS = ['default', 'production', 'staging'];

function options(chance: Chance): readonly RivalOptions[] {
  const absent = chance.pick([...TENANTS, 'nobody']);
  return TENANTS.filter((name) => name !== absent).map((tenant) => ({
    tenant,
    store: chance.hits(0.3) ? 1 : 0,
    claims: chance.hits(0.25) ? ['apps'] : [],
  }));
}

/** What a tenant does by itself. */
const DAILY: readonly (readonly [weight: number, act: (rival: Rival, chance: Chance) => unknown])[] = [
  [6, (rival) => rival.reconcile()],
  [4, (rival) => rival.hear()],
  [2, (rival) => rival.hearOfWorkload()],
  [3, (rival) => rival.look()],
  [2, (rival) => rival.announce()],
  [1, (rival) => rival.loseRecord()],
  [3, (rival) => rival.speak()],
  [2, (rival) => (rival.isUp ? undefined : rival.join())],
  [1, (rival, chance) => rival.leave(chance.hits(0.5))],
];

async function step(world: Rivals, chance: Chance): Promise<void> {
  const weights = DAILY.map(([weight]) => weight);
  let at = chance.between(0, weights.reduce((a, b) => a + b) + 4);
  const act = DAILY.find(([weight]) => (at -= weight) < 0)?.[1];
  if (act) await act(chance.pick(world.all), chance);
  else if (at < 2) world.runPod();
  else await world.clock.advance(chance.skewed(1, 3 * PERIOD_MS));
}

/** All are up, see what can be seen, and hear of everything at once. Resolves to the writes of the last rounds. */
async function settle(world: Rivals): Promise<readonly string[]> {
  for (const each of world.all) if (!each.isUp) await each.join();
  for (let round = 0; round < 34; round++) {
    await world.clock.advance(PERIOD_MS);
    if (round === 29) world.cluster.writes.length = 0;
    for (const each of world.all) await each.announce();
    for (const each of world.all) {
      await each.look();
      each.hear();
      await each.reconcile();
      await each.speak();
    }
    world.runPod();
  }
  return world.cluster.writes.map(({ verb, kind }) => `${verb} ${kind}`);
}

const STEPS = 120;
const seeds = Array.from({ length: 150 }, (_, seed) => seed);

describe('one workload without a label', () => {
  it('is run by one tenant from the first moment on, whoever joins, leaves or is not seen, and statuses come to rest', async () => {
    const outcomes = new Set<string>();
    for (const seed of seeds) {
      const chance = new Chance(seed);
      const world = new Rivals(options(chance));
      let pod: string | undefined;
      const check = () => {
        const uid = world.pod?.metadata.uid;
        if (pod !== undefined && uid !== pod) throw new Error(`seed ${seed}: the pod was replaced`);
        pod = uid;
      };
      for (let taken = 0; taken < STEPS; taken++) {
        await step(world, chance);
        if (chance.hits(0.01)) world.loseStatus();
        check();
      }
      expect([seed, await settle(world)]).toEqual([seed, []]);
      check();
      expect([seed, world.holder]).toEqual([seed, world.acting ?? world.holder]);
      const reasons = world.acting === undefined ? ['Unclaimed', 'ClaimedByTwoTenants'] : ['Running'];
      expect(reasons, `seed ${seed}`).toContain(world.conditions['Ready']);
      expect(world.conditions['Unclaimed'] !== undefined).toBe(world.conditions['Ready'] === 'Unclaimed');
      outcomes.add(world.acting ?? 'nobody');
    }
    expect([...outcomes].toSorted()).toEqual(['default', 'nobody', 'production', 'staging']);
  }, 120_000);

  it('follows a label, whenever that comes', async () => {
    for (const seed of seeds.slice(0, 60)) {
      const chance = new Chance(seed);
      const world = new Rivals(options(chance));
      for (let taken = 0; taken < STEPS; taken++) {
        await step(world, chance);
        if (chance.hits(0.03)) world.label(chance.hits(0.3) ? undefined : chance.pick(world.all).tenant);
      }
      const owner = chance.pick(world.all).tenant;
      world.label(owner);
      expect([seed, await settle(world)]).toEqual([seed, []]);
      expect([seed, world.acting, world.holder]).toEqual([seed, owner, owner]);
    }
  }, 120_000);
});

describe('a workload on which nobody acts says so', () => {
  it('where two tenants are there, and neither is default: until one of them takes it', async () => {
    const world = new Rivals([{ tenant: 'staging' }, { tenant: 'production' }]);
    expect(await settle(world)).toEqual([]);
    expect(world.conditions).toEqual({ Ready: 'Unclaimed', Stalled: 'Unclaimed', Unclaimed: 'Unclaimed' });
    expect(world.message).toContain('tenants with a controller here: production, staging');
    expect(world.message).toContain('Set the label highlander.plexobject.io/tenant to one of them');
    expect(world.holder).toBeUndefined();
    world.label('staging');
    expect(await settle(world)).toEqual([]);
    expect([world.acting, world.conditions]).toEqual(['staging', { Ready: 'Running' }]);
  });

  it('where its label names a tenant that is not there', async () => {
    const world = new Rivals([{ tenant: 'default' }, { tenant: 'production' }]);
    world.label('prodution');
    expect(await settle(world)).toEqual([]);
    expect(world.conditions['Unclaimed']).toBe('TenantNotHere');
    expect(world.message).toContain('tenant prodution (by its label highlander.plexobject.io/tenant)');
    expect(world.message).toContain('tenants with a controller here: default, production');
  });

  it('where its tenant has left for good: what runs goes on, and its status keeps what that tenant must know', async () => {
    const world = new Rivals([{ tenant: 'default' }, { tenant: 'production' }]);
    const [fallback, production] = world.all;
    await fallback?.join();
    await fallback?.reconcile();
    world.runPod();
    fallback?.hear();
    await fallback?.reconcile();
    const pod = world.pod?.metadata.uid;
    await fallback?.leave(true);
    await production?.join();
    for (let round = 0; round < 40; round++) {
      await world.clock.advance(PERIOD_MS);
      await production?.announce();
      await production?.look();
      production?.hear();
      await production?.speak();
    }
    expect(world.conditions['Unclaimed']).toBe('TenantNotHere');
    expect(world.message).toContain('tenant default (by its status.controller)');
    expect([world.pod?.metadata.uid, world.holder, world.workload?.status?.active]).toEqual([pod, 'default', true]);
    await settle(world);
    expect([world.acting, world.conditions]).toEqual(['default', { Ready: 'Running' }]);
  });

  it('where its tenant has another name now: a label moves it, and what runs runs on', async () => {
    const world = new Rivals([{ tenant: 'default' }, { tenant: 'production' }]);
    const [before, after] = world.all;
    await before?.join();
    await before?.reconcile();
    world.runPod();
    await before?.leave(true);
    await after?.join();
    await after?.reconcile();
    expect(world.acting).toBe('default');
    const pod = world.pod?.metadata.uid;
    world.label('production');
    for (let look = 0; look < 2; look++) {
      after?.hear();
      await after?.reconcile();
    }
    expect([world.acting, world.conditions]).toEqual(['production', { Ready: 'Running' }]);
    expect(world.pod?.metadata.uid).toBe(pod);
  });

  it('once, where its tenant cannot be seen but acts: whoever acts has the last word', async () => {
    const world = new Rivals([
      { tenant: 'production', store: 0 },
      { tenant: 'staging', store: 1 },
    ]);
    world.label('staging');
    expect(await settle(world)).toEqual([]);
    expect([world.acting, world.conditions]).toEqual(['staging', { Ready: 'Running' }]);
  });
});

it('is taken by the only tenant there is a period after that came, and not by one of two', async () => {
  const world = new Rivals([{ tenant: 'production' }, { tenant: 'staging' }]);
  const [production, staging] = world.all;
  await production?.join();
  await production?.reconcile();
  expect(world.acting).toBeUndefined();
  await staging?.join();
  for (let round = 0; round < 3; round++) {
    await world.clock.advance(PERIOD_MS);
    for (const each of world.all) await each.look();
    for (const each of world.all) await each.reconcile();
  }
  expect(world.acting).toBeUndefined();
  await staging?.leave(true);
  await world.clock.advance(70_000);
  await production?.look();
  await production?.reconcile();
  expect([world.acting, world.holder]).toEqual(['production', 'production']);
});

it('of two tenants that each take themselves for the only one, the first to write has it', async () => {
  const world = new Rivals([
    { tenant: 'production', store: 0 },
    { tenant: 'staging', store: 1 },
  ]);
  for (const each of world.all) await each.join();
  await world.clock.advance(PERIOD_MS);
  for (const each of world.all) await each.look();
  await Promise.all(world.all.map((each) => each.reconcile()));
  const writes = world.cluster.writes.map(({ verb, kind }) => `${verb} ${kind}`);
  expect(writes.filter((each) => each === 'create Pod')).toHaveLength(1);
  expect([world.acting, world.holder]).toEqual(['production', 'production']);
});
