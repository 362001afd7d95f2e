/** A seed played through: chaos, healing, and a time of calm in which nothing may happen any more. */
import type { CatchUp } from '../workloads/cronjob/catch-up.ts';
import type { Violation } from './checker.ts';
import { Nemesis } from './nemesis.ts';
import type { Fault, Profile } from './profiles.ts';
import { people, profileNames, profiles } from './profiles.ts';
import type { Play, SimulationOptions } from './play.ts';
import { Simulation } from './simulation.ts';
import { WideSimulation } from './wide/simulation.ts';

/** Which seed, and which faults. */
export interface RunOptions {
  readonly seed: number;
  /** Default: by the seed. */
  readonly profile?: Profile;
  /** How many lines of the trace to keep. */
  readonly lines?: number;
}

/** How a run ended; equal inputs give equal results. */
export interface RunResult {
  readonly seed: number;
  /** Name of the profile or schedule. */
  readonly profile: string;
  readonly isSchedule: boolean;
  readonly violation: Violation | undefined;
  /** Over everything that happened. */
  readonly hash: string;
  readonly events: number;
  readonly elections: number;
  /** How often the known hole was met; see `Checker.holes`. */
  readonly holes: number;
  /** How many containers were parked. */
  readonly parkings: number;
  /** Milliseconds of simulated time. */
  readonly simulatedMs: number;
  readonly lines: readonly string[];
}

/** Chaos lasts for so many times the lease; runs of a cron job are minutes apart. */
const CHAOS = 8;
const CHAOS_WITH_RUNS = 30;
/** After it has settled, the system must stay so for as many. */
const CALM = 2;
/** In one of so many runs with people a cluster does not come back, and they say so. */
const BURIED = 3;
/** A run that is due may have to wait for the one before it, and for its Job to be made anew. */
const NEXT_RUN_MS = 180_000;

/** Plays one seed. */
export async function runSeed({ seed, profile: wanted, lines }: RunOptions): Promise<RunResult> {
  const profile = wanted ?? profileNames[seed % profileNames.length] ?? 'everything';
  const hasPeople = people.some((each) => (profiles[profile] as readonly Fault[]).includes(each));
  const options = { seed, hasPeople, ...clustersOf(profile, seed), ...(lines !== undefined && { lines }) };
  const sim: Play = profile.startsWith('wide') ? new WideSimulation(options) : new Simulation(options);
  const { world, checker, timing } = sim;
  for (const machine of sim.machines) {
    world.at(world.chance.skewed(0, timing.ttlMs), () => void sim.startController(machine));
  }
  const nemesis = new Nemesis(sim, profiles[profile]);
  nemesis.start();
  await sim.run((sim.hasCron ? CHAOS_WITH_RUNS : CHAOS) * timing.ttlMs);
  nemesis.stop();
  if (hasPeople && seed % BURIED === 0) nemesis.bury();
  if (profile.startsWith('wide')) sim.pauseTenant(false); // a backup may have brought a pause back
  world.note('nemesis', 'all is healed that can be');
  if (!checker.violation) await settle(sim);
  return resultOf(sim, { seed, profile, isSchedule: false });
}

const CATCH_UPS: readonly CatchUp[] = ['None', 'Last', 'All'];

/** Every fourth of those with several clusters is `strict`, every third has three of them, every fifth a cron job. */
function clustersOf(profile: Profile, seed: number): Pick<SimulationOptions, 'clusters' | 'takeover' | 'catchUp'> {
  if (!/^(clusters|wide)/.test(profile)) return {};
  const catchUp = seed % 5 === 0 ? CATCH_UPS[(seed / 5) % CATCH_UPS.length] : undefined;
  return {
    clusters: seed % 3 === 0 ? 3 : 2,
    takeover: seed % 4 === 0 ? 'strict' : 'bounded',
    ...(catchUp && { catchUp }),
  };
}

/** The result of a run that has ended. */
export function resultOf(sim: Play, played: Pick<RunResult, 'seed' | 'profile' | 'isSchedule'>): RunResult {
  const { world, checker } = sim;
  return {
    ...played,
    violation: checker.violation,
    hash: world.trace.hash,
    events: world.trace.count,
    elections: checker.elections,
    holes: checker.holes,
    parkings: checker.parkings,
    simulatedMs: world.now,
    lines: world.trace.lines,
  };
}

/** Machines that are stopped at the end come back by themselves; time counts from then on. */
export async function settle(sim: Play): Promise<void> {
  const { checker, timing } = sim;
  await sim.run(3 * timing.ttlMs, () => sim.machines.every((machine) => !machine.isBusy));
  const bound = sim.progressBoundMs;
  await sim.run(bound, () => sim.isSettled);
  if (checker.violation) return;
  if (!sim.isSettled)
    return checker.fail('progress', `not settled ${Math.round(bound)} ms after healing: ${sim.describe()}`);
  await sim.run(CALM * timing.ttlMs);
  await sim.run(bound, () => sim.isWhereItBelongs && sim.isSettled);
  if (!checker.violation && !sim.isWhereItBelongs)
    return checker.fail('progress', `a cluster that comes first does not lead: ${sim.describe()}`);
  if (!sim.hasCron || checker.violation) return;
  const runs = checker.runs.size;
  await sim.run(NEXT_RUN_MS, () => checker.runs.size > runs);
  if (!checker.violation && checker.runs.size === runs)
    checker.fail('progress', `no run began in ${NEXT_RUN_MS} ms: ${sim.describe()}`);
}
