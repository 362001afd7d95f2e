/**
 * What is left to do so that nothing of this product hangs when no controller is there any more. Pure. A finalizer of ours is
 * let go only where that cannot free the name of a pod that still runs: the object of a pod that is being deleted stays
 * until its kubelet says that it has ended.
 */
import { GROUP } from '../api/group.ts';
import { isMadeByUs } from '../api/ownership.ts';
import type { ObjectMeta, Pod } from '../api/kubernetes.ts';
import { isConfirmedGone, isDeleting, isGone } from './gone.ts';
import type { Child } from './plan.ts';

/** What is left of a tenant. */
export interface Remains {
  /** Custom resources. */
  readonly workloads: readonly Child[];
  readonly pods: readonly Pod[];
  /** Names of namespaces that are being deleted. */
  readonly terminating: ReadonlySet<string>;
  /** What runs is to run on, and is nobody's afterwards. */
  readonly keep: boolean;
}

/** delete: asks for a graceful end. orphan: deletes it and leaves what it made. release: takes our finalizers off. wait: nothing but time, or a node, helps. */
export interface Removal {
  readonly do: 'delete' | 'orphan' | 'release' | 'wait';
  readonly kind: string;
  readonly object: Child;
  readonly because: string;
}

/** One step at most for each object; none when nothing is left. */
export function removalsOf({ workloads, pods, terminating, keep }: Remains): readonly Removal[] {
  const isGoing = (object: Child) => terminating.has(object.metadata.namespace ?? '');
  return [
    ...workloads.map((workload) => ofWorkload(workload, keep && !isGoing(workload))),
    ...pods.filter(isOurs).flatMap((pod) => ofPod(pod, isGoing(pod), keep) ?? []),
  ];
}

/** Without finalizers of this product; those of others stay. */
export function withoutOurFinalizers({ finalizers = [] }: ObjectMeta): readonly string[] {
  return finalizers.filter((finalizer) => !isOurFinalizer(finalizer));
}

function isOurFinalizer(finalizer: string): boolean {
  return finalizer.startsWith(`${GROUP}/`);
}

function isHeld({ metadata: { finalizers = [] } }: Child): boolean {
  return finalizers.some(isOurFinalizer);
}

/** Made by us, or orphaned while we still held its name. */
function isOurs(pod: Pod): boolean {
  return isMadeByUs(pod) || isHeld(pod);
}

function ofWorkload(workload: Child, keep: boolean): Removal {
  const kind = workload.kind ?? 'workload';
  const step = { kind, object: workload };
  if (isHeld(workload)) return { ...step, do: 'release', because: 'no controller is running to remove its finalizer' };
  if (workload.metadata.deletionTimestamp !== undefined)
    return { ...step, do: 'wait', because: 'Kubernetes is deleting it' };
  if (keep) return { ...step, do: 'orphan', because: 'its child objects stay' };
  return { ...step, do: 'delete', because: 'together with its child objects' };
}

function ofPod(pod: Pod, isGoing: boolean, keep: boolean): Removal | undefined {
  const step = { kind: 'Pod', object: pod };
  if (isDeleting(pod)) {
    if (isHeld(pod) && (isGone(pod) || isConfirmedGone(pod)))
      return { ...step, do: 'release', because: 'it has ended' };
    if (isHeld(pod) && isGoing) return { ...step, do: 'release', because: 'its namespace is being deleted' };
    return { ...step, do: 'wait', because: `node ${pod.spec.nodeName ?? ''} has not reported that it has ended` };
  }
  if (keep) return isHeld(pod) ? { ...step, do: 'release', because: 'it keeps running, without an owner' } : undefined;
  return isHeld(pod)
    ? { ...step, do: 'delete', because: 'gracefully' }
    : { ...step, do: 'wait', because: 'Kubernetes deletes it after its owner' };
}
