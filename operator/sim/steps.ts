/** What schedules are made of. */
import { cellKeys } from '../lease/cell-store.ts';
import type { SimCluster } from './cluster.ts';
import type { SimController } from './controller.ts';
import { TENANT } from './actor.ts';
import { calm } from './link.ts';
import type { Simulation } from './simulation.ts';

/** Key of the tenant's lease. */
export const LEASE = cellKeys.lease(TENANT);
/** Durations that make a schedule short, in milliseconds. */
export const TIMING = { ttlMs: 6000, renewDeadlineMs: 4000, retryPeriodMs: 1000 };

/** Runs on until somebody leads with all objects adopted. */
export async function led(sim: Simulation): Promise<SimController> {
  await sim.run(60_000, () => sim.isSettled);
  const { leader } = sim;
  if (leader) return leader;
  sim.checker.fail('progress', `nobody leads: ${sim.describe()}`);
  return sim.startController(sim.machines[0] ?? unreachable());
}

/** All start, the first machine's controller leads, and every cluster knows of the others. */
export async function ledIn(sim: Simulation, machine: number): Promise<SimController> {
  for (const each of [...sim.machines.slice(machine - 1), ...sim.machines.slice(0, machine - 1)]) {
    sim.startController(each);
    await sim.run(1000);
  }
  const leader = await led(sim);
  await sim.run(2 * TIMING.ttlMs);
  return leader;
}

/** The leader leaves; true time of the tombstone. */
export async function released(sim: Simulation, leader: SimController): Promise<number> {
  const before = sim.store.writtenAt(LEASE);
  leader.leave(1000);
  await sim.run(2000, () => sim.store.writtenAt(LEASE) !== before);
  return sim.store.writtenAt(LEASE) ?? sim.world.now;
}

/** The controllers of a cluster from the store. */
export function cutOff(sim: Simulation, cluster: SimCluster): void {
  for (const each of sim.controllers) if (each.cluster === cluster) cut(each);
}

/** Ends all faults between controllers and the store. */
export function heal(sim: Simulation): void {
  for (const each of sim.controllers) each.toStore.conditions = calm;
}

/** From now on nobody leads in another cluster, or anybody again. */
export function keepIn(sim: Simulation, cluster: SimCluster | undefined): void {
  for (const each of sim.controllers) each.mayNotLead = cluster !== undefined && each.cluster !== cluster;
}

/** Cuts the controller off from the store. */
export function cut({ toStore }: SimController): void {
  toStore.conditions = { ...calm, cutRequests: true, cutReplies: true };
}

/** The other controller of its cluster. */
export function colleagueOf(sim: Simulation, leader: SimController): SimController | undefined {
  return sim.controllers.find((each) => each.cluster === leader.cluster && each !== leader);
}

function unreachable(): never {
  throw new Error('there is no machine');
}
