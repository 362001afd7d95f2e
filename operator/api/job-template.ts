/** `jobTemplate`: everything about the Jobs of a cron job that the spec's own fields do not say. */
import * as z from 'zod';
import { MANAGED } from './child-templates.ts';
import { annotationMap, described, labelMap } from './fields.ts';

/** What stands for it elsewhere. */
const TAKEN: Readonly<Record<string, string>> = {
  template: 'use podTemplate',
  suspend: 'use spec.suspend',
  podReplacementPolicy: 'the next pod starts when the previous one has ended',
  selector: 'Kubernetes sets it',
  manualSelector: 'Kubernetes sets the selector',
  managedBy: 'Kubernetes runs the Jobs',
};

const count = z.int32().min(0).optional();

interface JobFields {
  readonly completionMode?: unknown;
  readonly completions?: unknown;
  readonly podFailurePolicy?: unknown;
}

/** The fields of a cron job's spec that say something about its Jobs. */
export interface Jobs extends JobFields {
  readonly restartPolicy?: 'OnFailure' | 'Never' | undefined;
  readonly jobTemplate?: { readonly spec?: JobFields | undefined } | undefined;
}

/** Fields of a Job that are written often enough to have a place in the spec itself. */
export const jobFields = {
  parallelism: described(count, 'Number of pods of a run that may be active at once. Default: 1. Example: 4'),
  completions: described(
    count,
    'Number of pods that must succeed for a run to succeed. Default: 1, or with parallelism as Kubernetes documents it. Example: 4',
  ),
  completionMode: described(
    z.enum(['NonIndexed', 'Indexed']).optional(),
    'Indexed: each pod of a run has its own number, from 0 to completions - 1, in JOB_COMPLETION_INDEX. Default: NonIndexed',
  ),
  podFailurePolicy: described(
    z.record(z.string(), z.unknown()).meta({ 'x-kubernetes-preserve-unknown-fields': true }).optional(),
    'How failures of pods are handled, as Kubernetes documents it. Failed pods are replaced by new ones (restartPolicy: Never). ' +
      'Default: none. Example: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [42]}}]}',
  ),
};

/** What becomes of a container that fails; a podFailurePolicy judges pods, so they must fail. */
export function restartPolicyOf({ restartPolicy, podFailurePolicy, jobTemplate: jobs }: Jobs): 'OnFailure' | 'Never' {
  return restartPolicy ?? (podFailurePolicy || jobs?.spec?.podFailurePolicy ? 'Never' : 'OnFailure');
}

/** Adds an issue for each combination of fields that the API server would refuse in a Job. */
export function checkJobs(spec: Jobs, context: z.core.$RefinementCtx): void {
  const job = { ...spec.jobTemplate?.spec, ...withoutAbsent(spec) };
  const issue = (path: readonly string[], message: string) =>
    context.addIssue({ code: 'custom', path: [...path], message });
  if (job.podFailurePolicy && restartPolicyOf(spec) !== 'Never')
    issue(['restartPolicy'], 'must be Never or absent together with podFailurePolicy');
  if (job.completionMode === 'Indexed' && job.completions === undefined)
    issue(
      spec.completionMode ? ['completions'] : ['jobTemplate', 'spec', 'completions'],
      'is required with completionMode: Indexed',
    );
}

function withoutAbsent({ completionMode, completions, podFailurePolicy }: JobFields): JobFields {
  return {
    ...(completionMode !== undefined && { completionMode }),
    ...(completions !== undefined && { completions }),
    ...(podFailurePolicy !== undefined && { podFailurePolicy }),
  };
}

/** The fields whose values can be checked here; Kubernetes checks all of them when the CronJob is written. */
const known = z.looseObject({
  parallelism: count,
  completions: count,
  backoffLimit: count,
  backoffLimitPerIndex: count,
  maxFailedIndexes: count,
  ttlSecondsAfterFinished: count,
  activeDeadlineSeconds: z.int().min(1).optional(),
  completionMode: z.enum(['NonIndexed', 'Indexed']).optional(),
  podFailurePolicy: z.looseObject({}).optional(),
  successPolicy: z.looseObject({}).optional(),
});

const jobSpec = z.record(z.string(), z.unknown()).superRefine((value, context) => {
  for (const [field, instead] of Object.entries(TAKEN))
    if (field in value)
      context.addIssue({
        code: 'custom',
        path: [field],
        message: `${MANAGED}: ${instead}`,
      });
  for (const { path, message } of known.safeParse(value).error?.issues ?? [])
    context.addIssue({ code: 'custom', path: [...path], message });
});

/** Schema of `jobTemplate`. */
export const jobTemplate = z
  .object({
    metadata: z
      .object({
        labels: labelMap("Labels for the Jobs. The operator's own labels take precedence. Default: none").optional(),
        annotations: annotationMap('Annotations for the Jobs. Default: none').optional(),
      })
      .meta({ description: 'Labels and annotations of the Jobs.' })
      .optional(),
    spec: described(
      jobSpec.meta({ 'x-kubernetes-preserve-unknown-fields': true }),
      'A JobSpec, as Kubernetes documents it, without the pod (podTemplate). podFailurePolicy needs restartPolicy: Never. ' +
        'Example: {parallelism: 4, completions: 4, completionMode: Indexed}',
    ).optional(),
  })
  .meta({
    description:
      "Additional fields of the Jobs: parallelism, completions, completionMode, podFailurePolicy and so on. The spec's own fields take precedence. Default: none",
  });
