/** What a process's pod says about the process. Pure: the only clock is the `now` that is passed in. */
import { annotations, POD_FINALIZER } from '../../api/group.ts';
import type { Pod } from '../../api/kubernetes.ts';
import { endedBeforeDeletion, mainStatus } from '../../reconcile/ending.ts';
import { isConfirmedGone, isDeleting, isFinal, isGone, isLost } from '../../reconcile/gone.ts';
import { numberAnnotation } from '../../reconcile/metadata.ts';

/** On a pod: how often the process was restarted at this generation before the pod was made. */
export const RESTARTS_BEFORE = `${annotations.generation.split('/')[0]}/restarts-before`;

/** How the process ended by itself; a pod that was evicted, or deleted before that, was interrupted. */
export type Ending = 'succeeded' | 'failed' | 'interrupted';

export interface Observation {
  readonly pod: Pod;
  readonly deleting: boolean;
  /** Nothing of it runs, nor will. */
  readonly gone: boolean;
  /** Gone, but only by the word of a person: no kubelet will remove the object. */
  readonly confirmed: boolean;
  /** Its node is silent: it may run, or not. */
  readonly lost: boolean;
  /** Ours is still on it, so its name is still taken. */
  readonly held: boolean;
  readonly ready: boolean;
  /** Only when the pod is in a final phase. */
  readonly ending?: Ending;
  /** When it ended, milliseconds since the epoch; its creation when the pod does not say. */
  readonly endedAt?: number;
  /** By the kubelet and, before this pod, by us. */
  readonly restarts: number;
  readonly restartsBefore: number;
  readonly generation: number | undefined;
  readonly hash: string | undefined;
  readonly startedAt?: string;
}

/** `confirmed`: uid of the pod that a person says has stopped. */
export function observePod(pod: Pod, now: number, confirmed?: string): Observation {
  const gone = isGone(pod);
  const byPerson = !gone && isConfirmedGone(pod, confirmed);
  const restartsBefore = numberAnnotation(pod, RESTARTS_BEFORE) ?? 0;
  return {
    pod,
    deleting: isDeleting(pod),
    gone: gone || byPerson,
    confirmed: byPerson,
    lost: !gone && !byPerson && isLost(pod, now),
    held: pod.metadata.finalizers?.includes(POD_FINALIZER) ?? false,
    ready: hasCondition(pod, 'Ready'),
    restarts: restartsBefore + restartCount(pod),
    restartsBefore,
    generation: numberAnnotation(pod, annotations.generation),
    hash: pod.metadata.annotations?.[annotations.templateHash],
    ...timesOf(pod, now),
  };
}

function timesOf(pod: Pod, now: number): Pick<Observation, 'ending' | 'endedAt' | 'startedAt'> {
  const { running, terminated } = mainStatus(pod)?.state ?? {};
  const startedAt = running?.startedAt ?? terminated?.startedAt;
  const started = startedAt ? { startedAt } : {};
  if (!isFinal(pod)) return started;
  const endedAt = Date.parse(terminated?.finishedAt ?? pod.metadata.creationTimestamp ?? '');
  return { ...started, ending: endingOf(pod), endedAt: Number.isNaN(endedAt) ? now : endedAt };
}

/** Of the main container: sidecars may come and go. */
function restartCount(pod: Pod): number {
  return mainStatus(pod)?.restartCount ?? 0;
}

function hasCondition(pod: Pod, type: string): boolean {
  return pod.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

/** Reasons that the kubelet gives for ending, or never starting, a pod for the sake of its node. */
const NODE_REASONS =
  /^(Evicted|NodeShutdown|Shutdown|Terminated|Preempting|NodeLost|NodeAffinity|NodeName|NodePorts|HostPort|TopologyAffinityError|UnexpectedAdmissionError|OutOf\w+|Critical\w*)$/;

function endingOf(pod: Pod): Ending {
  if (
    pod.status?.phase === 'Failed' &&
    (NODE_REASONS.test(pod.status.reason ?? '') || hasCondition(pod, 'DisruptionTarget'))
  )
    return 'interrupted';
  if (isDeleting(pod) && !endedBeforeDeletion(pod)) return 'interrupted';
  return pod.status?.phase === 'Succeeded' ? 'succeeded' : 'failed';
}
