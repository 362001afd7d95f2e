/** Courses of events in which who takes over may know too little, or may believe what was true before. */
import { podGraceMs } from '../api/grace.ts';
import { ADOPT_GRACE_MS } from '../leadership/permit.ts';
import type { Link } from './link.ts';
import { calm } from './link.ts';
import type { Schedule } from './schedule.ts';
import type { Simulation } from './simulation.ts';
import { colleagueOf, cutOff, heal, keepIn, led, ledIn, TIMING } from './steps.ts';

const TWO = { clusters: 2, machines: 4, graceMs: 1000 } as const;
const { ttlMs, retryPeriodMs } = TIMING;
const LONG_MS = 12 * ttlMs;
/** Of pods whose users have raised it. */
const RAISED_MS = 20 * ttlMs;

/** The schedules by their numbers. */
export const takeoverSchedules: Readonly<Record<string, Schedule>> = {
  '#6, a create on its way': {
    what: 'a grace is raised; the create that has it arrives when its sender is dead, a colleague leads, and all are cut off',
    place: TWO,
    async play(sim) {
      const leader = await ledIn(sim, 1);
      const colleague = colleagueOf(sim, leader);
      const { cluster } = leader;
      keepIn(sim, cluster);
      const before = cluster.graceMs;
      cluster.graceMs = RAISED_MS;
      leader.heldBack.set('create', 1.5 * ttlMs);
      colleague?.heldBack.set('create', ttlMs);
      cluster.delete('user', 'x', {});
      await sim.run(4 * ttlMs, () => !leader.heldBack.has('create'));
      leader.kill();
      cluster.graceMs = before;
      await sim.run(2 * ttlMs, () => podGraceMs(cluster.objects.get('x') ?? NO_POD) === RAISED_MS);
      cluster.graceMs = RAISED_MS;
      cutOff(sim, cluster);
      keepIn(sim, undefined);
      await sim.run(4 * LONG_MS, () => sim.leader !== undefined && sim.isSettled);
      heal(sim);
    },
  },
  '#10, a pod of an earlier term': {
    what: 'a controller says which pod does not end, and hears nothing more of its cluster; that leads again, and its leader dies',
    place: { ...TWO, takeover: 'strict' },
    async play(sim) {
      const leader = await ledIn(sim, 1);
      const { cluster } = leader;
      const witness = colleagueOf(sim, leader);
      const other = sim.controllers.find((each) => each.cluster !== cluster);
      if (!witness || !other) return;
      cluster.stuckPods.add('x');
      keepIn(sim, other.cluster);
      leader.handOver(other.identity);
      await sim.run(LONG_MS, () => sim.leader === other && witness.presence.report !== undefined);
      await sim.run(ttlMs);
      witness.toCluster.conditions = { ...calm, cutRequests: true, cutReplies: true };
      keepIn(sim, undefined);
      witness.mayNotLead = true;
      cluster.stuckPods.clear();
      await sim.run(ttlMs);
      other.handOver(leader.identity);
      await sim.run(LONG_MS, () => sim.leader === leader && sim.isSettled);
      leader.kill();
      await sim.run(LONG_MS);
      witness.toCluster.conditions = calm;
      witness.mayNotLead = false;
    },
  },
  '#2, an old look': {
    what: 'a colleague that was about to park what nobody adopted leads; the answer to its last look at the permit comes later',
    place: { ...TWO, takeover: 'strict' },
    async play(sim) {
      const leader = await ledIn(sim, 1);
      const next = colleagueOf(sim, leader);
      if (!next) return;
      for (const each of sim.controllers) each.mayNotLead = true;
      leader.kill();
      const isAboutTo = () =>
        sim.world.now > next.cluster.lapsesAt + ADOPT_GRACE_MS + 500 && next.toCluster.pending > 0;
      await sim.run(4 * ttlMs, isAboutTo);
      await answerLate(sim, next.toCluster);
      next.mayNotLead = false;
      next.process.deliver(() => next.elector.reconsider());
      await sim.run(ttlMs);
      keepIn(sim, undefined);
    },
  },
  '#14, a grant': {
    what: 'while the guard looks at the lease its term ends and the next one of the same process begins',
    async play(sim) {
      const leader = await led(sim);
      const { leaseReadSentAt } = leader;
      await sim.run(ttlMs, () => leader.leaseReadSentAt !== leaseReadSentAt);
      await answerLate(sim, leader.toStore);
      leader.handOver(leader.identity);
      await sim.run(ttlMs);
    },
  },
  '#12, an acquisition': {
    what: 'the reply to an acquisition is lost: whoever sent it leads as soon as it looks again',
    async play(sim) {
      const first = await led(sim);
      const next = sim.controllers.find((each) => each !== first);
      for (const each of sim.controllers) each.mayNotLead = each !== next;
      if (!next) return;
      next.toStore.conditions = { ...calm, latencyMs: [80, 90] };
      first.kill();
      await sim.run(4 * ttlMs, () => sim.store.holder === next.identity);
      next.toStore.conditions = { ...calm, cutReplies: true };
      await sim.run(100);
      next.toStore.conditions = calm;
      await sim.run(3 * retryPeriodMs, () => sim.leader === next);
      if (sim.leader !== next) sim.checker.fail('somebody acts', `not ${next.identity}, which holds the lease`);
      for (const each of sim.controllers) each.mayNotLead = false;
    },
  },
  '#8, dead for long': {
    what: 'the last controller of a cluster leaves, and its colleague has been dead for long: it waits for nobody',
    place: { ...TWO, graceMs: 200 },
    play: (sim) => leftAlone(sim, 0),
  },
  '#8, dead for long, by the own clock': {
    what: "the same, and the store's clock is set back by an hour when the colleague dies: by that clock it has just written",
    place: { ...TWO, graceMs: 200 },
    play: (sim) => leftAlone(sim, -3_600_000),
  },
};

async function leftAlone(sim: Simulation, jumpMs: number): Promise<void> {
  const leader = await ledIn(sim, 1);
  colleagueOf(sim, leader)?.kill();
  sim.store.jumpClock(jumpMs);
  await sim.run(2 * ttlMs);
  leader.leave(LONG_MS);
  const hasMoved = () => sim.leader !== undefined && sim.leader.cluster !== leader.cluster;
  await sim.run(2 * retryPeriodMs, hasMoved);
  if (!hasMoved()) sim.checker.fail('somebody acts', `${leader.identity} waits for the dead: ${sim.describe()}`);
}

/** The answer to the call that is under way takes most of the time that its caller waits for it. */
async function answerLate(sim: Simulation, link: Link): Promise<void> {
  link.conditions = { ...calm, latencyMs: [0.8 * retryPeriodMs, 0.9 * retryPeriodMs] };
  await sim.run(calm.latencyMs[1]);
  link.conditions = calm;
}

const NO_POD = { metadata: { name: '' } };
