/** WorkloadCronJob: runs on a schedule, one at a time, as a CronJob. */
import * as z from 'zod';
import { parseSchedule } from '../lib/cron.ts';
import { messageOf } from '../lib/errors.ts';
import { isTimeZone, timeZoneLike } from '../lib/time-zones.ts';
import { workloadColumns } from './columns.ts';
import type { CustomResource } from './crd.ts';
import { described, textLike, withRules } from './fields.ts';
import { GROUP, VERSION } from './group.ts';
import type { ObjectMeta } from './kubernetes.ts';
import { checkJobs, jobFields, jobTemplate, restartPolicyOf } from './job-template.ts';
import { checkPod, checkVolumes } from './pod-checks.ts';
import { statusFields } from './status.ts';
import { oneWayToStart, podFields } from './workload.ts';

/** What the API server can check of a schedule at little cost; the rest is checked by the operator. */
const SHAPE = /^\s*(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|@every \S+|[^\s@]\S*(\s+\S+){4})\s*$/;

const schedule = withRules(
  z
    .string()
    .max(256)
    .superRefine((text, context) => {
      try {
        parseSchedule(text);
      } catch (error) {
        context.addIssue({ code: 'custom', message: messageOf(error) });
      }
    }),
  [
    {
      rule: `self.matches(r'${SHAPE.source}')`,
      message: 'is not a schedule; examples: */5 * * * *, @daily, @every 1h30m (without a time zone: use timeZone)',
      holds: (text) => SHAPE.test(text),
    },
  ],
).meta({
  description:
    'When the job runs: minute, hour, day of the month, month and day of the week (0 to 6, 0 is Sunday), or @yearly, @monthly, @weekly, @daily, @hourly, ' +
    'or @every with a duration. Required. Example: */5 * * * *',
});

const limit = (description: string) => described(z.int32().min(0), description).optional();

/** Schema of the spec of a WorkloadCronJob. */
export const cronJobSpec = withRules(
  z
    .object({
      ...podFields,
      schedule,
      timeZone: described(
        textLike(
          /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/,
          64,
          'is not a time zone; examples: Etc/UTC, Europe/Berlin',
        )
          .superRefine((name, context) => {
            if (isTimeZone(name)) return;
            const meant = timeZoneLike(name) ?? 'Etc/UTC or Europe/Berlin';
            const message = `is not a time zone that Kubernetes knows: write it like ${meant}, in exactly this case`;
            context.addIssue({ code: 'custom', message });
          })
          .default('Etc/UTC'),
        'Time zone of the schedule. A run in an hour that a clock change skips does not take place, and a run in an hour that is repeated takes place twice, unless runs ' +
          'are claimed (several clusters, or catchUp: All): then each takes place once. Default: Etc/UTC. Example: Europe/Berlin',
      ),
      concurrencyPolicy: described(
        z.enum(['Forbid', 'Replace', 'Allow']).default('Forbid'),
        'What happens when a run is due while another one is active. Forbid: the new run is skipped. Replace: the old run is stopped. Allow: both run, ' +
          'so the job is not a singleton. Default: Forbid',
      ),
      restartPolicy: described(
        z.enum(['OnFailure', 'Never']),
        'What happens when a run fails: its container is restarted in the same pod (OnFailure) or in a new one (Never), up to backoffLimit. ' +
          'Default: OnFailure, or Never with a podFailurePolicy',
      ).optional(),
      ...jobFields,
      catchUp: described(
        z.enum(['None', 'Last', 'All']).default('Last'),
        'Which missed runs are started after another cluster has taken over: none, the last one, or all ' +
          'of them, one after the other (at most 10, and only those within startingDeadlineSeconds). The others are reported in an event. All also applies within ' +
          'one cluster. Default: Last',
      ),
      startingDeadlineSeconds: limit(
        'How late a run may start, in seconds; a later run is skipped. Default: no limit. Example: 60',
      ),
      successfulJobsHistoryLimit: limit('Number of successful runs that are kept. Default: 3'),
      failedJobsHistoryLimit: limit('Number of failed runs that are kept. Default: 1'),
      backoffLimit: limit('Number of retries before a run counts as failed. Default: 6'),
      activeDeadlineSeconds: described(
        z.int().min(1),
        'How long a run may take, including retries, before it is stopped and counts as failed, in seconds. Default: no limit. Example: 3600',
      ).optional(),
      ttlSecondsAfterFinished: limit(
        'How long a finished run is kept, in seconds. Default: until the history limits remove it. Example: 86400',
      ),
      jobTemplate: jobTemplate.optional(),
      suspend: described(
        z.boolean().default(false),
        'Start no more runs; an active run continues to its end. Default: false',
      ),
    })
    .superRefine((spec, context) => checkPod({ ...spec, restartPolicy: restartPolicyOf(spec) }, context))
    .superRefine(checkVolumes)
    .superRefine(checkJobs),
  [oneWayToStart],
).meta({ description: 'What to run, and when. A change applies to runs that start later.' });

