/** How far the pods of a Deployment or StatefulSet have come, in the words that both share. Pure. */
import { childTypes } from '../api/children.ts';
import type { Pod } from '../api/kubernetes.ts';
import type { Facts, Sight } from './child-look.ts';
import { selectorText } from './child.ts';
import { isDeleting, isFinal, isGone } from './gone.ts';
import { starting } from './pod-trouble.ts';
import type { Verdict } from './status.ts';

/** The parts that Deployment and StatefulSet have in common. */
export interface Replicated {
  readonly metadata: { readonly name: string; readonly generation?: number };
  readonly spec: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
  };
}

/** What the status says of replicas. */
export interface ReplicaFacts extends Facts {
  replicas: number;
  readyReplicas: number;
  updatedReplicas: number;
  selector: string;
}

/** How many pods there are to be; Kubernetes makes one where nothing is said. */
export function wantedReplicas({ spec }: Replicated): number {
  return spec.replicas ?? 1;
}

/**
 * Whether the status is about what we ask for. Kubernetes counts a stamp on a Deployment as a new generation; a workload
 * that was ready at this spec already stays so meanwhile.
 */
export function isObserved({ metadata, status }: Replicated, { owner, previous }: Sight): boolean {
  const wasReady = previous?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True');
  if (wasReady && previous?.observedGeneration === owner.generation) return true;
  return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
}

/** The facts of a Deployment or StatefulSet; undefined: there is none. */
export function replicaFacts(live: Replicated | undefined, tenant: string, kind: string, sight: Sight): ReplicaFacts {
  const { replicas = 0, readyReplicas = 0, updatedReplicas = 0 } = live?.status ?? {};
  const wanted = live ? wantedReplicas(live) : 0;
  return {
    active: wanted > 0 && replicas > 0,
    healthy: wanted > 0 && readyReplicas >= wanted,
    replicas,
    readyReplicas,
    updatedReplicas,
    selector: selectorText({ tenant, kind, owner: sight.owner }),
  };
}

/** All pods that are wanted run what is asked for and are ready, and there are no others. */
export function isComplete(live: Replicated): boolean {
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = live.status ?? {};
  return [replicas, updatedReplicas, availableReplicas].every((count) => count === wantedReplicas(live));
}

/** For one that Kubernetes has looked at, is wanted to have pods, and has not given up. */
export function replicaVerdict(live: Replicated, sight: Sight): Verdict {
  const readyReplicas = live.status?.readyReplicas ?? 0;
  const wanted = wantedReplicas(live);
  const counts = `${readyReplicas} of ${wanted} ${wanted === 1 ? 'pod is' : 'pods are'} ready`;
  if (isComplete(live)) {
    if (wanted === 0) return { state: 'done', reason: 'ScaledToZero', message: 'spec.replicas is 0: there is no pod' };
    return { state: 'done', reason: 'Running', message: counts };
  }
  return troubleOf(sight) ?? { state: 'working', reason: 'Progressing', message: counts };
}

/** What keeps the first pod that is not ready from being so; undefined when all are, or nothing is known yet. */
export function troubleOf(sight: Sight): Verdict | undefined {
  const pods = sight.live.list<Pod>(childTypes.pods);
  const late = pods.filter((pod) => !isDeleting(pod) && !isFinal(pod) && !isReady(pod)).map(starting);
  return late.find(({ problem }) => problem !== undefined) ?? late[0];
}

/** For a workload that is kept stopped. */
export function parkedVerdict(sight: Sight): Verdict {
  const running = sight.live.list<Pod>(childTypes.pods).find((pod) => !isGone(pod));
  if (running) {
    const message = `spec.suspend is true; pod ${running.metadata.name} is still terminating`;
    return { state: 'working', reason: 'Stopping', message };
  }
  return { state: 'resting', reason: 'Suspended', message: 'spec.suspend is true: the workload stays stopped' };
}

/** Whether the pod's condition Ready is True. */
export function isReady({ status }: Pod): boolean {
  return status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ?? false;
}
