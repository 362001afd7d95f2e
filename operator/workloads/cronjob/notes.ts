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
  const note = `The run of ${timeOf(instant)} may have started already; it is not started again`;
  return { type: 'Warning', reason: 'RunUnknown', note };
}

/** About runs that were due and are not started. */
export function leftOut(instants: readonly number[], catchUp: CatchUp, because = `catchUp: ${catchUp}`): Note {
  const times = instants.map(timeOf);
  const which =
    times.length > 3 ? `${times.length} runs from ${times[0] ?? ''} to ${times.at(-1) ?? ''}` : times.join(', ');
  return { type: 'Warning', reason: 'RunsSkipped', note: `Skipped: ${which} (${because})` };
}

/** `from`: where the mark was, which no clock explains. */
export function corrected(from: number, to: number): Note {
  const note = `The ledger recorded all runs up to ${timeOf(from)}, a time in the future, as decided; corrected to ${timeOf(to)}`;
  return { type: 'Warning', reason: 'LedgerCorrected', note };
}

/** About a Job whose time the schedule does not have. */
export function strayJob(job: string): Note {
  const note = `Job ${job} was removed before it ran: its time is not on the schedule`;
  return { type: 'Warning', reason: 'RunsSkipped', note };
}

/** Of a run that a person asked for. */
export function interruptedRun(job: string): Note {
  const note = `Job ${job} was stopped together with this cluster and is not restarted; create it again to run it`;
  return { type: 'Warning', reason: 'RunInterrupted', note };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
