/** The schedules that broke earlier versions of the protocol, of a cron job whose runs are claimed (#17). */
import type { SimBatch } from './batch.ts';
import { MINUTE_MS } from './batch.ts';
import type { SimController } from './controller.ts';
import { calm } from './link.ts';
import type { Schedule } from './schedule.ts';
import type { Simulation } from './simulation.ts';
import { cut, cutOff, heal, keepIn, ledIn, TIMING } from './steps.ts';

const { ttlMs } = TIMING;
/** Of all clusters together, when one of them is waited for. */
const LONG_MS = 12 * ttlMs;
const PLACE = { clusters: 2, machines: 4, catchUp: 'All', clocksAgree: true } as const;

/** The schedules by their numbers. */
export const runSchedules: Readonly<Record<string, Schedule>> = {
  '#17, claimed': {
    what: 'a leader claims a run and dies before it lets it begin; the next one of its cluster does that',
    place: PLACE,
    async play(sim) {
      await claimedOnly(sim, await ledIn(sim, 1));
    },
  },
  '#17, claimed, behind the watch': {
    what: 'the same, and the next leader has not heard of the Job yet',
    place: PLACE,
    async play(sim) {
      const leader = await ledIn(sim, 1);
      for (const { runs } of sim.controllers) if (runs && runs !== leader.runs) runs.informer.lagMs = 5 * ttlMs;
      await claimedOnly(sim, leader);
    },
  },
  '#17, missed': {
    what: 'a cluster is cut off before a run is due, and another one leads when that is past',
    place: { ...PLACE, catchUp: 'Last' },
    async play(sim) {
      const leader = await ledIn(sim, 1);
      await nextRun(sim);
      await sim.run(2 * MINUTE_MS, () => leader.cluster.time % MINUTE_MS > MINUTE_MS - 3000);
      const due = Math.ceil(leader.cluster.time / MINUTE_MS) * MINUTE_MS;
      cutOff(sim, leader.cluster);
      await sim.run(LONG_MS, () => sim.checker.runs.has(due));
      if (!sim.checker.runs.has(due))
        sim.checker.fail('progress', `the run that was missed never began: ${sim.describe()}`);
      heal(sim);
    },
  },
  '#17, parked midway': {
    what: 'a cluster is cut off from the store while a run goes on, and leads again later',
    place: { ...PLACE, machines: 2, graceMs: 2 * ttlMs },
    async play(sim) {
      const leader = await ledIn(sim, 1);
      await nextRun(sim);
      cut(leader);
      await sim.run(LONG_MS, () => sim.leader !== undefined && sim.leader !== leader);
      leader.toStore.conditions = calm;
      await nextRun(sim);
      sim.leader?.handOver(leader.identity);
      await sim.run(LONG_MS, () => sim.leader === leader);
      await nextRun(sim);
    },
  },
  '#17, the store is silent': {
    what: 'a run begins, nobody can write that down, it is parked midway, and its own cluster leads again',
    place: { ...PLACE, machines: 2, graceMs: 1000 },
    async play(sim) {
      const leader = await ledIn(sim, 1);
      keepIn(sim, leader.cluster);
      await released(sim, batchOf(leader));
      sim.store.down = true;
      await sim.run(4 * ttlMs, () => sim.checker.parkings > 0);
      await sim.run(ttlMs);
      sim.store.down = false;
      await nextRun(sim);
    },
  },
  '#17, claimed elsewhere': {
    what: 'a cluster lets a run begin and is cut off before it can write that down; another one takes over',
    place: PLACE,
    async play(sim) {
      const leader = await ledIn(sim, 1);
      await released(sim, batchOf(leader));
      cutOff(sim, leader.cluster);
      await sim.run(LONG_MS, () => sim.leader !== undefined && sim.leader.cluster !== leader.cluster);
      await nextRun(sim);
      heal(sim);
    },
  },
  '#17, deleted': {
    what: 'somebody deletes the Job of a run before it is claimed',
    place: PLACE,
    async play(sim) {
      const batch = batchOf(await ledIn(sim, 1));
      await sim.run(2 * MINUTE_MS, () => openJob(batch) !== undefined);
      const job = openJob(batch) ?? '';
      batch.delete('user', job, {});
      await sim.run(MINUTE_MS / 2, () => batch.begun.includes(job));
      if (!batch.begun.includes(job)) sim.checker.fail('progress', `${job} never began: ${sim.describe()}`);
    },
  },
  '#17, the ledger lost': {
    what: 'the store is emptied after a run in another cluster',
    place: PLACE,
    async play(sim) {
      await ranElsewhere(sim);
      sim.store.flush();
      await nextRun(sim);
    },
  },
  '#17, the ledger from a backup': {
    what: 'the store is restored to a time before the last run, which was in another cluster',
    place: PLACE,
    async play(sim) {
      await ranElsewhere(sim);
      sim.store.goBack(MINUTE_MS / 2);
      await nextRun(sim);
    },
  },
  '#17, the Job deleted, its pod not': {
    what: 'somebody deletes the Job of a run that goes on, and the next one is due while its pod still ends',
    place: { ...PLACE, graceMs: 5 * MINUTE_MS },
    async play(sim) {
      const batch = batchOf(await ledIn(sim, 1));
      await nextRun(sim);
      batch.delete('user', batch.begun.at(-1) ?? '', {});
      await sim.run(2 * MINUTE_MS);
      await sim.run(5 * MINUTE_MS, () => batch.running.length === 0);
      await nextRun(sim);
    },
  },
  '#17, a clock that is wrong': {
    what: 'the leader takes it to be an hour later than it is',
    place: { ...PLACE, machines: 2, catchUp: 'Last' },
    async play(sim) {
      const leader = await ledIn(sim, 1);
      await nextRun(sim);
      leader.process.machine.jumpWall(60 * MINUTE_MS);
      for (let run = 0; run < 2; run += 1) await nextRun(sim);
      const [latest = 0] = [...sim.checker.runs.keys()].toSorted((a, b) => b - a);
      if (latest > leader.cluster.time) sim.checker.fail('progress', 'a run began before it was due');
    },
  },
};

