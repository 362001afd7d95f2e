/** `jobTemplate`: everything about the Jobs of a cron job that the spec's own fields do not say. */
import * as z from 'zod';
import { MANAGED } from './child-templates.ts';
import { annotationMap, described, labelMap } from './fields.ts';

/** What stands for it elsewhere. */
const TAKEN: Readonly<Record<string, string>> = {
  template: 'use podTemplate',
  suspend: 'use spec.suspend',
  podReplacementPolicy: 'the next pod starts when the one before has ended',
  selector: 'Kubernetes makes it',
  manualSelector: 'Kubernetes makes the selector',
  managedBy: 'Kubernetes runs the Jobs',
};

const count = z.int32().min(0).optional();

/** The fields whose values can be checked here; Kubernetes checks all of them when the CronJob is written. */
const known = z
  .looseObject({
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
  })
  .refine(({ completionMode, completions }) => completionMode !== 'Indexed' || completions !== undefined, {
    path: ['completions'],
    error: 'is required with completionMode: Indexed',
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

export const jobTemplate = z
  .object({
    metadata: z
      .object({
        labels: labelMap("Labels to put on the Jobs. The operator's own win. Default: none").optional(),
        annotations: annotationMap('Annotations to put on the Jobs. Default: none').optional(),
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
      "What else the Jobs are to have: parallelism, completions, completionMode, podFailurePolicy and so on. The spec's own fields win over it. Default: none",
  });
