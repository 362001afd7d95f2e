/** What people read in events about the runs of a cron job. Pure. */
import type { CatchUp } from './catch-up.ts';

/** An event about runs. */
export interface Note {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
}

/** About a run of which nobody knows whether it began; `instant`: milliseconds since the epoch. */
export function unknownRun(instant: number): Note {
  const note = `Whether the run of ${timeOf(instant)} has begun cannot be told any more; it is not begun again`;
  return { type: 'Warning', reason: 'RunUnknown', note };
}

/** About runs that were due and are not started. */
export function leftOut(instants: readonly number[], catchUp: CatchUp, because = `catchUp: ${catchUp}`): Note {
  const times = instants.map(timeOf);
  const which =
    times.length > 3 ? `${times.length} runs from ${times[0] ?? ''} to ${times.at(-1) ?? ''}` : times.join(', ');
  return { type: 'Warning', reason: 'RunsSkipped', note: `Left out: ${which} (${because})` };
}

/** `from`: where the mark was, which no clock explains. */
export function corrected(from: number, to: number): Note {
  const note = `The ledger said that all runs up to ${timeOf(from)} are decided, which is in the future: corrected to ${timeOf(to)}`;
  return { type: 'Warning', reason: 'LedgerCorrected', note };
}

/** About a Job whose time the schedule does not have. */
export function strayJob(job: string): Note {
  const note = `Job ${job} was removed without a run: it is made for a time at which the schedule does not come round`;
  return { type: 'Warning', reason: 'RunsSkipped', note };
}

/** Of a run that a person asked for. */
export function interruptedRun(job: string): Note {
  const note = `Job ${job} was stopped with this cluster while it ran, and is not begun again; create it anew to run it`;
  return { type: 'Warning', reason: 'RunInterrupted', note };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
