/** Which runs of a cron job are due. Pure. */
import type { Job } from '../../api/children.ts';
import { nextOnceAfter } from '../../lib/summer-time.ts';
import { lastBefore } from '../../lib/cron-next.ts';
import { isJobOver } from '../../reconcile/ending.ts';
import { MOST_CAUGHT_UP } from './catch-up.ts';
import { hasBegun, instantOf, originOf, scheduleOf, zoneOf } from './jobs.ts';
import type { Known } from './view.ts';

/**
 * So long is it left to Kubernetes to make the Job of a run that is due; and so much may its clock be ahead, milliseconds.
 */
export const PATIENCE_MS = 10_000;

/** A Job and the time at which its run was due, milliseconds since the epoch. */
export interface Scheduled {
  readonly job: Job;
  readonly instant: number;
}

/** Jobs that the schedule asks for, or did until now. */
export function scheduled({ jobs, cronJob, now }: Known): readonly Scheduled[] {
  return jobs.flatMap((job) => {
    const instant = instantOf(job, cronJob);
    return instant === undefined || instant > now + PATIENCE_MS ? [] : [{ job, instant }];
  });
}

/** Not claimed, and kept from beginning. */
export function isWaiting(job: Job, { ledger }: Known): boolean {
  return !hasBegun(job) && !isJobOver(job) && !ledger.claims.some(({ jobUid }) => jobUid === job.metadata.uid);
}

/** Which a person asked for, the earliest first. */
export function askedFor(view: Known): readonly Job[] {
  return view.jobs
    .filter((job) => isWaiting(job, view) && originOf(job, view.cronJob).by === 'person')
    .toSorted((a, b) => madeAt(a) - madeAt(b));
}

/** Milliseconds since the epoch. */
export function madeAt({ metadata }: Job): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0;
}

/** After the mark. Those of `@every` are only known from what Kubernetes makes of it. */
export function dueInstants(view: Known): readonly number[] {
  const made = scheduled(view).flatMap(({ job, instant }) => (isWaiting(job, view) ? [instant] : []));
  const all = [...new Set([...made, ...instantsIn(view, view.now - PATIENCE_MS)])];
  return all.filter((at) => at > view.ledger.mark).toSorted((a, b) => a - b);
}

/** The last of those after the mark, as the schedule has them. */
export function instantsIn({ ledger, cronJob }: Known, until: number): readonly number[] {
  const schedule = scheduleOf(cronJob);
  if (!schedule || 'everyMs' in schedule) return [];
  const span = { after: ledger.mark, until, count: MOST_CAUGHT_UP + 1 };
  return lastBefore(schedule, zoneOf(cronJob), span, nextOnceAfter);
}
