/** The kinds that the operator manages: where each finds its objects, and who reconciles them. */
import type { ChildType } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import type { WorkloadCronJob } from '../api/cronjob.ts';
import { CRON_JOB_KIND, cronJobResource } from '../api/cronjob.ts';
import { labels } from '../api/group.ts';
import type { DeclaredWorkload } from '../api/declared.ts';
import type { Pod } from '../api/kubernetes.ts';
import type { WorkloadPersistent } from '../api/persistent.ts';
import { PERSISTENT_KIND, persistentResource } from '../api/persistent.ts';
import type { WorkloadProcess } from '../api/process.ts';
import { PROCESS_KIND, processResource } from '../api/process.ts';
import type { WorkloadService } from '../api/service.ts';
import { SERVICE_KIND, serviceResource } from '../api/service.ts';
import type { ClusterClient, KubeObject } from '../cluster/cluster-client.ts';
import type { EventRecorder } from '../cluster/events.ts';
import type { Watched } from '../cluster/namespaces.ts';
import { watched } from '../cluster/namespaces.ts';
import type { ChildSource, Registration } from '../controller/controller.ts';
import type { ProcessLedger } from '../ledger/process-ledger.ts';
import type { LedgerStore } from '../ledger/ledger.ts';
import type { Random } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { ChildSetOptions } from '../reconcile/child-options.ts';
import type { AnyChild } from '../reconcile/child.ts';
import { isDeleting, isFinal } from '../reconcile/gone.ts';
import { workloadOf } from '../reconcile/metadata.ts';
import type { NamespaceDefaults } from '../reconcile/namespace-defaults.ts';
import type { OwnedCache } from '../reconcile/ports.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import type { Tenancy } from '../reconcile/tenancy.ts';
import { CronJobReconciler } from '../workloads/cronjob/reconciler.ts';
import { DeclaredReconciler } from '../workloads/declared/reconciler.ts';
import { PersistentReconciler } from '../workloads/persistent/reconciler.ts';
import { ProcessReconciler } from '../workloads/process/reconciler.ts';
import { ServiceReconciler } from '../workloads/service/reconciler.ts';

/** The objects that controllers keep in memory. */
export interface Caches {
  /** Custom resources, of all tenants, under the names by which metrics call their kinds. */
  readonly workloads: {
    readonly process: Watched<WorkloadProcess>;
    readonly service: Watched<WorkloadService>;
    readonly persistent: Watched<WorkloadPersistent>;
    readonly cronjob: Watched<WorkloadCronJob>;
  };
  /** What is made for this tenant. */
  readonly children: {
    readonly pods: Watched<Pod>;
    readonly deployments: Watched<AnyChild>;
    readonly services: Watched<AnyChild>;
    readonly statefulSets: Watched<AnyChild>;
    readonly cronJobs: Watched<AnyChild>;
    readonly jobs: Watched<AnyChild>;
  };
}

type CacheDeps = Pick<KindDeps, 'client' | 'clock' | 'logger' | 'tenant'> & {
  readonly random: Random;
  /** All when there is none. */
  readonly watchNamespaces: readonly string[];
};

/** Whoever passes more, such as the whole configuration, must not limit what is watched by it. */
export function openCaches({ tenant, watchNamespaces, client, clock, logger, random }: CacheDeps): Caches {
  const options = { client, clock, logger, random };
  const ours = <T extends KubeObject>(type: ChildType) =>
    watched<T>({ ...options, type, labelSelector: `${labels.tenant}=${tenant}` }, watchNamespaces);
  const all = <T extends KubeObject>(type: ChildType) => watched<T>({ ...options, type }, watchNamespaces);
  return {
    workloads: {
      process: all(processResource),
      service: all(serviceResource),
      persistent: all(persistentResource),
      cronjob: all(cronJobResource),
    },
    children: {
      pods: ours<Pod>(childTypes.pods),
      deployments: ours(childTypes.deployments),
      services: ours(childTypes.services),
      statefulSets: ours(childTypes.statefulSets),
      cronJobs: ours(childTypes.cronJobs),
      jobs: ours(childTypes.jobs),
    },
  };
}

/** All of them, in no particular order. */
export function allCaches({ workloads, children }: Caches) {
  return [...Object.values(workloads), ...Object.values(children)];
}

/** Pods, of which there is most to hear, come first. */
export function childCaches({ children: { pods, ...others } }: Caches) {
  return [pods, ...Object.values(others)];
}

