/** The Jobs of a CronJob, as the claims on its runs see them. Pure. Whatever a Job says of itself, anybody may have written. */
import type { CronJob, Job } from '../../api/children.ts';
import { annotations } from '../../api/group.ts';
import { comesRoundOnceAt } from '../../lib/summer-time.ts';
import type { Schedule } from '../../lib/cron.ts';
import { parseSchedule } from '../../lib/cron.ts';
import { isTimeZone } from '../../lib/time-zones.ts';
import { controllerOf, numberAnnotation } from '../../reconcile/metadata.ts';

/** Set by Kubernetes on the Jobs that a CronJob's schedule asks for; not by versions before 1.28. */
const SCHEDULED = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
/** Set by `kubectl create job --from`, with the value `manual`. */
const INSTANTIATE = 'cronjob.kubernetes.io/instantiate';
const MINUTE_MS = 60_000;
const DEFAULT_ZONE = 'Etc/UTC';
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/;
const MINUTES = /^\d{8,9}$/;

/** By these Kubernetes and kubectl say why a Job was made: no template may say it for all of them. */
export const originAnnotations: readonly string[] = [SCHEDULED, INSTANTIATE];

/**
 * Why a Job was made. `schedule`: for an instant, milliseconds since the epoch, at which the schedule does come round.
 * `person`: somebody asked for a run, under any name. `unknown`: it is made like one of a schedule, but not of this one.
 */
export type Origin =
  | { readonly by: 'schedule'; readonly instant: number }
  | { readonly by: 'person' }
  | { readonly by: 'unknown' };

/** Who made the Job: a person, or the schedule, and for which time. */
export function originOf(job: Job, cronJob: CronJob): Origin {
  const { name, annotations: notes = {} } = job.metadata;
  const scheduled = notes[SCHEDULED];
  const prefix = `${cronJob.metadata.name}-`;
  const minutes = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  const isManual = notes[INSTANTIATE] === 'manual' || !MINUTES.test(minutes);
  if (scheduled === undefined && isManual) return { by: 'person' };
  const instant = scheduled === undefined ? Number(minutes) * MINUTE_MS : timeOf(scheduled);
  const isNamedSo = name === jobName(cronJob.metadata.name, instant);
  return isNamedSo && isOnSchedule(cronJob, instant) ? { by: 'schedule', instant } : { by: 'unknown' };
}

/** Undefined: it was not made for a time at which the schedule comes round. */
export function instantOf(job: Job, cronJob: CronJob): number | undefined {
  const origin = originOf(job, cronJob);
  return origin.by === 'schedule' ? origin.instant : undefined;
}

function timeOf(text: string): number {
  return RFC_3339.test(text) ? Date.parse(text) : NaN;
}

function isOnSchedule(cronJob: CronJob, instant: number): boolean {
  const schedule = scheduleOf(cronJob);
  return schedule !== undefined && comesRoundOnceAt(schedule, zoneOf(cronJob), instant);
}

/** Undefined: somebody else's, which is about to be put back. */
export function scheduleOf({ spec }: CronJob): Schedule | undefined {
  try {
    return isTimeZone(spec.timeZone ?? DEFAULT_ZONE) ? parseSchedule(spec.schedule) : undefined;
  } catch {
    return undefined;
  }
}

/** The time zone of the schedule, as IANA names it. */
export function zoneOf({ spec }: CronJob): string {
  return spec.timeZone ?? DEFAULT_ZONE;
}

/** Somebody let it begin: its pods may run, or have run. */
export function hasBegun(job: Job): boolean {
  return job.spec.suspend !== true || numberAnnotation(job, annotations.term) !== undefined;
}

/** Whether the CronJob controls the Job and the Job stays. */
export function isOf(job: Job, { metadata }: CronJob): boolean {
  return controllerOf(job)?.uid === metadata.uid && job.metadata.deletionTimestamp === undefined;
}

/** As Kubernetes calls it. */
export function jobName(cronJob: string, instant: number): string {
  return `${cronJob}-${Math.floor(instant / MINUTE_MS)}`;
}

/** The Job that Kubernetes would make for that time, kept from beginning. */
export function jobFor(cronJob: CronJob, instant: number): Job {
  const { name, namespace = '', uid = '' } = cronJob.metadata;
  const { metadata, spec: job } = cronJob.spec.jobTemplate;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: jobName(name, instant),
      namespace,
      labels: metadata?.labels ?? {},
      annotations: { ...metadata?.annotations, [SCHEDULED]: new Date(instant).toISOString().replace('.000Z', 'Z') },
      ownerReferences: [
        { apiVersion: 'batch/v1', kind: 'CronJob', name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    spec: { ...job, suspend: true },
  };
}
