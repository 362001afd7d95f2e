/** Runs of a cron job that were not claimed, or that a person asked for, and a ledger that was spoiled (#17). */
import { cellKeys } from '../lease/cell-store.ts';
import { decodeLedger, encodeLedger } from '../ledger/cron-ledger.ts';
import { CRON, MINUTE_MS } from './batch.ts';
import { TENANT } from './actor.ts';
import { calm } from './link.ts';
import type { Schedule } from './schedule.ts';
import { batchOf, nextRun } from './schedules.runs.ts';
import type { Simulation } from './simulation.ts';
import { cut, keepIn, ledIn, TIMING } from './steps.ts';

const { ttlMs } = TIMING;
const LONG_MS = 12 * ttlMs;
const PLACE = { clusters: 2, machines: 4, catchUp: 'All', clocksAgree: true } as const;
const LEDGER = cellKeys.ledger(TENANT, 'default', CRON);

/** The schedules by their numbers. */
export const unclaimedSchedules: Readonly<Record<string, Schedule>> = {
  '#17, begun without a claim': {
    what: 'Kubernetes begins a run by the template of before, and its Job is removed when it has ended',
    place: PLACE,
    async play(sim) {
      const leader = await ledIn(sim, 1);
      const batch = batchOf(leader);
      await nextRun(sim);
      keepIn(sim, leader.cluster);
      await sim.run(MINUTE_MS / 2, () => batch.running.length === 1);
      batch.hold(false);
      await nextRun(sim);
      batch.hold(true);
      await sim.run(MINUTE_MS / 2, () => batch.running.length === 1);
      await sim.run(3000);
      batch.delete('user', batch.begun.at(-1) ?? '', {});
      await nextRun(sim);
    },
  },
  '#17, asked for': {
    what: 'a person asks for runs while one goes on; their names look like anything',
    place: PLACE,
    async play(sim) {
      const batch = batchOf(await ledIn(sim, 1));
      await nextRun(sim);
      const names = [`${CRON}-manual`, `${CRON}-99999999`, `${CRON}-20300101`];
      for (const name of names) batch.ask(name);
      await asked(sim, () => names.every((name) => batch.begun.includes(name)));
      await nextRun(sim);
    },
  },
  '#17, asked for, parked midway': {
    what: 'a cluster is cut off from the store while a run goes on that a person asked for, and leads again later',
    place: { ...PLACE, machines: 2, graceMs: 2 * ttlMs },
    async play(sim) {
      const leader = await ledIn(sim, 1);
      const batch = batchOf(leader);
      batch.ask(`${CRON}-manual`);
      await asked(sim, () => batch.begun.includes(`${CRON}-manual`));
      cut(leader);
      await sim.run(LONG_MS, () => sim.leader !== undefined && sim.leader !== leader);
      leader.toStore.conditions = calm;
      await nextRun(sim);
      sim.leader?.handOver(leader.identity);
      await sim.run(LONG_MS, () => sim.leader === leader);
      await nextRun(sim);
    },
  },
  '#17, a mark far ahead': {
    what: 'somebody writes into the ledger that all runs of three thousand years are decided',
    place: PLACE,
    async play(sim) {
      await ledIn(sim, 1);
      await nextRun(sim);
      sim.store.overwrite(LEDGER, (text) => {
        const { ledger, incarnation } = decodeLedger(text);
        return encodeLedger({ ...ledger, mark: Date.UTC(5384, 2, 1) }, incarnation);
      });
      await nextRun(sim);
    },
  },
};

async function asked(sim: Simulation, haveBegun: () => boolean): Promise<void> {
  await sim.run(4 * MINUTE_MS, haveBegun);
  if (!haveBegun()) sim.checker.fail('progress', `what was asked for never began: ${sim.describe()}`);
}
