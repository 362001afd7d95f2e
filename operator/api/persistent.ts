/** WorkloadPersistent: a workload with a stable name and volumes of its own, as a StatefulSet and its Service. */
import * as z from 'zod';
import { serviceTemplate, statefulSetTemplate, volumeClaimTemplates } from './child-templates.ts';
import { workloadColumns } from './columns.ts';
import type { CustomResource } from './crd.ts';
import { described, labelMap, objectName, quantity, SERVICE_NAME, textLike, withRules } from './fields.ts';
import { parseQuantity } from '../lib/quantity.ts';
import { GROUP, VERSION } from './group.ts';
import { checkHasPort, healthFields, replicaStatus } from './health.ts';
import type { ObjectMeta } from './kubernetes.ts';
import { checkClaims, checkPod, checkServicePorts, checkVolumes } from './pod-checks.ts';
import { serviceFields } from './service-fields.ts';
import { statusFields } from './status.ts';
import { oneWayToStart, podFields } from './workload.ts';

const letterFirst = textLike(
  SERVICE_NAME,
  63,
  'no name: write lower-case letters, digits and -, a letter first and no - at the end',
);

const persistentVolume = z.object({
  name: described(
    letterFirst,
    'Name of the volume, unique in the pod; the claim is called NAME-WORKLOAD-0. Required. Example: data',
  ),
  mountPath: described(
    z.string().min(1).max(4096),
    'Folder of the main container where it is mounted. Required. Example: /var/lib/data',
  ),
  size: quantity(
    'Size that is claimed, in bytes or Mi, Gi. Required. It can grow later where the storage class allows it, and never shrink. Example: 10Gi',
  ).refine((size) => (parseQuantity(size) ?? 1) > 0, 'must be more than 0'),
  storageClassName: described(
    z
      .string()
      .max(253)
      .refine((name) => name === '' || objectName.safeParse(name).success, 'no name of a storage class'),
    "Storage class of the claim. Default: the cluster's default class. It cannot be changed later. Example: fast-ssd",
  ).optional(),
  accessMode: described(
    z.enum(['ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany', 'ReadOnlyMany']).default('ReadWriteOnce'),
    'Who may mount it at once. Default: ReadWriteOnce, which is one node',
  ),
  volumeMode: described(
    z.enum(['Filesystem', 'Block']),
    'Whether it is a file system, or a raw device at mountPath. It cannot be changed later. Default: Filesystem',
  ).optional(),
  labels: labelMap(
    'Labels to put on the claim. They cannot be changed later. Default: none. Example: {backup: "yes"}',
  ).optional(),
});

const updateStrategy = z
  .object({
    type: described(
      z.enum(['RollingUpdate', 'OnDelete']).default('RollingUpdate'),
      'RollingUpdate: pods are replaced when the spec changes. OnDelete: when somebody deletes them. Default: RollingUpdate',
    ),
    rollingUpdate: described(
      z.record(z.string(), z.unknown()).meta({ 'x-kubernetes-preserve-unknown-fields': true }),
      'As Kubernetes documents it. Default: none. Example: {partition: 1}',
    ).optional(),
  })
  .meta({ description: 'How pods are replaced. It wins over statefulSetTemplate. Default: one after another' });

const keepOrDelete = z.enum(['Retain', 'Delete']).default('Retain');

