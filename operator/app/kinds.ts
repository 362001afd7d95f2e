/** The kinds that the operator manages: where each finds its objects, and who reconciles them. */
import { labels } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';
import type { WorkloadProcess } from '../api/process.ts';
import { PROCESS_KIND, processResource } from '../api/process.ts';
import { type ClusterClient, core } from '../cluster/cluster-client.ts';
import type { EventRecorder } from '../cluster/events.ts';
import { Reflector } from '../cluster/reflector.ts';
import type { Registration } from '../controller/controller.ts';
import type { Random } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { isDeleting, isFinal } from '../reconcile/gone.ts';
import { belongsTo, workloadOf } from '../reconcile/metadata.ts';
import { ProcessReconciler } from '../workloads/process/reconciler.ts';

export interface Caches {
  readonly processes: Reflector<WorkloadProcess>;
  readonly pods: Reflector<Pod>;
}

type CacheDeps = Pick<KindDeps, 'client' | 'clock' | 'logger' | 'tenant'> & { readonly random: Random };

export function openCaches({ tenant, ...options }: CacheDeps): Caches {
  return {
    processes: new Reflector<WorkloadProcess>({ ...options, type: processResource }),
    pods: new Reflector<Pod>({ ...options, type: core.pods, labelSelector: `${labels.tenant}=${tenant}` }),
  };
}

export interface KindDeps {
  readonly caches: Caches;
  readonly client: ClusterClient;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly tenant: string;
  readonly clusterName: string;
  readonly workers: number;
  readonly logger: Logger;
}

export function kinds(deps: KindDeps): readonly Registration[] {
  const { caches, tenant, workers } = deps;
  return [
    {
      filter: (object) => belongsTo(object, tenant),
      concurrency: workers,
      source: caches.processes,
      reconciler: new ProcessReconciler({
        ...deps,
        workloads: caches.processes.view(),
        pods: caches.pods.view((pod) => workloadOf(pod, PROCESS_KIND)),
      }),
      children: [
        {
          source: caches.pods,
          mapToKey: (object) => workloadOf(object, PROCESS_KIND),
          // Somebody waits for its name, or for the next start; all else is only to be reported.
          isUrgent: ({ object }) => isDeleting(object as Pod) || isFinal(object as Pod),
        },
      ],
    },
  ];
}
