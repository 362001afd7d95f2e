/** The schedules that broke earlier versions of the protocol, of several clusters. Machine 1 and 3 are in the first one. */
import { podGraceMs } from '../api/grace.ts';
import { ADOPT_GRACE_MS } from '../leadership/permit.ts';
import type { SimController } from './controller.ts';
import { calm } from './link.ts';
import type { Schedule } from './schedule.ts';
import type { Simulation } from './simulation.ts';
import { colleagueOf, cut, cutOff, heal, keepIn, led, ledIn, TIMING } from './steps.ts';

const TWO = { clusters: 2, machines: 4 } as const;
const { ttlMs } = TIMING;
/** Longer than another cluster is waited for. */
const LONG_MS = 12 * ttlMs;

/** The schedules by their numbers. */
export const clusterSchedules: Readonly<Record<string, Schedule>> = {
  '#1': {
    what: 'a cluster is cut off from the store; its leader crashes and restarts knowing nothing',
    place: TWO,
    async play(sim) {
      const leader = await ledIn(sim, 1);
      cutOff(sim, leader.cluster);
      leader.kill();
      const restarted = sim.startController(leader.process.machine);
      cut(restarted);
      await sim.run(LONG_MS, () => sim.leader !== undefined && sim.isSettled);
      heal(sim);
    },
  },
  '#4': {
    what: 'one cluster is cut off and drains; a second takes the lease, has nothing, and leaves; a third must still wait',
    place: { clusters: 3, machines: 3, graceMs: 4 * ttlMs },
    async play(sim) {
      const first = await ledIn(sim, 1);
      cut(first);
      await sim.run(LONG_MS, () => sim.store.holder !== undefined && sim.store.holder !== first.identity);
      const second = sim.controllers.find(({ identity }) => identity === sim.store.holder);
      second?.leave(ttlMs);
      await sim.run(LONG_MS, () => sim.leader !== undefined);
      first.toStore.conditions = calm;
    },
  },
  '#5': {
    what: 'a create is on its way when its sender parks, sees nothing, and leaves; it arrives late',
    place: { clusters: 2, machines: 2 },
    async play(sim) {
      const leader = await ledIn(sim, 1);
      await createHeldBack(sim, leader, 4000);
      leader.leave(2 * ttlMs);
      await sim.run(2 * ttlMs, () => sim.leader !== undefined && sim.leader !== leader);
      await sim.run(ttlMs);
      sim.startController(leader.process.machine);
    },
  },
  '#6, a grace longer than the lease': {
    what: 'a cluster whose pods take longer to stop than a lease lasts is cut off from the store',
    place: { ...TWO, graceMs: 3 * ttlMs },
    async play(sim) {
      const leader = await ledIn(sim, 1);
      cutOff(sim, leader.cluster);
      await sim.run(ttlMs, () => sim.leader === undefined);
      await sim.run(LONG_MS, () => sim.leader !== undefined && sim.isSettled);
      heal(sim);
    },
  },
  '#6': {
    what: 'a grace is raised, a pod starts with it, and its cluster is cut off from the store before the next renewal',
    place: { ...TWO, graceMs: 1000 },
    async play(sim) {
      const { cluster } = await ledIn(sim, 1);
      cluster.graceMs = 20 * ttlMs;
      for (const name of cluster.objects.keys()) cluster.delete('user', name, {});
      const hasStarted = () => [...cluster.objects.values()].some((object) => podGraceMs(object) === cluster.graceMs);
      await sim.run(4 * ttlMs, hasStarted);
      cutOff(sim, cluster);
      await sim.run(4 * LONG_MS, () => sim.leader !== undefined && sim.isSettled);
      heal(sim);
    },
  },
  '#7': {
    what: 'a second cluster appears while the first leads without a permit, and its leader freezes',
    place: { clusters: 2, machines: 2 },
    async play(sim) {
      const [machine, other] = sim.machines;
      if (!machine || !other) return;
      const leader = sim.startController(machine);
      await led(sim);
      machine.freeze(LONG_MS, 'both clocks');
      sim.startController(other);
      await sim.run(LONG_MS);
      leader.kill();
      sim.startController(machine);
    },
  },
  '#8': {
    what: 'a leader leaves what runs to a standby of its cluster that is dead, or is leaving as well',
    place: { ...TWO, graceMs: 1000 },
    async play(sim) {
      const leader = await ledIn(sim, 1);
      colleagueOf(sim, leader)?.kill();
      leader.leave(LONG_MS);
      // Well before the wait for a cluster from which nothing is heard would be over.
      await sim.run(1.5 * ttlMs, () => sim.leader !== undefined && sim.leader.cluster !== leader.cluster);
      if (!sim.leader || sim.leader.cluster === leader.cluster)
        sim.checker.fail('progress', `nobody took over from ${leader.identity}: ${sim.describe()}`);
    },
  },
  '#9': {
    what: 'a cluster has reported that nothing runs there, and another one leads; then a create arrives that was on its way',
    place: TWO,
    async play(sim) {
      const leader = await ledIn(sim, 1);
      const other = colleagueOf(sim, leader);
      if (other) other.mayNotLead = true;
      await createHeldBack(sim, leader, LONG_MS);
      leader.kill();
      await sim.run(LONG_MS, () => sim.leader !== undefined && sim.leader.cluster !== leader.cluster);
      await sim.run(LONG_MS);
      if (other) other.mayNotLead = false;
    },
  },
  '#10': {
    what: 'a kubelet does not end what it was told to; a living controller says so',
    place: TWO,
    async play(sim) {
      const leader = await ledIn(sim, 1);
      await sim.run(ttlMs);
      leader.cluster.isStuck = true;
      for (const each of sim.controllers) if (each.cluster === leader.cluster) each.mayNotLead = true;
      leader.kill();
      await sim.run(LONG_MS);
      leader.cluster.isStuck = false;
    },
  },
  '#10, the record lost': {
    what: 'the same, and the store loses everything: who leads next knows of nobody to wait for',
    place: TWO,
    async play(sim) {
      const leader = await ledIn(sim, 1);
      await sim.run(ttlMs);
      leader.cluster.isStuck = true;
      for (const each of sim.controllers) if (each.cluster === leader.cluster) each.mayNotLead = true;
      sim.store.flush();
      await sim.run(LONG_MS);
      leader.cluster.isStuck = false;
    },
  },
  '#10, one pod': {
    what: 'a kubelet does not end one of the pods; all else runs in another cluster, and that one when it has ended',
    place: TWO,
    async play(sim) {
      const leader = await ledIn(sim, 1);
      const { cluster } = leader;
      cluster.stuckPods.add('x');
      for (const each of sim.controllers) if (each.cluster === cluster) each.mayNotLead = true;
      leader.kill();
      await sim.run(LONG_MS, () => sim.leader !== undefined && sim.leader.cluster !== cluster);
      await sim.run(2 * ttlMs);
      const { leader: next } = sim;
      if (next?.cluster.objects.size !== cluster.wanted.size - 1)
        sim.checker.fail('progress', `one pod holds everything back: ${sim.describe()}`);
      cluster.stuckPods.clear();
      await sim.run(3 * ttlMs, () => next?.cluster.objects.size === cluster.wanted.size);
      keepIn(sim, undefined);
    },
  },
  '#10, one pod, handed over': {
    what: 'the same while the leader hands over: it does not wait for what does not end',
    place: { ...TWO, graceMs: 1000 },
    async play(sim) {
      const leader = await ledIn(sim, 1);
      const { cluster } = leader;
      const other = sim.controllers.find((each) => each.cluster !== cluster);
      cluster.stuckPods.add('x');
      leader.handOver(other?.identity ?? '');
      await sim.run(LONG_MS, () => other?.cluster.objects.size === cluster.wanted.size - 1);
      if (sim.leader !== other) sim.checker.fail('progress', `one pod holds everything back: ${sim.describe()}`);
      await sim.run(LONG_MS);
      cluster.stuckPods.clear();
      await sim.run(3 * ttlMs, () => other?.cluster.objects.size === cluster.wanted.size);
    },
  },
  '#11': {
    what: 'a node is cut off while its pods are told to stop; their objects are removed, and the kubelet runs them on',
    place: { clusters: 2, machines: 2, graceMs: 1000 },
    async play(sim) {
      const leader = await ledIn(sim, 1);
      const other = sim.controllers.find((each) => each !== leader);
      leader.cluster.isStuck = true;
      leader.handOver(other?.identity ?? '');
      await sim.run(2000);
      leader.cluster.collect();
      await sim.run(LONG_MS);
      leader.cluster.isStuck = false;
      await sim.run(LONG_MS, () => sim.leader === other);
      if (sim.leader !== other) sim.checker.fail('progress', `nobody took over: ${sim.describe()}`);
    },
  },
  '#14, in another cluster': {
    what: 'the leader is frozen, both clocks, with a create on its way; another cluster leads when it arrives',
    place: { clusters: 2, machines: 2 },
    async play(sim) {
      const leader = await ledIn(sim, 1);
      await createHeldBack(sim, leader, LONG_MS);
      leader.process.machine.freeze(LONG_MS - 1000, 'both clocks');
      await sim.run(LONG_MS + ttlMs);
    },
  },
  'stopped before parking': {
    what: 'a controller looks at a permit that has ended, and stands still; another one of its cluster leads when it goes on',
    timing: { ttlMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2000 },
    place: TWO,
    async play(sim) {
      const leader = await ledIn(sim, 1);
      const colleague = colleagueOf(sim, leader);
      if (!colleague) return;
      keepIn(sim, leader.cluster);
      cut(colleague);
      leader.kill();
      const isAboutTo = () =>
        sim.world.now > leader.cluster.lapsesAt + ADOPT_GRACE_MS && colleague.toCluster.pending > 0;
      await sim.run(3 * ttlMs, isAboutTo);
      colleague.process.machine.pause(LONG_MS);
      sim.startController(leader.process.machine);
      await sim.run(LONG_MS + ttlMs);
      colleague.toStore.conditions = calm;
      keepIn(sim, undefined);
    },
  },
  'stopped while leaving': {
    what: 'a leader stands still while it stops everything for another cluster; its colleague leads when it goes on',
    place: TWO,
    async play(sim) {
      const leader = await ledIn(sim, 1);
      const other = sim.controllers.find(({ cluster }) => cluster !== leader.cluster);
      leader.handOver(other?.identity ?? '');
      await sim.run(ttlMs, () => leader.toCluster.pending > 0);
      keepIn(sim, leader.cluster);
      leader.process.machine.pause(4 * ttlMs);
      await sim.run(5 * ttlMs);
      keepIn(sim, undefined);
    },
  },
  'behind the watch': {
    what: 'a controller whose cache has not heard of what was started is the only one left in its cluster',
    place: { ...TWO, graceMs: 3 * ttlMs },
    async play(sim) {
      const [first, other, third] = sim.machines;
      if (!first || !other || !third) return;
      const late = sim.startController(third);
      late.mayNotLead = true;
      late.informer.lagMs = 1e6;
      await sim.run(1000);
      const leader = sim.startController(first);
      await led(sim);
      sim.startController(other);
      await sim.run(3 * ttlMs);
      leader.kill();
      await sim.run(LONG_MS);
      late.informer.lagMs = 50;
      late.mayNotLead = false;
    },
  },
  'nobody answers': {
    what: 'all controllers of a cluster are gone for long; with the takeover `bounded` its workloads are started elsewhere',
    place: { clusters: 2, machines: 2 },
    play: goneForLong,
  },
  'strict, and nobody answers': {
    what: 'the same with the takeover `strict`: they are not started elsewhere before somebody says that they have ended',
    place: { clusters: 2, machines: 2, takeover: 'strict' },
    play: goneForLong,
  },
};

async function goneForLong(sim: Simulation): Promise<void> {
  const leader = await ledIn(sim, 1);
  leader.kill();
  await sim.run(LONG_MS);
  sim.startController(leader.process.machine);
}

/** Somebody deletes an object; the create that follows is on its way for so long. */
async function createHeldBack(sim: Simulation, leader: SimController, ms: number): Promise<void> {
  await sim.run(2 * ttlMs);
  leader.heldBack.set('create', ms);
  sim.evict();
  await sim.run(2 * ttlMs, () => !leader.heldBack.has('create'));
}
