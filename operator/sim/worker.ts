/** Plays a batch of seeds, or all schedules, in a thread of its own. */
import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { Profile } from './profiles.ts';
import type { RunResult } from './run.ts';
import { runSeed } from './run.ts';
import { runSchedule, schedules } from './schedules.ts';

/** Which seeds and schedules are played. */
export interface Batch {
  readonly from: number;
  readonly seeds: number;
  /** Default: by each seed. */
  readonly profile?: Profile;
  /** Whether the named schedules are played first. */
  readonly schedules: boolean;
  /** Stop at the first violation. */
  readonly untilFound: boolean;
  /** How many lines of each trace to keep; unless told, the last ones of failing runs only. */
  readonly lines?: number;
}

/** What the thread says: one message per run. */
export type Report = RunResult;

/** By `nice`: a third of what others have. */
const PRIORITY = 5;

async function play(batch: Batch): Promise<void> {
  const options = batch.lines === undefined ? {} : { lines: batch.lines };
  if (batch.schedules) {
    for (const name of Object.keys(schedules))
      if (tell(await runSchedule(name, batch.lines)) && batch.untilFound) return;
  }
  for (let seed = batch.from; seed < batch.from + batch.seeds; seed++) {
    const run = { seed, ...options, ...(batch.profile ? { profile: batch.profile } : {}) };
    if (tell(await runSeed(run)) && batch.untilFound) return;
  }
}

/** Whether something was found. */
function tell(result: RunResult): boolean {
  const wanted = result.violation !== undefined || (workerData as Batch).lines !== undefined;
  const report: Report = wanted ? result : { ...result, lines: [] };
  parentPort?.postMessage(report);
  return result.violation !== undefined;
}

// Simulated time waits; whatever else runs here may be watching a clock. A thread may lower its priority, but not raise it.
if (getPriority() < PRIORITY) setPriority(PRIORITY);
await play(workerData as Batch);