const time = z.iso.datetime({ offset: true });

/** Schema of the status of a WorkloadCronJob. */
export const cronJobStatus = z
  .object({
    ...statusFields,
    nextScheduleTime: time.meta({ description: 'When the next run is due; absent while suspended.' }).optional(),
    lastScheduleTime: time.meta({ description: 'When the last run that was started was due.' }).optional(),
    lastSuccessfulTime: time.meta({ description: 'When a run last succeeded.' }).optional(),
    activeRuns: z.int32().min(0).meta({ description: 'Active runs.' }).optional(),
    lastRun: z.string().meta({ description: 'Job of the last run, in the same namespace.' }).optional(),
  })
  .meta({
    description: 'Most recently observed state. Written by the operator only.',
    default: { observedGeneration: -1 },
  });

/** The spec of a WorkloadCronJob, checked and with its defaults. */
export type CronJobSpec = z.output<typeof cronJobSpec>;
/** The status of a WorkloadCronJob. */
export type CronJobStatus = z.output<typeof cronJobStatus>;

/** A WorkloadCronJob as the API server returns it; its spec is not checked yet. */
export interface WorkloadCronJob {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  /** As the API server has it; `cronJobSpec` gives it a type. */
  spec?: unknown;
  status?: CronJobStatus;
}

/** Kind of the custom resource. */
export const CRON_JOB_KIND = 'WorkloadCronJob';

/** Where the API server has WorkloadCronJobs. */
export const cronJobResource = {
  group: GROUP,
  version: VERSION,
  plural: 'workloadcronjobs',
  kind: CRON_JOB_KIND,
  namespaced: true,
} as const;

/** The kind WorkloadCronJob: schemas, columns, and how long a name may be. */
export const cronJobCustomResource: CustomResource = {
  ...cronJobResource,
  singular: 'workloadcronjob',
  shortNames: ['wlc'],
  description: 'WorkloadCronJob runs a job on a schedule, one run at a time, as the CronJob NAME.',
  spec: cronJobSpec,
  status: cronJobStatus,
  // Kubernetes appends a number of 11 characters to it, for each run.
  maxNameLength: 52,
  columns: workloadColumns('Whether runs are started', 'Whether the last run has not failed', [
    { name: 'Schedule', type: 'string', jsonPath: '.spec.schedule', priority: 1 },
    { name: 'Time Zone', type: 'string', jsonPath: '.spec.timeZone', priority: 1 },
    { name: 'Runs', type: 'integer', jsonPath: '.status.activeRuns', description: 'Active runs', priority: 1 },
    { name: 'Last', type: 'date', jsonPath: '.status.lastScheduleTime', priority: 1 },
    { name: 'Next', type: 'string', jsonPath: '.status.nextScheduleTime', priority: 1 },
  ]),
};
