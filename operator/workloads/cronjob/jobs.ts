/** The Jobs of a CronJob, as the claims on its runs see them. Pure. */
import type { CronJob, Job } from '../../api/children.ts';
import { annotations } from '../../api/group.ts';
import { controllerOf, numberAnnotation } from '../../reconcile/metadata.ts';

/** Set by Kubernetes on the Jobs of a CronJob. */
const SCHEDULED = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
const MINUTE_MS = 60_000;

/** When the run was due, milliseconds since the epoch. */
export function instantOf({ metadata: { name, annotations: notes } }: Job): number {
  const scheduled = Date.parse(notes?.[SCHEDULED] ?? '');
  return Number.isNaN(scheduled) ? Number(name.slice(name.lastIndexOf('-') + 1)) * MINUTE_MS : scheduled;
}

/** Somebody let it begin: its pods may run, or have run. */
export function hasBegun(job: Job): boolean {
  return job.spec.suspend !== true || numberAnnotation(job, annotations.term) !== undefined;
}

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
