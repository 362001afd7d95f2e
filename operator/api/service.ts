/** WorkloadService: a service that is up in one cluster at a time, as a Deployment and, when it has ports, a Service. */
import * as z from 'zod';
import type { ChildTemplate } from './child-templates.ts';
import { deploymentTemplate, MANAGED, serviceTemplate } from './child-templates.ts';
import { workloadColumns } from './columns.ts';
import type { CustomResource } from './crd.ts';
import { described, SERVICE_NAME, withRules } from './fields.ts';
import { GROUP, VERSION } from './group.ts';
import { checkHasPort, healthFields, replicaStatus } from './health.ts';
import type { ObjectMeta } from './kubernetes.ts';
import { checkPod, checkServicePorts, checkVolumes } from './pod-checks.ts';
import { serviceFields } from './service-fields.ts';
import { statusFields } from './status.ts';
import { oneWayToStart, podFields } from './workload.ts';

function hasPorts(spec: unknown): boolean {
  const { ports } = (spec ?? {}) as { readonly ports?: unknown };
  return Array.isArray(ports) && ports.length > 0;
}

/** Of a raw spec: whether it has a port, of its own or of its template. */
export function asksForService(spec: unknown): boolean {
  const { serviceTemplate: template } = (spec ?? {}) as { readonly serviceTemplate?: { spec?: unknown } | null };
  return hasPorts(spec) || hasPorts(template?.spec);
}

interface Replaced {
  readonly replicas?: number | undefined;
  readonly deploymentTemplate?: ChildTemplate | undefined;
}

function hasNoStrategyForOne({ replicas = 1, deploymentTemplate: template }: Replaced): boolean {
  const { type = 'RollingUpdate' } = (template?.spec?.['strategy'] ?? { type: 'Recreate' }) as {
    type?: unknown;
  };
  return replicas > 1 || type === 'Recreate';
}

/** Schema of the spec of a WorkloadService. */
export const serviceSpec = withRules(
  z
    .object({
      ...podFields,
      ...healthFields,
      replicas: described(
        z.int32().min(0),
        'Number of pods. One, or absent: the old pod has ended before the next one starts. More: pods are replaced one after another. ' +
          'Default: absent, which means one at first, and later the number that an autoscaler of the Deployment sets. Example: 1',
      ).optional(),
      ...serviceFields,
      serviceTemplate: serviceTemplate.optional(),
      deploymentTemplate: deploymentTemplate.optional(),
    })
    .superRefine(checkPod)
    .superRefine(checkVolumes)
    .superRefine(checkServicePorts)
    .refine(hasNoStrategyForOne, {
      path: ['deploymentTemplate', 'spec', 'strategy'],
      error: `${MANAGED} unless spec.replicas is more than 1: the old pod has ended before the next one starts`,
    }),
  [oneWayToStart, checkHasPort],
).meta({ description: 'What to run. A change replaces the pods.' });

/** Schema of the status of a WorkloadService. */
export const serviceStatus = z
  .object({
    ...statusFields,
    ...replicaStatus,
    serviceName: z
      .string()
      .meta({ description: 'Service for the pods, in the same namespace; absent without ports.' })
      .optional(),
  })
  .meta({
    description: 'Most recently observed state. Written by the operator only.',
    default: { observedGeneration: -1 },
  });

/** The spec of a WorkloadService, checked and with its defaults. */
export type ServiceSpec = z.output<typeof serviceSpec>;
/** The status of a WorkloadService. */
export type ServiceStatus = z.output<typeof serviceStatus>;

/** A WorkloadService as the API server returns it; its spec is not checked yet. */
export interface WorkloadService {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  /** As the API server has it; `serviceSpec` gives it a type. */
  spec?: unknown;
  status?: ServiceStatus;
}

/** Kind of the custom resource. */
export const SERVICE_KIND = 'WorkloadService';

/** Where the API server has WorkloadServices. */
export const serviceResource = {
  group: GROUP,
  version: VERSION,
  plural: 'workloadservices',
  kind: SERVICE_KIND,
  namespaced: true,
} as const;

/** The kind WorkloadService: schemas, columns, and how long a name may be. */
export const serviceCustomResource: CustomResource = {
  ...serviceResource,
  singular: 'workloadservice',
  shortNames: ['wls'],
  description:
    'WorkloadService runs a service in one cluster of a tenant at a time, as the Deployment NAME, with a Service NAME when it has ports ' +
    '(NAME-service if a WorkloadPersistent has that name).',
  spec: serviceSpec,
  status: serviceStatus,
  maxNameLength: 63,
  scalable: true,
  rules: [
    {
      rule: "!has(self.spec.ports) || size(self.spec.ports) == 0 || self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
      message:
        'with ports, the name is also that of a Service: use lower-case letters, digits and -, starting with a letter',
      holds: (name, spec) => !hasPorts(spec) || SERVICE_NAME.test(name),
    },
  ],
  columns: workloadColumns('Whether it has pods', 'Whether all its pods are ready', [
    {
      name: 'Ready',
      type: 'integer',
      jsonPath: '.status.readyReplicas',
      description: 'Number of ready pods',
      priority: 1,
    },
    {
      name: 'Replicas',
      type: 'integer',
      jsonPath: '.status.replicas',
      description: 'Number of pods',
      priority: 1,
    },
    { name: 'Service', type: 'string', jsonPath: '.status.serviceName', priority: 1 },
  ]),
};
