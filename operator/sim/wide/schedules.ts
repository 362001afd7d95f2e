/** Courses of events over whole API servers: what a controller can see, and what it can do. */
import type { SimulationOptions } from '../play.ts';
import { TIMING } from '../steps.ts';
import type { WideController } from './controller.ts';
import type { WideSimulation } from './simulation.ts';

/** A named course of events over whole API servers. */
export interface WideSchedule {
  readonly what: string;
  /** Machines belong to the clusters in turns. */
  readonly place: Pick<SimulationOptions, 'clusters' | 'machines' | 'graceMs'>;
  readonly play: (sim: WideSimulation) => Promise<void>;
}

const { ttlMs, retryPeriodMs } = TIMING;
const LONG_MS = 15 * ttlMs;
/** Longer than any pause between two tries of a watch. */
const WATCHES_MS = 8000;

/** By name. */
export const wideSchedules: Readonly<Record<string, WideSchedule>> = {
  'no news': {
    what: 'API servers are gone for a while, and have nothing new to tell then; the leader dies',
    place: { clusters: 2, machines: 2, graceMs: 1000 },
    async play(sim) {
      const [leader] = await begun(sim);
      for (const cluster of sim.clusters) cluster.down = true;
      await sim.run(2 * ttlMs);
      for (const cluster of sim.clusters) cluster.down = false;
      await sim.run(WATCHES_MS);
      leader.kill();
      await sim.run(LONG_MS, () => sim.leader !== undefined);
      sim.startController(leader.process.machine);
    },
  },
  'no writes': {
    what: 'the API server of the cluster that comes first takes no writes; the leader, in another one, dies',
    place: { clusters: 3, machines: 3, graceMs: 1000 },
    async play(sim) {
      const { id } = sim.clusters[1] ?? {};
      if (id !== undefined) sim.preferences.set(id, { priority: 1, failback: 'manual', failbackDelayMs: 0 });
      const [leader, first] = await begun(sim);
      const heal = first.cluster.refusing.some(1);
      leader.kill();
      await sim.run(LONG_MS, () => sim.leader !== undefined);
      heal();
      sim.startController(leader.process.machine);
    },
  },
  'no writes from now on': {
    what: 'a leader hands over to another cluster, whose API server takes no more writes until that has given up the lease',
    place: { clusters: 2, machines: 2, graceMs: 1000 },
    async play(sim) {
      const [leader, next] = await begun(sim);
      leader.handOver(next.identity);
      await sim.run(LONG_MS, () => sim.store.holder === next.identity);
      const heal = next.cluster.refusing.some(1);
      await sim.run(LONG_MS, () => sim.store.holder !== next.identity);
      heal();
    },
  },
};

/** The first leads; all know of each other. */
async function begun(sim: WideSimulation): Promise<[first: WideController, second: WideController]> {
  for (const machine of sim.machines) {
    sim.startController(machine);
    await sim.run(3 * retryPeriodMs);
  }
  await sim.run(LONG_MS, () => sim.isSettled);
  await sim.run(3 * ttlMs);
  const [first, second] = sim.controllers;
  if (!first || !second) throw new Error('two controllers are needed');
  if (sim.leader !== first) sim.checker.fail('progress', `${first.identity} does not lead: ${sim.describe()}`);
  return [first, second];
}