/** What reconcilers are made with. */
export interface KindDeps {
  readonly caches: Caches;
  readonly client: ClusterClient;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly tenant: string;
  readonly tenancy: Tenancy;
  readonly clusterName: string;
  readonly clusterId: string;
  /** Longest grace of a workload's pods, milliseconds. */
  readonly maxGraceMs: number;
  readonly podDefaults: NamespaceDefaults;
  /** Of the runs of cron jobs. */
  readonly ledger: LedgerStore;
  /** Of processes. */
  readonly pasts: ProcessLedger;
  readonly workers: number;
  readonly logger: Logger;
  /** Workloads of the configuration file. */
  readonly declarations: readonly DeclaredWorkload[];
}

/** What the operator manages: each kind with its reconciler and the caches that wake it. */
export function kinds(deps: KindDeps): readonly Registration[] {
  const { workloads, children } = deps.caches;
  return [
    ...Object.values(workloads).map((source: Watched<KubeObject>) => declared(deps, source)),
    process(deps),
    composed(deps, {
      kind: SERVICE_KIND,
      source: workloads.service,
      children: [children.deployments, children.services],
      contenders: { kind: PERSISTENT_KIND, cache: workloads.persistent.view() },
      make: (options) => new ServiceReconciler(options),
    }),
    composed(deps, {
      kind: PERSISTENT_KIND,
      source: workloads.persistent,
      children: [children.statefulSets, children.services],
      contenders: { kind: SERVICE_KIND, cache: workloads.service.view() },
      make: (options) => new PersistentReconciler(options),
    }),
    composed(deps, {
      kind: CRON_JOB_KIND,
      source: workloads.cronjob,
      children: [children.cronJobs, children.jobs],
      make: (options) => new CronJobReconciler({ ...options, ledger: deps.ledger, clusterId: deps.clusterId }),
    }),
  ];
}

/** Those of one kind that the configuration file declares. */
function declared(deps: KindDeps, source: Watched<KubeObject>): Registration {
  const reconciler = new DeclaredReconciler({ ...deps, resource: source.type, workloads: source.view() });
  return {
    filter: (object) => reconciler.concerns(object),
    wanted: () => reconciler.keys,
    concurrency: 1,
    source,
    reconciler,
    children: [],
  };
}

function process(deps: KindDeps): Registration {
  const { caches, tenancy, workers } = deps;
  const { pods } = caches.children;
  const owned = pods.view((pod) => workloadOf(pod, PROCESS_KIND));
  return {
    filter: (object) => tenancy.concerns(object) || has(owned, object),
    concurrency: workers,
    source: caches.workloads.process,
    reconciler: new ProcessReconciler({
      ...deps,
      workloads: caches.workloads.process.view(),
      pods: owned,
    }),
    children: [
      {
        source: pods,
        mapToKey: (object) => workloadOf(object, PROCESS_KIND),
        // Somebody waits for its name, or for the next start; all else is only to be reported.
        isUrgent: ({ object }) => isDeleting(object as Pod) || isFinal(object as Pod),
      },
    ],
  };
}

interface Composed {
  readonly kind: string;
  readonly source: Watched<KubeObject>;
  /** Of what the kind makes, and of what it has to see besides its pods. */
  readonly children: readonly Watched<AnyChild>[];
  readonly contenders?: ChildSetOptions['contenders'];
  readonly make: (options: ChildSetOptions) => Reconciler;
}

/** A kind whose pods are made by Kubernetes' own controllers, from children of ours. */
function composed(deps: KindDeps, { kind, source, children, contenders, make }: Composed): Registration {
  const { tenancy, workers, caches } = deps;
  const owner = (object: KubeObject) => workloadOf(object, kind);
  const { pods } = caches.children;
  const owned = [...children, pods].map((each) => ({ type: each.type, cache: each.view(owner) }));
  return {
    filter: (object) => tenancy.concerns(object) || owned.some(({ cache }) => has(cache, object)),
    concurrency: workers,
    source,
    reconciler: make({
      ...deps,
      workloads: source.view(),
      contenders,
      caches: owned,
    }),
    children: [
      ...children.map((each): ChildSource => ({ source: each, mapToKey: owner, isUrgent: mayBeDrift })),
      { source: pods, mapToKey: owner },
    ],
  };
}

/** What we made of a workload is ours to see to, whosever that is by now. */
function has(cache: Pick<OwnedCache<KubeObject>, 'byOwner'>, { metadata: { name, namespace = '' } }: KubeObject) {
  return cache.byOwner({ namespace, name }).length > 0;
}

/** Somebody may have changed what we set: a new spec is a new generation, where objects have generations. */
function mayBeDrift({ object: { metadata: now }, old }: { readonly object: KubeObject; readonly old?: KubeObject }) {
  return old !== undefined && (now.generation === undefined || now.generation !== old.metadata.generation);
}
