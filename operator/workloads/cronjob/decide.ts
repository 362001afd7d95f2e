/**
 * The next step for the runs of a cron job, each of which is claimed in the ledger before it begins. Pure. A run that was
 * claimed and has not begun is begun by whoever leads next in its cluster; one that has begun is never begun again.
 */
import type { CronJob, Job } from '../../api/children.ts';
import { annotations } from '../../api/group.ts';
import type { Pod } from '../../api/kubernetes.ts';
import type { Claim, CronLedger } from '../../ledger/cron-ledger.ts';
import { isOpen, withClaim, withState } from '../../ledger/cron-ledger.ts';
import { lastBefore } from '../../lib/cron-next.ts';
import { parseSchedule } from '../../lib/cron.ts';
import { isJobOver } from '../../reconcile/ending.ts';
import { isConfirmedGone, isGone } from '../../reconcile/gone.ts';
import { numberAnnotation } from '../../reconcile/metadata.ts';
import type { CatchUp } from './catch-up.ts';
import { choose, MOST_CAUGHT_UP } from './catch-up.ts';
import { hasBegun, instantOf } from './jobs.ts';

export interface Note {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
}

export type Move =
  | { readonly do: 'write'; readonly ledger: CronLedger; readonly notes?: readonly Note[] }
  /** On the CronJob: what the ledger says must survive the loss of the ledger, and people want to see it. */
  | { readonly do: 'stamp'; readonly mark: number; readonly lastRun: number | undefined }
  | { readonly do: 'create'; readonly instant: number }
  | { readonly do: 'resume'; readonly job: Job }
  | { readonly do: 'remove'; readonly job: Job; readonly reason: string };