export const persistentSpec = withRules(
  z
    .object({
      ...podFields,
      ...healthFields,
      replicas: described(
        z.int32().min(0),
        'Number of pods, each with volumes of its own. Default: absent, which means one at first, and later what an autoscaler of the StatefulSet says. Example: 1',
      ).optional(),
      serviceName: described(
        letterFirst,
        'Service through which the pods are reached: headless, so that each pod has a name of its own (NAME-0.SERVICE), unless a servicePort differs from its ' +
          'containerPort. Default: the name of the workload, or NAME-headless where another Service has it. It cannot be changed later. Example: message-queue',
      ).optional(),
      persistentVolumes: z
        .array(persistentVolume)
        .max(20)
        .meta({
          description:
            'Volumes that outlive the pods; they cannot be changed later, but for mountPath and a larger size. Default: none. Example: [{name: data, mountPath: /data, size: 10Gi}]',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
        })
        .optional(),
      persistentVolumeClaimRetentionPolicy: z
        .object({
          whenDeleted: described(
            keepOrDelete,
            'What becomes of the claims when the workload is deleted. Default: Retain',
          ),
          whenScaled: described(
            keepOrDelete,
            'What becomes of the claims of pods that fewer replicas leave out; suspend never deletes one. Default: Retain',
          ),
        })
        .meta({ description: 'When claims are deleted. Default: never' })
        .optional(),
      podManagementPolicy: described(
        z.enum(['OrderedReady', 'Parallel']).default('OrderedReady'),
        'Whether several pods start and stop one after another, or all at once. It cannot be changed later. Default: OrderedReady',
      ),
      ...serviceFields,
      updateStrategy: updateStrategy.optional(),
      serviceTemplate: serviceTemplate.optional(),
      statefulSetTemplate: statefulSetTemplate.optional(),
      volumeClaimTemplates: volumeClaimTemplates.optional(),
    })
    .superRefine(checkPod)
    .superRefine(checkVolumes)
    .superRefine(checkServicePorts)
    .superRefine(checkClaims),
  [oneWayToStart, checkHasPort],
).meta({
  description:
    'What to run. A change replaces the pods, one after another: the old one has ended before the next one starts.',
});

export const persistentStatus = z
  .object({
    ...statusFields,
    ...replicaStatus,
    serviceName: z.string().meta({ description: 'Service through which the pods are reached.' }).optional(),
    podServiceName: z
      .string()
      .meta({ description: 'Service in the names of the pods: POD.PODSERVICENAME.NAMESPACE.svc.' })
      .optional(),
    progressingSince: z.iso
      .datetime({ offset: true })
      .meta({ description: 'Since when it is being brought up; absent while all pods are ready.' })
      .optional(),
  })
  .meta({
    description: 'What the operator last saw. Written by the operator only.',
    default: { observedGeneration: -1 },
  });

export type PersistentSpec = z.output<typeof persistentSpec>;
export type PersistentStatus = z.output<typeof persistentStatus>;

export interface WorkloadPersistent {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  /** As the API server has it; `persistentSpec` gives it a type. */
  spec?: unknown;
  status?: PersistentStatus;
}

export const PERSISTENT_KIND = 'WorkloadPersistent';

export const persistentResource = {
  group: GROUP,
  version: VERSION,
  plural: 'workloadpersistents',
  kind: PERSISTENT_KIND,
  namespaced: true,
} as const;

export const persistentCustomResource: CustomResource = {
  ...persistentResource,
  singular: 'workloadpersistent',
  shortNames: ['wlper'],
  description:
    'WorkloadPersistent keeps a workload with volumes of its own up in one cluster of a tenant at a time, as the StatefulSet NAME with a Service.',
  spec: persistentSpec,
  status: persistentStatus,
  // Kubernetes appends a hash of 11 characters to it, in a label.
  maxNameLength: 52,
  scalable: true,
  rules: [
    {
      rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
      message: 'the name becomes that of a Service and of hosts: lower-case letters, digits and -, a letter first',
      holds: (name) => SERVICE_NAME.test(name),
    },
  ],
  columns: workloadColumns('Whether it has pods', 'Whether all its pods are ready', [
    {
      name: 'Ready',
      type: 'integer',
      jsonPath: '.status.readyReplicas',
      description: 'Pods that are ready',
      priority: 1,
    },
    {
      name: 'Replicas',
      type: 'integer',
      jsonPath: '.status.replicas',
      description: 'Pods that there are',
      priority: 1,
    },
    { name: 'Service', type: 'string', jsonPath: '.status.serviceName', priority: 1 },
  ]),
};
