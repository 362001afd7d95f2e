/**
 * The schedules that broke earlier versions of the protocol, played step by step; numbers as in the list that the lease
 * protocol keeps; those of several clusters are in a file of their own.
 */
import { TENANT } from './actor.ts';
import { calm } from './link.ts';
import { cut, LEASE, led, released, TIMING } from './steps.ts';
import { cellKeys } from '../lease/cell-store.ts';
import type { RunResult } from './run.ts';
import { resultOf, settle } from './run.ts';
import type { Schedule } from './schedule.ts';
import { clusterSchedules } from './schedules.clusters.ts';
import { runSchedules } from './schedules.runs.ts';
import { takeoverSchedules } from './schedules.takeover.ts';
import { unclaimedSchedules } from './schedules.unclaimed.ts';
import type { Play } from './play.ts';
import { Simulation } from './simulation.ts';
import type { WideSchedule } from './wide/schedules.ts';
import { wideSchedules } from './wide/schedules.ts';
import { WideSimulation } from './wide/simulation.ts';

const narrow: Readonly<Record<string, Schedule>> = {
  '#2': {
    what: 'everything in the store is lost while the leader runs',
    async play(sim) {
      await led(sim);
      sim.store.flush();
    },
  },
  '#3': {
    what: 'a backup is restored that knows only earlier terms',
    async play(sim) {
      const first = await led(sim);
      first.kill();
      const second = await led(sim);
      await sim.run(3000);
      sim.store.goBack(sim.world.now - 2000);
      second.kill();
      sim.startController(sim.machines[0] ?? first.process.machine);
    },
  },
  '#3 under the same incarnation': {
    what: 'a backup is restored that shows a released lease, and the store does not say so',
    async play(sim) {
      const first = await led(sim);
      await sim.run(2 * TIMING.ttlMs);
      const releasedAt = await released(sim, first);
      const second = await led(sim);
      await sim.run(2 * TIMING.ttlMs);
      cut(second);
      sim.store.goBack(sim.world.now - releasedAt - 0.001, true);
      await sim.run(TIMING.ttlMs);
    },
  },
  '#12': {
    what: 'the reply of a renewal is lost',
    async play(sim) {
      const leader = await led(sim);
      leader.toStore.conditions = { ...calm, cutReplies: true };
      await sim.run(1200);
      leader.toStore.conditions = calm;
      await sim.run(10_000);
    },
  },
  '#13': {
    what: "the store's clock is set back by an hour, and the leader dies",
    async play(sim) {
      const leader = await led(sim);
      sim.store.jumpClock(-3_600_000);
      await sim.run(2000);
      leader.kill();
    },
  },
  '#13, the other way': {
    what: "the store's clock is set forward by an hour",
    async play(sim) {
      await led(sim);
      sim.store.jumpClock(3_600_000);
      await sim.run(20_000);
    },
  },
  '#14': {
    what: 'both clocks of the leader stand still; it resumes, believes that it holds, and writes',
    async play(sim) {
      const leader = await led(sim);
      leader.process.machine.freeze(4 * TIMING.ttlMs, 'both clocks');
      await led(sim);
      sim.changeSpec();
      await sim.run(5 * TIMING.ttlMs);
    },
  },
  '#15': {
    what: 'two losses between two looks: the record between them is never seen',
    async play(sim) {
      await led(sim);
      sim.store.hints = 0;
      sim.store.flush();
      await sim.run(3000);
      await led(sim);
      sim.store.flush();
    },
  },
  '#15, and a stop': {
    what: 'a controller is stopped after a loss, before its canary is back; a second loss hides who led meanwhile',
    async play(sim) {
      const leader = await led(sim);
      await sim.run(2 * TIMING.ttlMs);
      const waiting = sim.controllers.find((controller) => controller !== leader);
      if (!waiting) throw new Error('a second controller is needed');
      waiting.toStore.conditions = { ...calm, latencyMs: [100, 100] };
      sim.store.hints = 0;
      sim.store.refused.clear();
      sim.store.flush();
      const canary = cellKeys.presence(TENANT, waiting.identity);
      await sim.run(5000, () => sim.store.refused.has(canary));
      await sim.run(350);
      cut(waiting);
      waiting.process.machine.pause(3 * TIMING.ttlMs);
      await sim.run(3 * TIMING.ttlMs - 200);
      if (sim.leader) cut(sim.leader);
      sim.store.flush();
      waiting.toStore.conditions = calm;
      await sim.run(TIMING.ttlMs);
    },
  },
  '#16': {
    what: 'a renewal is held back; another leads; the store loses that, and the renewal matches again',
    async play(sim) {
      const leader = await led(sim);
      const from = sim.world.now;
      leader.toStore.conditions = { ...calm, latencyMs: [11_000, 11_001] };
      await sim.run(TIMING.retryPeriodMs + 50);
      leader.process.machine.freeze(14_000, 'both clocks');
      await led(sim);
      sim.store.goBack(sim.world.now - from);
      await sim.run(8000);
      leader.toStore.conditions = calm;
    },
  },
  '#16, an acquisition': {
    what: 'between look and write another acquires; the store loses that, and the version matches again',
    async play(sim) {
      const leader = await led(sim);
      const [first, second] = sim.controllers.filter((controller) => controller !== leader);
      if (!first || !second) throw new Error('three controllers are needed');
      first.toStore.conditions = { ...calm, latencyMs: [150, 150] };
      second.toStore.conditions = { ...calm, latencyMs: [250, 250] };
      await sim.run(2 * TIMING.ttlMs);
      const releasedAt = await released(sim, leader);
      sim.store.hints = 0;
      await sim.run(2000, () => sim.store.writtenAt(LEASE) !== releasedAt);
      await sim.run(200);
      sim.store.goBack(250);
      await sim.run(1000);
      first.toStore.conditions = calm;
      second.toStore.conditions = calm;
    },
  },
  'promoted replica': {
    what: 'a replica is promoted that has seen the release of a lease, but not who took it then',
    async play(sim) {
      const first = await led(sim);
      await sim.run(2 * TIMING.ttlMs);
      const releasedAt = await released(sim, first);
      await sim.run(2000, () => sim.leader !== undefined);
      const { leader } = sim;
      if (leader) cut(leader);
      sim.store.goBack(sim.world.now - releasedAt - 0.001);
      await sim.run(TIMING.ttlMs);
    },
  },
  'late reply': {
    what: 'the leader hears of its last renewal late, and is then cut off from the store',
    timing: { ttlMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2000 },
    async play(sim) {
      const leader = await led(sim);
      const before = sim.store.writtenAt(LEASE);
      await sim.run(5000, () => sim.store.writtenAt(LEASE) !== before);
      leader.process.machine.pause(1900);
      await sim.run(1950);
      cut(leader);
      await sim.run(20_000);
    },
  },
  'stopped before a write': {
    what: 'the leader is stopped while it waits for an answer of the cluster, past the end of its lease',
    async play(sim) {
      for (let round = 0; round < 6; round++) {
        const leader = await led(sim);
        leader.toCluster.conditions = { ...calm, latencyMs: [50, 60] };
        sim.changeSpec();
        await sim.run(10_000, () => leader.toCluster.pending > 0);
        leader.process.machine.pause(2 * TIMING.ttlMs);
        await sim.run(3 * TIMING.ttlMs);
        leader.toCluster.conditions = calm;
      }
    },
  },
  'frozen while adopting': {
    what: 'a new leader has looked at an object and is frozen, both clocks; the next one adopts it; the first goes on',
    async play(sim) {
      const first = await led(sim);
      first.kill();
      await sim.run(20_000, () => sim.leader !== undefined);
      const { leader } = sim;
      if (!leader) return;
      leader.toCluster.conditions = { ...calm, latencyMs: [50, 60] };
      leader.toStore.conditions = { ...calm, latencyMs: [300, 310] };
      await sim.run(10_000, () => leader.toCluster.pending > 0);
      leader.process.machine.freeze(4 * TIMING.ttlMs, 'both clocks');
      await led(sim);
      await sim.run(5 * TIMING.ttlMs);
      leader.toCluster.conditions = calm;
      leader.toStore.conditions = calm;
    },
  },
  'new tenant': {
    what: 'two controllers find nothing of the tenant; one leads; everything in the store is lost behind its back',
    async play(sim) {
      const leader = await led(sim);
      cut(leader);
      sim.store.flush();
      await sim.run(TIMING.ttlMs);
      leader.toStore.conditions = calm;
    },
  },
  ...clusterSchedules,
  ...takeoverSchedules,
  ...runSchedules,
  ...unclaimedSchedules,
};

