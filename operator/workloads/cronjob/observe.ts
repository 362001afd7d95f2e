/** What a WorkloadCronJob's CronJob and its Jobs say about it. Pure: the only clock is that of the sight. */
import type { CronJob, Job } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import type { CronJobSpec, CronJobStatus } from '../../api/cronjob.ts';
import { annotations } from '../../api/group.ts';
import type { Pod } from '../../api/kubernetes.ts';
import { nextOnceAfter } from '../../lib/summer-time.ts';
import { nextAfter } from '../../lib/cron-next.ts';
import type { Facts, Sight } from '../../reconcile/child-look.ts';
import { isJobOver } from '../../reconcile/ending.ts';
import { controllerOf, numberAnnotation } from '../../reconcile/metadata.ts';
import type { MissingPod } from '../../reconcile/missing-pod.ts';
import { troubleOf } from '../../reconcile/replicas.ts';
import type { Report } from '../../reconcile/status.ts';
import { timestamp } from '../../reconcile/status.ts';
import { isOf, scheduleOf, zoneOf } from './jobs.ts';
import { isPlausible } from './mark.ts';

/** The part of the status that only this kind has. */
export function facts(sight: Sight): Facts & CronJobStatus {
  const live = cronJobOf(sight);
  const lastRun = runs(sight)[0]?.metadata.name;
  if (!live) return { active: false, healthy: false, activeRuns: 0, lastRun };
  const active = live.spec.suspend !== true;
  const next = active ? nextOf(live, sight.now) : undefined;
  return {
    active,
    healthy: active && failedRun(sight) === undefined,
    nextScheduleTime: next === undefined ? undefined : timestamp(next),
    lastScheduleTime: lastScheduleOf(live, sight.now),
    lastSuccessfulTime: live.status?.lastSuccessfulTime,
    activeRuns: underWay(sight).length,
    lastRun,
  };
}

/** Also of a run in another cluster. */
function lastScheduleOf(live: CronJob, now: number): string | undefined {
  const here = live.status?.lastScheduleTime;
  const anywhere = numberAnnotation(live, annotations.lastRun);
  if (anywhere === undefined || !isPlausible(anywhere, now)) return here;
  return anywhere <= Date.parse(here ?? '') ? here : timestamp(anywhere);
}

/** A timer of Node's ends after 25 days at most, and a clock may be set in between. */
const LONGEST_WAIT_MS = 3_600_000;

/** Whether the schedule is kept, and how the last run ended. */
export function verdict(sight: Sight, spec: CronJobSpec): Report {
  const live = cronJobOf(sight);
  if (!live) return { state: 'working', reason: 'Creating', message: 'Creating the CronJob' };
  if (spec.suspend)
    return { state: 'resting', reason: 'Suspended', message: 'spec.suspend is true: runs are not started' };
  const next = nextOf(live, sight.now);
  const again = next === undefined ? {} : { requeueAfterMs: Math.min(next + 1000 - sight.now, LONGEST_WAIT_MS) };
  const failed = failedRun(sight);
  if (failed) return { ...failure(failed), ...again };
  const problem = underWay(sight).length > 0 ? troubleOf(sight)?.problem : undefined;
  const message = `Runs start on schedule ${spec.schedule} (${spec.timeZone})`;
  return { state: 'done', reason: 'Scheduled', message, ...(problem === undefined ? {} : { problem }), ...again };
}

function cronJobOf({ owner, live }: Sight): CronJob | undefined {
  return live.get<CronJob>(childTypes.cronJobs, owner.name);
}

function nextOf(live: CronJob, now: number): number | undefined {
  const { metadata, spec, status } = live;
  const schedule = scheduleOf(live);
  if (!schedule) return undefined;
  const anchor = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp ?? '');
  // Where Kubernetes alone starts the runs, it does so as it reads the clock.
  const next = spec.jobTemplate.spec.suspend === true ? nextOnceAfter : nextAfter;
  return next(schedule, zoneOf(live), now, Number.isNaN(anchor) ? now : anchor);
}

/** The latest first. */
function runs({ live }: Sight): readonly Job[] {
  return live.list<Job>(childTypes.jobs).toSorted((a, b) => startOf(b).localeCompare(startOf(a)));
}

/** Also of those that Kubernetes does not count, because a person asked for them; not those that wait for their claim. */
function underWay(sight: Sight): readonly Job[] {
  const live = cronJobOf(sight);
  return live ? runs(sight).filter((job) => isOf(job, live) && job.spec.suspend !== true && !isJobOver(job)) : [];
}

/** Of a run that has begun and has no pod yet. */
export function missingPod(sight: Sight): MissingPod | undefined {
  const owned = new Set(sight.live.list<Pod>(childTypes.pods).map((pod) => controllerOf(pod)?.uid));
  const job = underWay(sight).find(({ metadata: { uid }, status: { active = 0, succeeded = 0, failed = 0 } = {} }) => {
    return active + succeeded + failed === 0 && !owned.has(uid);
  });
  return job && { makerUid: job.metadata.uid ?? '', name: job.metadata.name, template: job.spec.template };
}

function startOf({ metadata, status }: Job): string {
  return status?.startTime ?? metadata.creationTimestamp ?? '';
}

/** The last run that ended, if it failed and ran what is asked for now. */
function failedRun(sight: Sight): Job | undefined {
  const hash = cronJobOf(sight)?.metadata.annotations?.[annotations.templateHash];
  const last = runs(sight).find((job) => hasCondition(job, 'Complete') || hasCondition(job, 'Failed'));
  if (!last || hasCondition(last, 'Complete')) return undefined;
  return last.metadata.annotations?.[annotations.templateHash] === hash ? last : undefined;
}

function hasCondition({ status }: Job, type: string): boolean {
  return status?.conditions?.some((each) => each.type === type && each.status === 'True') ?? false;
}

function failure({ metadata: { name }, status }: Job): Report {
  const { reason = '', message: why = '' } = status?.conditions?.find(({ type }) => type === 'Failed') ?? {};
  const message = `The last run failed (Job ${name}): ${[reason, why].filter(Boolean).join(': ') || 'no reason reported'}`;
  return { state: 'stalled', reason: 'LastRunFailed', message, problem: message };
}
