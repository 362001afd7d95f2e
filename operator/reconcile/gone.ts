/**
 * When a pod's processes have ended for certain. No API object is not no process: only the kubelet can say so, or the
 * fact that no kubelet was ever told to start it. Everything that waits for an instance to end waits for this.
 */
import { annotations } from '../api/group.ts';
import type { ContainerStatus, Pod } from '../api/kubernetes.ts';

/** How long after its deadline a pod may still be ending before its node counts as lost, milliseconds. */
export const LOST_AFTER_MS = 15_000;

/** Whether the pod has ended and will not start again. */
export function isFinal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Whether the pod's deletion was asked for. */
export function isDeleting(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/**
 * Milliseconds since the epoch at which deletion was asked for, or later: a deletion without grace, also the kubelet's
 * own when everything has ended, overwrites it with its own time.
 */
export function deletionAskedAt(pod: Pod): number | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
  return deletionTimestamp === undefined
    ? undefined
    : Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
}

/** Whether nothing of the pod runs, nor will. A pod that is bound and neither deleted nor in a final phase never is gone. */
export function isGone(pod: Pod): boolean {
  if (!pod.spec.nodeName) return isDeleting(pod) || isFinal(pod); // the API server binds no pod that is being deleted
  if (isFinal(pod) && !failedByGarbageCollector(pod)) return !statuses(pod).some((status) => status.state?.running);
  const asked = deletionAskedAt(pod);
  return asked !== undefined && longLived(pod).every((name) => endedSince(statusOf(pod, name), asked));
}

/** Whether a person says so of a pod that is being deleted: on the pod, or by its uid in `confirmed`. */
export function isConfirmedGone(pod: Pod, confirmed?: string): boolean {
  const { uid, annotations: notes } = pod.metadata;
  const isNamed = uid !== undefined && (confirmed === uid || notes?.[annotations.confirmStopped] === uid);
  return isNamed && isDeleting(pod);
}

/** Whether the pod should long have ended, but its node is silent; `now` in milliseconds since the epoch. */
export function isLost(pod: Pod, now: number): boolean {
  if (!pod.spec.nodeName || isGone(pod)) return false;
  const { deletionTimestamp } = pod.metadata;
  if (deletionTimestamp === undefined) return nodeUnreachable(pod);
  return now > Date.parse(deletionTimestamp) + LOST_AFTER_MS;
}

/** Kubernetes' garbage collector writes phase Failed for a pod whose node object is gone, without asking any kubelet. */
function failedByGarbageCollector(pod: Pod): boolean {
  return (pod.status?.conditions ?? []).some(
    ({ type, status, reason }) => type === 'DisruptionTarget' && status === 'True' && reason === 'DeletionByPodGC',
  );
}

/** The node controller turns Ready to False for the pods of a silent node, and leaves what the kubelet last said as it was. */
function nodeUnreachable(pod: Pod): boolean {
  const conditions = new Map(pod.status?.conditions?.map((condition) => [condition.type, condition]));
  if (pod.status?.reason === 'NodeLost') return true;
  return (
    pod.status?.phase === 'Running' &&
    conditions.get('Ready')?.status === 'False' &&
    conditions.get('ContainersReady')?.status === 'True'
  );
}

function longLived(pod: Pod): string[] {
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...pod.spec.containers, ...sidecars].map(({ name }) => name);
}

function statuses(pod: Pod): readonly ContainerStatus[] {
  return [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
}

function statusOf(pod: Pod, name: string): ContainerStatus | undefined {
  return statuses(pod).find((status) => status.name === name);
}

/** An end before the deletion may be followed by a restart that was not reported yet. */
function endedSince(status: ContainerStatus | undefined, asked: number): boolean {
  const ended = status?.state?.terminated;
  if (!ended) return false;
  return ended.reason === 'ContainerStatusUnknown' || Date.parse(ended.finishedAt ?? '') >= asked;
}