/** By name; those over whole API servers come last. */
export const schedules: Readonly<Record<string, Pick<Schedule, 'what'>>> = { ...narrow, ...wideSchedules };

/** Plays one schedule, heals, and waits for the calm that must follow. */
export async function runSchedule(name: string, lines?: number): Promise<RunResult> {
  const kept = lines === undefined ? {} : { lines };
  const sim = await (wideSchedules[name] ? playWide(wideSchedules[name], kept) : playNarrow(narrow[name], kept));
  if (!sim) throw new Error(`there is no schedule ${name}`);
  if (!sim.checker.violation) await settle(sim);
  return resultOf(sim, { seed: 1, profile: name, isSchedule: true });
}

const ALIKE = { seed: 1, timing: TIMING, ageBy: 'server', machines: 3, graceMs: 2000, drift: false } as const;

async function playNarrow(
  schedule: Schedule | undefined,
  kept: { readonly lines?: number },
): Promise<Play | undefined> {
  if (!schedule) return undefined;
  const { timing = TIMING, place } = schedule;
  const sim = new Simulation({ ...ALIKE, timing, ...place, ...kept });
  if (!place) for (const machine of sim.machines) sim.startController(machine);
  await schedule.play(sim);
  return sim;
}

async function playWide({ place, play }: WideSchedule, kept: { readonly lines?: number }): Promise<Play> {
  const sim = new WideSimulation({ ...ALIKE, ...place, ...kept });
  await play(sim);
  return sim;
}
