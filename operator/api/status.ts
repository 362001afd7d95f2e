/** What the statuses of all kinds share. Nothing here has a default: the operator writes it, users read it. */
import * as z from 'zod';

const time = z.iso.datetime({ offset: true });

export const condition = z.object({
  type: z.string().min(1).max(316).meta({
    description:
      'Ready is always there. Reconciling: the operator or the cluster is at work. Stalled: only a change by a person can help. Unclaimed: no tenant acts on it.',
  }),
  status: z.enum(['True', 'False', 'Unknown']).meta({ description: 'True, False or Unknown.' }),
  observedGeneration: z
    .int()
    .min(0)
    .meta({ description: 'Generation of the spec that this was said about.' })
    .optional(),
  lastTransitionTime: time.meta({ description: 'When status last changed.' }),
  reason: z.string().min(1).max(1024).meta({ description: 'Why, in one CamelCase word; made for programs.' }),
  message: z.string().max(32_768).meta({ description: 'Why, in a sentence; made for people.' }),
});

/** Fields of every kind's status. */
export const statusFields = {
  observedGeneration: z
    .int()
    .meta({
      description: 'Generation of the spec that the rest of the status is about; -1 before the operator first looked.',
    })
    .optional(),
  conditions: z
    .array(condition)
    .max(16)
    .meta({
      description: 'Ready, and while it is not: Reconciling or Stalled. Unclaimed, where no tenant acts on it.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    })
    .optional(),
  active: z
    .boolean()
    .meta({ description: 'The workload runs, or is about to: it is started and was not told to stop.' })
    .optional(),
  healthy: z
    .boolean()
    .meta({ description: 'The workload does its work: its pod is ready, or it ended with success.' })
    .optional(),
  lastError: z
    .string()
    .max(32_768)
    .meta({ description: 'What is wrong at present; absent when nothing is.' })
    .optional(),
  lastTransition: time.meta({ description: 'When active or healthy last changed.' }).optional(),
  controller: z
    .object({
      tenant: z.string().meta({ description: 'Tenant of the leader: the workload is its until this goes.' }).optional(),
      holder: z.string().meta({ description: 'Identity of the leader.' }),
      term: z.int().min(0).meta({ description: 'Term of the leader: the fencing token of its writes.' }),
      observedTime: time.meta({ description: 'When that leader last changed this status.' }),
    })
    .meta({ description: 'Which leader wrote this status.' })
    .optional(),
};
