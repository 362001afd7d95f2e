/** Which of the runs that are due is the next to be begun, and which are left out. Pure. */
import type { CronJobSpec } from '../../api/cronjob.ts';

/** What becomes of runs that were missed. */
export type CatchUp = CronJobSpec['catchUp'];

/** Runs that `All` makes up for at most. */
export const MOST_CAUGHT_UP = 10;

/** The runs that are due, and what limits them. */
export interface Due {
  /** Milliseconds since the epoch, the earliest first. */
  readonly instants: readonly number[];
  /** Since when the cron job is active in this cluster: what was due before was missed. */
  readonly activeSince: number;
  /** Milliseconds that a run may be late. */
  readonly deadlineMs: number;
  readonly catchUp: CatchUp;
  readonly now: number;
}

/** What is decided about runs that are due. */
export interface Choice {
  readonly run: number | undefined;
  /** Decided by this choice: they are not run. */
  readonly left: readonly number[];
}

/** Which run is next; `undefined`: none. */
export function choose({ instants, activeSince, deadlineMs, catchUp, now }: Due): Choice {
  const inTime = instants.filter((at) => at >= now - deadlineMs);
  const wanted = catchUp === 'None' ? inTime.filter((at) => at > activeSince) : inTime;
  const run = catchUp === 'All' ? wanted.slice(-MOST_CAUGHT_UP)[0] : wanted.at(-1);
  return { run, left: instants.filter((at) => run === undefined || at < run) };
}
