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
  'is not a valid name: use lower-case letters, digits and -, starting with a letter and not ending with -',
);

const persistentVolume = z.object({
  name: described(
    letterFirst,
    'Name of the volume, unique in the pod; the claim is named NAME-WORKLOAD-0. Required. Example: data',
  ),
  mountPath: described(
    z.string().min(1).max(4096),
    'Folder in the main container where the volume is mounted. Required. Example: /var/lib/data',
  ),
  size: quantity(
    'Requested size, in bytes or Mi, Gi. Required. Can be increased later if the storage class allows it, but never decreased. Example: 10Gi',
  ).refine((size) => (parseQuantity(size) ?? 1) > 0, 'must be more than 0'),
  storageClassName: described(
    z
      .string()
      .max(253)
      .refine((name) => name === '' || objectName.safeParse(name).success, 'is not a valid name of a storage class'),
    "Storage class of the claim. Default: the cluster's default class. Cannot be changed later. Example: fast-ssd",
  ).optional(),
  accessMode: described(
    z.enum(['ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany', 'ReadOnlyMany']).default('ReadWriteOnce'),
    'Who may mount the volume at the same time. Default: ReadWriteOnce (one node)',
  ),
  volumeMode: described(
    z.enum(['Filesystem', 'Block']),
    'Whether the volume is a file system or a raw device at mountPath. Cannot be changed later. Default: Filesystem',
  ).optional(),
  labels: labelMap('Labels for the claim. Cannot be changed later. Default: none. Example: {backup: "yes"}').optional(),
});

const updateStrategy = z
  .object({
    type: described(
      z.enum(['RollingUpdate', 'OnDelete']).default('RollingUpdate'),
      'RollingUpdate: pods are replaced when the spec changes. OnDelete: pods are replaced when they are deleted. Default: RollingUpdate',
    ),
    rollingUpdate: described(
      z.record(z.string(), z.unknown()).meta({ 'x-kubernetes-preserve-unknown-fields': true }),
      'Settings of a rolling update, as Kubernetes documents them. Default: none. Example: {partition: 1}',
    ).optional(),
  })
  .meta({
    description: 'How pods are replaced. Takes precedence over statefulSetTemplate. Default: one after another',
  });

const keepOrDelete = z.enum(['Retain', 'Delete']).default('Retain');

/** Schema of the spec of a WorkloadPersistent. */
export const persistentSpec = withRules(
  z
    .object({
      ...podFields,
      ...healthFields,
      replicas: described(
        z.int32().min(0),
        'Number of pods, each with its own volumes. Default: absent, which means one at first, and later the number that an autoscaler of the StatefulSet sets. Example: 1',
      ).optional(),
      serviceName: described(
        letterFirst,
        'Name of the Service for the pods. It is headless, so that each pod has its own name (NAME-0.SERVICE), unless a servicePort differs from its ' +
          'containerPort. Default: the name of the workload, or NAME-headless if another Service has that name. Cannot be changed later. Example: message-queue',
      ).optional(),
      persistentVolumes: z
        .array(persistentVolume)
        .max(20)
        .meta({
          description:
            'Volumes that outlive the pods. Cannot be changed later, except for mountPath and a larger size. Default: none. Example: [{name: data, mountPath: /data, size: 10Gi}]',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
        })
        .optional(),
      persistentVolumeClaimRetentionPolicy: z
        .object({
          whenDeleted: described(
            keepOrDelete,
            'What happens to the claims when the workload is deleted. Default: Retain',
          ),
          whenScaled: described(
            keepOrDelete,
            'What happens to the claims of pods that scaling down removes; suspend never deletes a claim. Default: Retain',
          ),
        })
        .meta({ description: 'When claims are deleted. Default: never' })
        .optional(),
      podManagementPolicy: described(
        z.enum(['OrderedReady', 'Parallel']).default('OrderedReady'),
        'Whether several pods start and stop one after another, or all at once. Cannot be changed later. Default: OrderedReady',
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
    'What to run. A change replaces the pods, one after another: each old pod has ended before its replacement starts.',
});

/** Schema of the status of a WorkloadPersistent. */
export const persistentStatus = z
  .object({
    ...statusFields,
    ...replicaStatus,
    serviceName: z.string().meta({ description: 'Service for the pods.' }).optional(),
    podServiceName: z
      .string()
      .meta({ description: 'Service in the names of the pods: POD.PODSERVICENAME.NAMESPACE.svc.' })
      .optional(),
    progressingSince: z.iso
      .datetime({ offset: true })
      .meta({ description: 'When the present start-up began; absent while all pods are ready.' })
      .optional(),
  })
  .meta({
    description: 'Most recently observed state. Written by the operator only.',
    default: { observedGeneration: -1 },
  });

/** The spec of a WorkloadPersistent, checked and with its defaults. */
export type PersistentSpec = z.output<typeof persistentSpec>;
/** The status of a WorkloadPersistent. */
export type PersistentStatus = z.output<typeof persistentStatus>;

/** A WorkloadPersistent as the API server returns it; its spec is not checked yet. */
export interface WorkloadPersistent {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  /** As the API server has it; `persistentSpec` gives it a type. */
  spec?: unknown;
  status?: PersistentStatus;
}

/** Kind of the custom resource. */
export const PERSISTENT_KIND = 'WorkloadPersistent';

/** Where the API server has WorkloadPersistents. */
export const persistentResource = {
  group: GROUP,
  version: VERSION,
  plural: 'workloadpersistents',
  kind: PERSISTENT_KIND,
  namespaced: true,
} as const;

/** The kind WorkloadPersistent: schemas, columns, and how long a name may be. */
export const persistentCustomResource: CustomResource = {
  ...persistentResource,
  singular: 'workloadpersistent',
  shortNames: ['wlper'],
  description:
    'WorkloadPersistent runs a workload with its own volumes in one cluster of a tenant at a time, as the StatefulSet NAME with a Service.',
  spec: persistentSpec,
  status: persistentStatus,
  // Kubernetes appends a hash of 11 characters to it, in a label.
  maxNameLength: 52,
  scalable: true,
  rules: [
    {
      rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
      message:
        'the name is also that of a Service and of hosts: use lower-case letters, digits and -, starting with a letter',
      holds: (name) => SERVICE_NAME.test(name),
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