export interface RunsView {
  readonly ledger: CronLedger | undefined;
  /** The store may have lost writes since the ledger was written. */
  readonly mayBeOld: boolean;
  /** No other cluster shares the tenant, so what this one remembers is all that has run. */
  readonly isAlone: boolean;
  readonly cronJob: CronJob;
  /** Of this CronJob, none that is being deleted. */
  readonly jobs: readonly Job[];
  /** Of its runs, also of those whose Job is being deleted or has gone. */
  readonly pods: readonly Pod[];
  /** Of the workload, milliseconds since the epoch: what was due before does not concern it. */
  readonly createdAt: number;
  readonly clusterId: string;
  readonly term: number;
  readonly catchUp: CatchUp;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

type Known = RunsView & { readonly ledger: CronLedger };

/** So long is it left to Kubernetes to make the Job of a run that is due. */
const PATIENCE_MS = 10_000;

export function decideRuns(view: RunsView): Move | undefined {
  const { ledger } = view;
  if (!ledger) return begin(view);
  const known = { ...view, ledger };
  return catchUpMark(known) ?? stamp(known) ?? takeOver(known) ?? follow(known) ?? dismiss(known) ?? start(known);
}

/**
 * Without a ledger nothing older than now is run, unless Kubernetes had the runs to itself until now. A stamp says that
 * there has been a ledger.
 */
function begin({ cronJob, clusterId, isAlone, now }: RunsView): Move {
  const last = Date.parse(cronJob.status?.lastScheduleTime ?? '');
  const stamped = stampOf(cronJob);
  const first = Number.isNaN(last) ? now : last;
  const mark = stamped === undefined ? first : Math.max(stamped, isAlone ? 0 : now);
  return { do: 'write', ledger: { mark, activation: { clusterId, at: now }, claims: [] } };
}

/**
 * A ledger that came back from a backup is behind the stamp, and behind what other clusters have claimed since: nobody can
 * tell what that was. One of a deleted workload is behind its successor's start.
 */
function catchUpMark(view: Known): Move | undefined {
  const { ledger, cronJob, createdAt, mayBeOld, isAlone, now, catchUp } = view;
  const mark = Math.max(ledger.mark, stampOf(cronJob) ?? 0, createdAt, mayBeOld && !isAlone ? now : 0);
  if (mark === ledger.mark && !mayBeOld) return undefined;
  const left = mayBeOld ? instantsIn(view, mark) : [];
  const notes = left.length > 0 ? [leftOut(left, catchUp, 'what was claimed may be lost')] : [];
  return { do: 'write', ledger: { ...ledger, mark }, notes };
}

/** Before anything that was claimed begins. */
function stamp({ ledger: { mark, claims }, cronJob }: Known): Move | undefined {
  return (stampOf(cronJob) ?? -Infinity) < mark ? { do: 'stamp', mark, lastRun: claims.at(-1)?.instant } : undefined;
}

function takeOver({ ledger, clusterId, now }: Known): Move | undefined {
  if (ledger.activation.clusterId === clusterId) return undefined;
  const lost = ledger.claims.filter(({ state }) => state === 'claimed');
  const claims = ledger.claims.map((claim): Claim => {
    if (!isOpen(claim)) return claim;
    return { ...claim, state: claim.state === 'claimed' ? 'unknown' : 'done' };
  });
  return {
    do: 'write',
    ledger: { ...ledger, claims, activation: { clusterId, at: now } },
    notes: lost.map(unknownRun),
  };
}

function follow(view: Known): Move | undefined {
  for (const claim of view.ledger.claims) {
    const move = isOpen(claim) ? followOne(view, claim) : undefined;
    if (move) return move;
  }
  return undefined;
}

function followOne({ ledger, jobs }: Known, claim: Claim): Move | undefined {
  const job = jobs.find(({ metadata }) => metadata.uid === claim.jobUid);
  const isClaimed = claim.state === 'claimed';
  if (!job && isClaimed)
    return { do: 'write', ledger: withState(ledger, claim, 'unknown'), notes: [unknownRun(claim)] };
  if (!job || isJobOver(job)) return { do: 'write', ledger: withState(ledger, claim, 'done') };
  if (hasBegun(job)) {
    if (job.spec.suspend === true) return { do: 'remove', job, reason: 'Interrupted' };
    return isClaimed ? { do: 'write', ledger: withState(ledger, claim, 'started') } : undefined;
  }
  return isClaimed ? { do: 'resume', job } : { do: 'remove', job, reason: 'Interrupted' };
}

/** What was stopped midway, or waits and will not be claimed any more, would stand in the way of the next run. */
function dismiss(view: Known): Move | undefined {
  const parked = view.jobs.find((job) => job.spec.suspend === true && hasBegun(job) && !isJobOver(job));
  if (parked) return { do: 'remove', job: parked, reason: 'Interrupted' };
  const job = waiting(view).find((each) => instantOf(each) <= view.ledger.mark);
  return job && { do: 'remove', job, reason: 'LeftOut' };
}

function start(view: Known): Move | undefined {
  const { ledger, cronJob, clusterId, term, catchUp, now } = view;
  const { suspend, startingDeadlineSeconds, concurrencyPolicy } = cronJob.spec;
  const instants = dueInstants(view);
  const last = instants.at(-1);
  if (last === undefined) return undefined;
  if (suspend === true) return isParked(cronJob) ? undefined : { do: 'write', ledger: { ...ledger, mark: last } };
  if (concurrencyPolicy !== 'Allow' && isBusy(view)) return undefined;
  const deadlineMs = (startingDeadlineSeconds ?? Infinity) * 1000;
  const { run, left } = choose({ instants, activeSince: ledger.activation.at, deadlineMs, catchUp, now });
  const notes = left.length > 0 ? [leftOut(left, catchUp)] : [];
  if (run === undefined) return { do: 'write', ledger: { ...ledger, mark: last }, notes };
  const job = waiting(view).find((each) => instantOf(each) === run);
  if (!job) return { do: 'create', instant: run };
  const claim: Claim = { instant: run, term, clusterId, jobUid: job.metadata.uid ?? '', state: 'claimed' };
  return { do: 'write', ledger: withClaim(ledger, claim), notes };
}

/** Stopped with the tenant, not by its user: it is about to be activated, and may be of an old spec until then. */
function isParked(cronJob: CronJob): boolean {
  return numberAnnotation(cronJob, annotations.activationTerm) === undefined;
}

/** A run goes on, or has not ended yet although its Job has been told to. */
function isBusy({ jobs, pods }: Known): boolean {
  return (
    jobs.some((job) => hasBegun(job) && !isJobOver(job)) || pods.some((pod) => !isGone(pod) && !isConfirmedGone(pod))
  );
}

/** Not claimed, and kept from beginning. */
function waiting({ jobs, ledger }: Known): readonly Job[] {
  const claimed = new Set(ledger.claims.map(({ jobUid }) => jobUid));
  return jobs.filter((job) => !hasBegun(job) && !isJobOver(job) && !claimed.has(job.metadata.uid ?? ''));
}

/** After the mark. Those of `@every` are only known from what Kubernetes makes of it. */
function dueInstants(view: Known): readonly number[] {
  const { ledger, now } = view;
  const made = waiting(view).map(instantOf);
  const all = [...new Set([...made, ...instantsIn(view, now - PATIENCE_MS)])].filter((at) => at > ledger.mark);
  return all.toSorted((a, b) => a - b);
}

/** The last of those after the mark, as the schedule has them. */
function instantsIn({ ledger, cronJob: { spec } }: Known, until: number): readonly number[] {
  const schedule = parseSchedule(spec.schedule);
  const span = { after: ledger.mark, until, count: MOST_CAUGHT_UP + 1 };
  return 'everyMs' in schedule ? [] : lastBefore(schedule, spec.timeZone ?? 'Etc/UTC', span);
}

function stampOf(cronJob: CronJob): number | undefined {
  return numberAnnotation(cronJob, annotations.lastClaimed);
}

function unknownRun({ instant }: Claim): Note {
  const note = `Whether the run of ${timeOf(instant)} has begun cannot be told any more; it is not begun again`;
  return { type: 'Warning', reason: 'RunUnknown', note };
}

function leftOut(instants: readonly number[], catchUp: CatchUp, because = `catchUp: ${catchUp}`): Note {
  const times = instants.map(timeOf);
  const which =
    times.length > 3 ? `${times.length} runs from ${times[0] ?? ''} to ${times.at(-1) ?? ''}` : times.join(', ');
  return { type: 'Warning', reason: 'RunsLeftOut', note: `Left out: ${which} (${because})` };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
