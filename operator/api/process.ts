/** WorkloadProcess: one process that runs once in all clusters, as a bare pod. */
import * as z from 'zod';
import { workloadColumns } from './columns.ts';
import type { CustomResource } from './crd.ts';
import type { Rule } from './fields.ts';
import { described, duration, withRules } from './fields.ts';
import { GROUP, VERSION } from './group.ts';
import { replicaStatus } from './health.ts';
import type { ObjectMeta } from './kubernetes.ts';
import { checkPod } from './pod-checks.ts';
import { statusFields } from './status.ts';
import { oneWayToStart, podFields } from './workload.ts';

interface GracePeriods {
  readonly gracePeriod?: string | number | undefined;
  readonly terminationGracePeriod?: string | number | undefined;
}

const oneGrace: Rule<GracePeriods> = {
  rule: '!has(self.gracePeriod) || !has(self.terminationGracePeriod) || string(self.gracePeriod) == string(self.terminationGracePeriod)',
  message: 'gracePeriod is an older name of terminationGracePeriod: specify only one of them',
  holds: ({ gracePeriod: older, terminationGracePeriod: newer }) =>
    older === undefined || newer === undefined || String(older) === String(newer),
};

const zeroOrOne: Rule<number> = {
  rule: 'self <= 1',
  message: 'must be 0 or 1, because a process runs once; a WorkloadService can have more replicas',
  holds: (replicas) => replicas <= 1,
};

/** Schema of the spec of a WorkloadProcess. */
export const processSpec = withRules(
  z
    .object({
      ...podFields,
      restartPolicy: described(
        z.enum(['Always', 'OnFailure', 'Never']).default('OnFailure'),
        'What happens when the process ends. OnFailure: a failed process is restarted, success is final. Always: it is restarted in any case. ' +
          'Never: it runs once and is not restarted until the spec changes. A pod that was evicted or deleted before the process ended is replaced ' +
          'in every case. Default: OnFailure',
      ),
      maxRestarts: described(
        z.int32().min(0),
        'How many restarts after failures are allowed; one more stops the process until the spec changes (Stalled, MaxRestartsExceeded). ' +
          'Default: absent, which means without limit. Example: 5',
      ).optional(),
      replicas: described(
        withRules(z.int32().min(0), [zeroOrOne]).default(1),
        'Number of pods: 1, or 0 to stop the process; for kubectl scale and disruption budgets. Default: 1',
      ),
      gracePeriod: duration('Older name of terminationGracePeriod. Example: 30s').optional(),
    })
    .superRefine(checkPod),
  [oneWayToStart, oneGrace],
).meta({ description: 'What to run. A change replaces the pod: the old one has ended before the new one starts.' });

/** Schema of the status of a WorkloadProcess. */
export const processStatus = z
  .object({
    ...statusFields,
    replicas: replicaStatus.replicas,
    selector: replicaStatus.selector,
    podName: z.string().meta({ description: 'Pod that runs the process, in the same namespace.' }).optional(),
    nodeName: z.string().meta({ description: 'Node that the pod was bound to.' }).optional(),
    restarts: z
      .int()
      .min(0)
      .meta({ description: 'Restarts after failures in this generation, by the node and the operator together.' })
      .optional(),
    startedAt: z.iso
      .datetime({ offset: true })
      .meta({ description: 'When the present run of the process started.' })
      .optional(),
    completedGeneration: z
      .int()
      .min(0)
      .meta({ description: 'Generation whose run is final; it is not run again.' })
      .optional(),
    completedTemplateHash: z
      .string()
      .meta({
        description: 'Hash of what that run executed: a change of the spec that does not alter it starts no other run.',
      })
      .optional(),
  })
  .meta({
    description: 'Most recently observed state. Written by the operator only.',
    default: { observedGeneration: -1 },
  });

/** The spec of a WorkloadProcess, checked and with its defaults. */
export type ProcessSpec = z.output<typeof processSpec>;
/** The status of a WorkloadProcess. */
export type ProcessStatus = z.output<typeof processStatus>;

/** A WorkloadProcess as the API server returns it; its spec is not checked yet. */
export interface WorkloadProcess {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  /** As the API server has it; `processSpec` gives it a type. */
  spec?: unknown;
  status?: ProcessStatus;
}

/** Kind of the custom resource. */
export const PROCESS_KIND = 'WorkloadProcess';

/** Where the API server has WorkloadProcesses. */
export const processResource = {
  group: GROUP,
  version: VERSION,
  plural: 'workloadprocesses',
  kind: PROCESS_KIND,
  namespaced: true,
} as const;

/** The kind WorkloadProcess: schemas, columns, and how long a name may be. */
export const processCustomResource: CustomResource = {
  ...processResource,
  singular: 'workloadprocess',
  shortNames: ['wlp'],
  description: 'WorkloadProcess runs one process, once in all clusters of a tenant, as the pod NAME-pod.',
  spec: processSpec,
  status: processStatus,
  maxNameLength: 63,
  scalable: true,
  columns: workloadColumns('Whether the process runs', 'Whether the process is ready or has succeeded', [
    { name: 'Restarts', type: 'integer', jsonPath: '.status.restarts', priority: 1 },
    { name: 'Node', type: 'string', jsonPath: '.status.nodeName', priority: 1 },
  ]),
};
