/**
 * The next step for the runs of a cron job, each of which is claimed in the ledger before it begins. Pure. A run that was
 * claimed and has not begun is begun by whoever leads next in its cluster; one that has begun is never begun again. A run
 * that a person asked for is its Job, in one cluster: that Job alone says whether it has begun, and the ledger never hears of it.
 */
import type { CronJob } from '../../api/children.ts';
import type { Claim } from '../../ledger/cron-ledger.ts';
import { isOpen, withClaim, withState } from '../../ledger/cron-ledger.ts';
import { isJobOver } from '../../reconcile/ending.ts';
import { isConfirmedGone, isGone } from '../../reconcile/gone.ts';
import { isActivated } from '../../reconcile/child.ts';
import { choose } from './catch-up.ts';
import { askedFor, dueInstants, instantsIn, isWaiting, madeAt, scheduled } from './instants.ts';
import { hasBegun, instantOf, jobName, originOf } from './jobs.ts';
import { begin, correctMark, stamp } from './mark.ts';
import { interruptedRun, leftOut, strayJob, unknownRun } from './notes.ts';
import type { Known, Move, RunsView } from './view.ts';

/** The next step; undefined: there is nothing to do at present. */
export function decideRuns(view: RunsView): Move | undefined {
  const { ledger } = view;
  if (!ledger) return begin(view);
  const known = { ...view, ledger };
  return (
    correctMark(known) ??
    stamp(known) ??
    takeOver(known) ??
    adopt(known) ??
    follow(known) ??
    dismiss(known) ??
    start(known)
  );
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
    notes: lost.map(({ instant }) => unknownRun(instant)),
  };
}

/**
 * Somebody let a run begin that was not claimed: a person, or Kubernetes before the runs were claimed. Its instant is never
 * begun again, also when its Job has gone.
 */
function adopt(view: Known): Move | undefined {
  const { ledger, term, clusterId, catchUp } = view;
  const begun = scheduled(view).filter(({ job, instant }) => instant > ledger.mark && !isWaiting(job, view));
  const [first] = begun.toSorted((a, b) => a.instant - b.instant);
  if (!first) return undefined;
  const { job, instant } = first;
  const state = isJobOver(job) ? 'done' : 'started';
  const claim: Claim = { instant, term, clusterId, jobUid: job.metadata.uid ?? '', state };
  const left = instantsIn(view, instant - 1);
  const notes = left.length > 0 ? [leftOut(left, catchUp, `Job ${job.metadata.name} had started without a claim`)] : [];
  return { do: 'write', ledger: withClaim(ledger, claim), notes };
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
    return { do: 'write', ledger: withState(ledger, claim, 'unknown'), notes: [unknownRun(claim.instant)] };
  if (!job || isJobOver(job)) return { do: 'write', ledger: withState(ledger, claim, 'done') };
  if (hasBegun(job)) {
    if (job.spec.suspend === true) return { do: 'remove', job, reason: 'Interrupted' };
    return isClaimed ? { do: 'write', ledger: withState(ledger, claim, 'started') } : undefined;
  }
  return isClaimed ? { do: 'resume', job } : { do: 'remove', job, reason: 'Interrupted' };
}

/** What was stopped midway, or waits and will not be claimed any more, would stand in the way of the next run. */
function dismiss(view: Known): Move | undefined {
  const { jobs, cronJob, ledger } = view;
  const parked = jobs.find((job) => job.spec.suspend === true && hasBegun(job) && !isJobOver(job));
  if (parked) {
    const isAskedFor = originOf(parked, cronJob).by === 'person';
    const note = interruptedRun(parked.metadata.name);
    return { do: 'remove', job: parked, reason: 'Interrupted', ...(isAskedFor && { note }) };
  }
  const waiting = jobs.filter((each) => isWaiting(each, view));
  const stray = waiting.find((each) => originOf(each, cronJob).by === 'unknown');
  if (stray) return { do: 'remove', job: stray, reason: 'Skipped', note: strayJob(stray.metadata.name) };
  const late = waiting.find((each) => (instantOf(each, cronJob) ?? Infinity) <= ledger.mark);
  return late && { do: 'remove', job: late, reason: 'Skipped' };
}

/** Whatever has waited longest, one at a time unless the spec says otherwise. */
function start(view: Known): Move | undefined {
  const isFree = view.cronJob.spec.concurrencyPolicy === 'Allow' || !isBusy(view);
  const [job] = isParked(view.cronJob) ? [] : askedFor(view);
  const [due = Infinity] = dueInstants(view);
  const asked = job && isFree ? ({ do: 'resume', job } as const) : undefined;
  return asked && madeAt(asked.job) < due ? asked : (startDue(view, isFree) ?? asked);
}

function startDue(view: Known, isFree: boolean): Move | undefined {
  const { ledger, cronJob, clusterId, term, catchUp, now, taken } = view;
  const { suspend, startingDeadlineSeconds } = cronJob.spec;
  const instants = dueInstants(view);
  const last = instants.at(-1);
  if (last === undefined) return undefined;
  if (suspend === true) return isParked(cronJob) ? undefined : { do: 'write', ledger: { ...ledger, mark: last } };
  if (!isFree) return undefined;
  const deadlineMs = (startingDeadlineSeconds ?? Infinity) * 1000;
  const { run, left } = choose({ instants, activeSince: ledger.activation.at, deadlineMs, catchUp, now });
  const notes = left.length > 0 ? [leftOut(left, catchUp)] : [];
  if (run === undefined) return { do: 'write', ledger: { ...ledger, mark: last }, notes };
  const found = scheduled(view).find(({ job, instant }) => instant === run && isWaiting(job, view));
  if (found) {
    const jobUid = found.job.metadata.uid ?? '';
    const claim: Claim = { instant: run, term, clusterId, jobUid, state: 'claimed' };
    return { do: 'write', ledger: withClaim(ledger, claim), notes };
  }
  const name = jobName(cronJob.metadata.name, run);
  if (!taken.has(name)) return { do: 'create', instant: run };
  const blocked = leftOut([run], catchUp, `Job ${name} exists and was not created by the schedule`);
  return { do: 'write', ledger: { ...ledger, mark: run }, notes: [...notes, blocked] };
}

/** Stopped with the tenant, not by its user: it is about to be activated, and may be of an old spec until then. */
function isParked(cronJob: CronJob): boolean {
  return cronJob.spec.suspend === true && !isActivated(cronJob);
}

/** A run goes on, or has not ended yet although its Job has been told to. */
function isBusy({ jobs, pods }: Known): boolean {
  return (
    jobs.some((job) => hasBegun(job) && !isJobOver(job)) || pods.some((pod) => !isGone(pod) && !isConfirmedGone(pod))
  );
}
