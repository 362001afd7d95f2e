/** What the statuses of all kinds share. Nothing here has a default: the operator writes it, users read it. */
import * as z from 'zod';

const time = z.iso.datetime({ offset: true });

/** Schema of a condition, as Kubernetes defines it. */
export const condition = z.object({
  type: z.string().min(1).max(316).meta({
    description:
      'Ready is always present. Reconciling: the operator or the cluster is making a change. Stalled: a person has to change something. Unclaimed: the workload is not managed by any tenant.',
  }),
  status: z.enum(['True', 'False', 'Unknown']).meta({ description: 'True, False or Unknown.' }),
  observedGeneration: z
    .int()
    .min(0)
    .meta({ description: 'Generation of the spec that the condition refers to.' })
    .optional(),
  lastTransitionTime: time.meta({ description: 'When status last changed.' }),
  reason: z.string().min(1).max(1024).meta({ description: 'Reason in one CamelCase word, for programs.' }),
  message: z.string().max(32_768).meta({ description: 'Reason in a sentence, for people.' }),
});

/** Fields of every kind's status. */
export const statusFields = {
  observedGeneration: z
    .int()
    .meta({
      description:
        'Generation of the spec that the status refers to; -1 before the operator has observed the workload.',
    })
    .optional(),
  conditions: z
    .array(condition)
    .max(16)
    .meta({
      description:
        'Ready, and while it is not True: Reconciling or Stalled. Unclaimed if the workload is not managed by any tenant.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    })
    .optional(),
  active: z
    .boolean()
    .meta({ description: 'Whether the workload runs or is being started, and is not being stopped.' })
    .optional(),
  healthy: z
    .boolean()
    .meta({ description: 'Whether the workload is healthy: its pod is ready, or it has succeeded.' })
    .optional(),
  lastError: z.string().max(32_768).meta({ description: 'The present problem; absent when there is none.' }).optional(),
  lastTransition: time.meta({ description: 'When active or healthy last changed.' }).optional(),
  controller: z
    .object({
      tenant: z
        .string()
        .meta({ description: 'Tenant of the leader. The workload belongs to this tenant until the field is removed.' })
        .optional(),
      holder: z.string().meta({ description: 'Identity of the leader.' }),
      term: z.int().min(0).meta({ description: 'Term of the leader: the fencing token of its writes.' }),
      observedTime: time.meta({ description: 'When that leader last changed this status.' }),
    })
    .meta({ description: 'Which leader wrote this status.' })
    .optional(),
};
