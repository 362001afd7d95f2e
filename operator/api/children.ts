/** The parts that this product reads or writes of the objects that Kubernetes' own controllers turn into pods. */
import type { ObjectMeta, PodTemplate } from './kubernetes.ts';

/** A resource of the API; `group` is '' for the core group. */
export interface ChildType {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Where the API server has the objects that workloads are made of. */
export const childTypes = {
  pods: { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true },
  services: { group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced: true },
  deployments: { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment', namespaced: true },
  statefulSets: { group: 'apps', version: 'v1', plural: 'statefulsets', kind: 'StatefulSet', namespaced: true },
  cronJobs: { group: 'batch', version: 'v1', plural: 'cronjobs', kind: 'CronJob', namespaced: true },
  jobs: { group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job', namespaced: true },
  replicaSets: { group: 'apps', version: 'v1', plural: 'replicasets', kind: 'ReplicaSet', namespaced: true },
} as const satisfies Record<string, ChildType>;

/** Made by Kubernetes for a StatefulSet; expanded by us. */
export const persistentVolumeClaims = {
  group: '',
  version: 'v1',
  plural: 'persistentvolumeclaims',
  kind: 'PersistentVolumeClaim',
  namespaced: true,
} as const satisfies ChildType;

interface ChildObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

interface ControllerCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

/** A `Deployment` of `apps/v1`. */
export interface Deployment extends ChildObject {
  spec: {
    replicas?: number;
    progressDeadlineSeconds?: number;
    revisionHistoryLimit?: number;
    /** A `null` stands for "must be absent". */
    strategy?: {
      type?: string;
      rollingUpdate?: { maxSurge?: string | number; maxUnavailable?: string | number } | null;
    };
    selector: { matchLabels?: Record<string, string> };
    template: PodTemplate;
  };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    conditions?: ControllerCondition[];
  };
}

/** An entry of a StatefulSet's `volumeClaimTemplates`. */
export interface ClaimTemplate {
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: {
    accessModes: string[];
    storageClassName?: string;
    volumeMode?: string;
    resources: { requests: { storage: string } };
  };
}

/** A `PersistentVolumeClaim` of `v1`; sizes are quantities such as `10Gi`. */
export interface PersistentVolumeClaim extends ChildObject {
  spec: { storageClassName?: string; resources?: { requests?: { storage?: string } } };
  status?: {
    phase?: string;
    capacity?: { storage?: string };
    /** As far as the expansion of a volume has come, by resource. */
    allocatedResourceStatuses?: { storage?: string };
    conditions?: ControllerCondition[];
  };
}

/** A `StatefulSet` of `apps/v1`. */
export interface StatefulSet extends ChildObject {
  spec: {
    replicas?: number;
    serviceName?: string;
    podManagementPolicy?: string;
    updateStrategy?: { type?: string; rollingUpdate?: { partition?: number } };
    persistentVolumeClaimRetentionPolicy?: { whenDeleted?: string; whenScaled?: string };
    selector: { matchLabels?: Record<string, string> };
    template: PodTemplate;
    ordinals?: { start?: number };
    volumeClaimTemplates?: readonly ClaimTemplate[];
  };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    updateRevision?: string;
  };
}

/** A port of a Service. */
export interface ServicePort {
  name?: string;
  port: number;
  targetPort?: number;
  protocol?: string;
}

/** A `Service` of `v1`. */
export interface Service extends ChildObject {
  spec: {
    type?: string;
    clusterIP?: string;
    selector?: Record<string, string>;
    ports?: ServicePort[];
  };
}

/** The spec of a Job, and of a CronJob's `jobTemplate`. */
export interface JobSpec {
  suspend?: boolean;
  backoffLimit?: number;
  activeDeadlineSeconds?: number;
  ttlSecondsAfterFinished?: number;
  podReplacementPolicy?: string;
  template: PodTemplate;
}

/** A `Job` of `batch/v1`. */
export interface Job extends ChildObject {
  spec: JobSpec;
  status?: {
    startTime?: string;
    completionTime?: string;
    active?: number;
    succeeded?: number;
    failed?: number;
    conditions?: ControllerCondition[];
  };
}

/** A `CronJob` of `batch/v1`. */
export interface CronJob extends ChildObject {
  spec: {
    schedule: string;
    timeZone?: string;
    suspend?: boolean;
    concurrencyPolicy?: string;
    startingDeadlineSeconds?: number;
    successfulJobsHistoryLimit?: number;
    failedJobsHistoryLimit?: number;
    jobTemplate: {
      metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
      spec: JobSpec;
    };
  };
  status?: {
    active?: readonly { name?: string }[];
    lastScheduleTime?: string;
    lastSuccessfulTime?: string;
  };
}