/** The leader claims a run and dies; ends when somebody else has let it begin. */
async function claimedOnly(sim: Simulation, leader: SimController): Promise<void> {
  const batch = batchOf(leader);
  await sim.run(2 * MINUTE_MS, () => openJob(batch) !== undefined);
  leader.heldBack.set('patch', LONG_MS);
  await sim.run(ttlMs, () => !leader.heldBack.has('patch'));
  const before = sim.checker.runs.size;
  leader.kill();
  await sim.run(MINUTE_MS / 2, () => sim.checker.runs.size > before);
  if (sim.checker.runs.size === before) sim.checker.fail('progress', `what was claimed never began: ${sim.describe()}`);
}

/** There is a run in the first cluster, then one in another, and from then on only the first one's controllers may lead. */
async function ranElsewhere(sim: Simulation): Promise<void> {
  const leader = await ledIn(sim, 1);
  await nextRun(sim);
  const other = sim.controllers.find(({ cluster }) => cluster !== leader.cluster);
  leader.handOver(other?.identity ?? '');
  await sim.run(LONG_MS, () => sim.leader === other);
  await nextRun(sim);
  keepIn(sim, leader.cluster);
}

/** The cron job of the controller's cluster. Throws when it has none. */
export function batchOf({ cluster }: SimController): SimBatch {
  if (!cluster.batch) throw new Error(`${cluster.id} has no cron job`);
  return cluster.batch;
}

/** Name of the Job that waits. */
function openJob({ jobs }: SimBatch): string | undefined {
  return jobs.find(({ spec }) => spec.suspend === true)?.metadata.name;
}

/** Runs until a Job may begin; its pod is on its way. */
async function released(sim: Simulation, batch: SimBatch): Promise<void> {
  const isReleased = () =>
    batch.jobs.some(({ spec, metadata }) => !spec.suspend && !batch.begun.includes(metadata.name));
  await sim.run(2 * MINUTE_MS, isReleased);
}

/** Runs until the next one begins. */
export async function nextRun(sim: Simulation): Promise<void> {
  const before = sim.checker.runs.size;
  await sim.run(4 * MINUTE_MS, () => sim.checker.runs.size > before);
  if (sim.checker.runs.size === before) sim.checker.fail('progress', `no run begins: ${sim.describe()}`);
}
