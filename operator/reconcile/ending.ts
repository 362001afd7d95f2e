/** How pods and Jobs of ours have ended. Pure. */
import type { Job } from '../api/children.ts';
import type { Container, ContainerStatus, Pod, TerminatedState } from '../api/kubernetes.ts';
import { deletionAskedAt } from './gone.ts';
import { MAIN_CONTAINER } from './pod-template.ts';

/** What the kubelet reports of the main container; undefined before it reports anything. */
export function mainStatus(pod: Pod): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === MAIN_CONTAINER);
}

/** How a container ended, when its node does not start it again. */
export function finalEndOf(pod: Pod, name: string): TerminatedState | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const ended = [...containerStatuses, ...initContainerStatuses].find((each) => each.name === name)?.state?.terminated;
  const policy = ended && policyOf(pod, name);
  return policy === 'Never' || (policy === 'OnFailure' && ended?.exitCode === 0) ? ended : undefined;
}

/** When the node starts this container again; undefined: by rules that only it knows. */
function policyOf({ spec }: Pod, name: string): string | undefined {
  const { restartPolicy = 'Always', containers, initContainers = [] } = spec;
  const named = (each: Container) => each.name === name;
  const container = containers.find(named);
  const own = container ?? initContainers.find(named);
  if (own?.restartPolicyRules) return undefined;
  const others = container || restartPolicy !== 'Always' ? restartPolicy : 'OnFailure';
  return own?.restartPolicy ?? others;
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
