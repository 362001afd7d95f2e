/** How far the runs of a cron job are decided: where that begins, what moves it besides claims, and where it must survive. Pure. */
import type { CronJob } from '../../api/children.ts';
import { annotations } from '../../api/group.ts';
import type { CronLedger } from '../../ledger/cron-ledger.ts';
import { numberAnnotation } from '../../reconcile/metadata.ts';
import { instantsIn } from './instants.ts';
import { corrected, leftOut } from './notes.ts';
import type { Known, Move, RunsView } from './view.ts';

/** No two clocks of API servers are further apart: what lies further ahead is a mistake, or somebody's wish that nothing runs. */
const AHEAD_MS = 3_600_000;

/** Whether a mark can be true at `now`; both in milliseconds since the epoch. */
export function isPlausible(instant: number, now: number): boolean {
  return instant <= now + AHEAD_MS;
}

/** What a cron job starts from that is seen for the first time, and has no CronJob yet whose runs are claimed. */
export function firstLedger({
  isAlone,
  createdAt,
  lastRun,
  clusterId,
  now,
}: Pick<RunsView, 'isAlone' | 'createdAt' | 'clusterId' | 'now'> & { readonly lastRun: number }): CronLedger {
  // What another cluster has run of it nobody can tell.
  const mark = isAlone ? Math.min(Math.max(createdAt, lastRun), now) : now;
  return { mark, activation: { clusterId, at: now }, claims: [] };
}

/**
 * Without a ledger nothing older than now is run, unless Kubernetes had the runs to itself until now. A stamp says that
 * there has been a ledger.
 */
export function begin({ cronJob, clusterId, isAlone, now }: RunsView): Move {
  const { metadata, status } = cronJob;
  const since = status?.lastScheduleTime ?? (isAlone ? metadata.creationTimestamp : undefined);
  const stamped = stampOf(cronJob, now);
  const first = since === undefined ? now : Math.min(Date.parse(since), now);
  const mark = stamped === undefined ? first : Math.max(stamped, isAlone ? 0 : now);
  return { do: 'write', ledger: { mark, activation: { clusterId, at: now }, claims: [] } };
}

/**
 * A ledger that came back from a backup is behind the stamp, and behind what other clusters have claimed since: nobody can
 * tell what that was. One of a deleted workload is behind its successor's start. One that is ahead of all clocks would
 * keep back every run.
 */
export function correctMark(view: Known): Move | undefined {
  const { ledger, cronJob, createdAt, mayBeOld, isAlone, now, catchUp } = view;
  const isAhead = !isPlausible(ledger.mark, now);
  const reached = [
    isAhead ? now : ledger.mark,
    stampOf(cronJob, now) ?? 0,
    isPlausible(createdAt, now) ? createdAt : 0,
  ];
  const mark = Math.max(...reached, mayBeOld && !isAlone ? now : 0);
  const claims = ledger.claims.filter(({ instant }) => isPlausible(instant, now));
  if (mark === ledger.mark && claims.length === ledger.claims.length && !mayBeOld) return undefined;
  const left = mayBeOld ? instantsIn(view, mark) : [];
  const notes = left.length > 0 ? [leftOut(left, catchUp, 'earlier claims may be lost')] : [];
  if (isAhead) notes.unshift(corrected(ledger.mark, mark));
  return { do: 'write', ledger: { ...ledger, mark, claims }, notes };
}

/** Before anything that was claimed begins. */
export function stamp({ ledger: { mark, claims }, cronJob, now }: Known): Move | undefined {
  const isStamped = (stampOf(cronJob, now) ?? -Infinity) >= mark;
  return isStamped ? undefined : { do: 'stamp', mark, lastRun: claims.at(-1)?.instant };
}

/** One that is ahead of all clocks is none. */
function stampOf(cronJob: CronJob, now: number): number | undefined {
  const stamped = numberAnnotation(cronJob, annotations.lastClaimed);
  return stamped !== undefined && isPlausible(stamped, now) ? stamped : undefined;
}
