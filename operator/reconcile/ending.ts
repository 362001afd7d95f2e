/** How pods and Jobs of ours have ended. Pure. */
import type { Job } from '../api/children.ts';
import type { ContainerStatus, Pod } from '../api/kubernetes.ts';
import { deletionAskedAt } from './gone.ts';
import { MAIN_CONTAINER } from './pod-template.ts';

export function mainStatus(pod: Pod): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === MAIN_CONTAINER);
}

/** How long a kubelet may take from the end of a process to its own deletion of the pod, milliseconds. */
const KUBELET_MS = 60_000;

/** With success or not. */
export function isJobOver({ status }: Job): boolean {
  return status?.conditions?.some(({ type, status: is }) => /^(Complete|Failed)$/.test(type) && is === 'True') ?? false;
}

/**
 * By itself. In doubt a process counts as interrupted: one that is seen to end before its pod is deleted has that in the status
 * already. The time at which deletion was asked for is only known while there is grace left.
 */
export function endedBeforeDeletion(pod: Pod): boolean {
  const ended = mainStatus(pod)?.state?.terminated;
  const doubt = pod.metadata.deletionGracePeriodSeconds ? 0 : KUBELET_MS;
  return Date.parse(ended?.finishedAt ?? '') < (deletionAskedAt(pod) ?? 0) - doubt;
}
