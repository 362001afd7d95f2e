/** What goes wrong, one thing at a time, and what the protocol promises for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chance } from '../../../operator/sim/chance.ts';
import { faketime, jumpingFaketime, setFaketime } from '../../../operator/lease/testing/faketime.ts';
import type { Side, World } from './world.ts';
import { TTL_MS } from './world.ts';
import { steady } from './workloads.ts';

export interface Fault {
  /** What is promised about the time without an instance, for people. */
  readonly promise: string;
  /** Pods that no controller can stop run on, and another cluster may start beside them: the documented hole. */
  readonly isHole?: true;
  /** Resolves when it is over: what was stopped runs again. */
  play(world: World, chance: Chance): Promise<void>;
}

const NONE = 'none: nothing restarts';
const STOP_AND_START = "the pods' own stop and start";
const JUMPS = 8;
const WAIT = 'ttl + 3 s + ttl + drain, and the start';
/** Nobody can tell what was written before. */
const LOST = 'ttl + drain, and the start';

const single: Readonly<Record<string, Fault>> = {
  'leader leaves': {
    promise: NONE,
    async play(world) {
      const { here, leader } = await world.places();
      const slot = world.slotOf(here, leader);
      await world.endOne(leader, 'SIGTERM');
      await world.start(here, slot);
    },
  },
  'rolling restart of all': {
    promise: NONE,
    async play(world) {
      for (const side of world.sides) {
        for (const [slot, controller] of Array.from(side.controllers)) {
          await world.endOne(controller, 'SIGTERM');
          await world.start(side, slot);
        }
      }
    },
  },
  'leader killed': {
    promise: NONE,
    async play(world, chance) {
      const { here, leader } = await world.places();
      const slot = world.slotOf(here, leader);
      await world.endOne(leader, 'SIGKILL');
      await sleep(chance.between(1000, 3000));
      await world.start(here, slot);
    },
  },
  'all of a cluster killed, back after 1 to 10 s': {
    promise: `none within ttl, else ${STOP_AND_START}`,
    async play(world, chance) {
      const { here } = await world.places();
      await world.end(here, 'SIGKILL');
      await sleep(chance.between(1000, 10_000));
      await world.startAll(here);
    },
  },
  'leader frozen 5 to 60 s': {
    promise: NONE,
    async play(world, chance) {
      const { leader } = await world.places();
      leader.pause();
      await sleep(chance.skewed(5000, 60_000));
      leader.resume();
    },
  },
  'hand-over to the other cluster': {
    promise: STOP_AND_START,
    async play(world) {
      const { there } = await world.places();
      await world.highlander('handover', '--to-cluster', there.name);
    },
  },
  'store silent for 3 s': {
    promise: NONE,
    play: (world) => silent(world, 3000),
  },
  'store silent for 30 s': {
    promise: 'until the store is back, and the start',
    play: (world) => silent(world, 30_000),
  },
  'store killed and back': {
    promise: LOST,
    async play(world, chance) {
      await world.redis.kill();
      await sleep(chance.between(100, 5000));
      await world.redis.restart();
      await sleep(2 * TTL_MS);
    },
  },
  'store emptied': {
    promise: LOST,
    async play(world) {
      await world.redis.flush();
      await sleep(2 * TTL_MS);
    },
  },
  'store cut off from one cluster': {
    promise: WAIT,
    async play(world) {
      const { here, there } = await world.places();
      here.toStore.blackhole();
      await leads(world, there);
      here.toStore.restore();
    },
  },
  'API server down 8 s': {
    promise: NONE,
    play: (world) => apiDown(world, 8000),
  },
  'API server of the leader killed and back': {
    promise: NONE,
    async play(world) {
      const { here } = await world.places();
      await here.cluster.restartApiServer();
    },
  },
  'node killed': {
    promise: 'until the node is back',
    async play(world) {
      const { here } = await world.places();
      const [node = ''] = here.cluster.nodes;
      await here.cluster.stopNode(node);
      await sleep(5000);
      await here.cluster.startNode(node);
    },
  },
  'edits and deletes during a hand-over': {
    promise: STOP_AND_START,
    async play(world, chance) {
      const { there } = await world.places();
      const edited = chance.pick(steady);
      const removed = chance.pick(steady.filter((each) => each !== edited));
      const moved = world.highlander('handover', '--to-cluster', there.name);
      await sleep(chance.between(0, 500));
      await world.edit(edited);
      await world.remove(removed);
      await moved;
      await world.edit(removed);
    },
  },
  'clock of a controller wrong by an hour': {
    promise: NONE,
    async play(world, chance) {
      const { here, leader } = await world.places();
      const slot = world.slotOf(here, leader);
      await world.endOne(leader, 'SIGKILL');
      await world.start(here, slot, faketime(chance.pick([-3600, 3600])));
      await sleep(2 * TTL_MS);
    },
  },
  'clock of a controller jumping by up to an hour': {
    promise: NONE,
    async play(world, chance) {
      const { here, leader } = await world.places();
      const [slot, standby] = [...here.controllers].find(([, each]) => each !== leader) ?? [];
      if (slot === undefined || standby === undefined) throw new Error('the leader has no standby');
      setFaketime(world.clockFile, 0);
      await world.endOne(standby, 'SIGTERM');
      await world.start(here, slot, jumpingFaketime(world.clockFile));
      await world.highlander('handover', '--to', standby.name);
      for (let jump = 0; jump < JUMPS; jump += 1) {
        setFaketime(world.clockFile, Math.round(chance.between(-3600, 3600)));
        await sleep(chance.between(200, TTL_MS / 2));
      }
      const jumped = here.controllers.get(slot);
      if (jumped) await world.endOne(jumped, 'SIGTERM');
      await world.start(here, slot);
    },
  },
  'all of a cluster killed, for good': {
    promise: `${WAIT}; what ran there runs on`,
    isHole: true,
    async play(world) {
      const { here, there } = await world.places();
      await world.end(here, 'SIGKILL');
      await leads(world, there);
      await world.startAll(here);
    },
  },
  'all of a cluster frozen': {
    promise: `${WAIT}; what ran there runs on until they wake`,
    isHole: true,
    async play(world) {
      const { here, there } = await world.places();
      const frozen = [...here.controllers.values()];
      for (const each of frozen) each.pause();
      await leads(world, there);
      for (const each of frozen) each.resume();
    },
  },
  'cluster cut off from everything': {
    promise: `${WAIT}; what ran there runs on until it is back`,
    isHole: true,
    async play(world) {
      const { here, there } = await world.places();
      here.toStore.blackhole();
      await here.cluster.cutOff();
      await leads(world, there);
      await here.cluster.reconnect();
      here.toStore.restore();
    },
  },
  'API server down for long': {
    promise: `${WAIT}; what ran there runs on until the API server is back`,
    isHole: true,
    async play(world) {
      const { here, there } = await world.places();
      await here.cluster.stopApiServer();
      await leads(world, there);
      await here.cluster.startApiServer();
    },
  },
};

export const faults: Readonly<Record<string, Fault>> = {
  ...single,
  'three at random, one upon the other': {
    promise: 'the sum of theirs',
    async play(world, chance) {
      const harmless = Object.values(single).filter(({ isHole }) => !isHole);
      for (let n = 0; n < 3; n += 1) await chance.pick(harmless).play(world, chance);
    },
  },
};

async function silent({ redis }: World, ms: number): Promise<void> {
  redis.pause();
  await sleep(ms);
  redis.resume();
}

async function apiDown(world: World, ms: number): Promise<void> {
  const { here } = await world.places();
  here.cluster.pauseApiServer();
  await sleep(ms);
  here.cluster.resumeApiServer();
}

/** Resolves when a controller of that side leads. */
async function leads(world: World, side: Side): Promise<void> {
  for (;;) {
    const { here } = await world.places();
    if (here === side) return;
    await sleep(200);
  }
}
