/** What a process's pod says about the process. Pure: the only clock is the `now` that is passed in. */
import { annotations, POD_FINALIZER } from '../../api/group.ts';
import type { Pod, TerminatedState } from '../../api/kubernetes.ts';
import { endedBeforeDeletion, finalEndOf, mainStatus } from '../../reconcile/ending.ts';
import { isConfirmedGone, isDeleting, isFinal, isGone, isLost } from '../../reconcile/gone.ts';
import { numberAnnotation } from '../../reconcile/metadata.ts';

/** On a pod: how often the process was restarted at this generation before the pod was made. */
export const RESTARTS_BEFORE = `${annotations.generation.split('/')[0]}/restarts-before`;

/** How the process ended by itself; a pod that was evicted, or deleted before that, was interrupted. */
export type Ending = 'succeeded' | 'failed' | 'interrupted';

/** What a pod says. */
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
  readonly ending?: Ending;
  /** It has ended, but containers that the spec does not know, injected on their way into the cluster, would run on for ever. */
  readonly outlived?: true;
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

/**
 * The same, with the process judged by the containers that it asks for: those that others inject neither keep it from having
 * ended nor hide how it did. The kubelet itself ends sidecars among the init containers.
 */
export function judgedBy(asked: readonly string[], seen: Observation): Observation {
  const { pod, ending } = seen;
  const others = pod.spec.containers.filter(({ name }) => !asked.includes(name));
  const ends = asked.flatMap((name) => finalEndOf(pod, name) ?? []);
  if (ends.length < asked.length || ends.length === 0) return seen;
  const judged = ends.every(({ exitCode }) => exitCode === 0) ? 'succeeded' : 'failed';
  if (isFinal(pod)) {
    const isHidden = ending === 'failed' && others.length > 0 && pod.status?.reason === undefined;
    return isHidden ? { ...seen, ending: judged } : seen;
  }
  const runsOn = others.some(({ name }) => !finalEndOf(pod, name));
  return {
    ...seen,
    ending: isInterrupted(pod) ? 'interrupted' : judged,
    ...lastOf(ends),
    ...(runsOn && { outlived: true }),
  };
}

function lastOf(ends: readonly TerminatedState[]): Pick<Observation, 'endedAt'> {
  const times = ends.map(({ finishedAt }) => Date.parse(finishedAt ?? ''));
  return times.some(Number.isNaN) ? {} : { endedAt: Math.max(...times) };
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
  if (isInterrupted(pod)) return 'interrupted';
  return pod.status?.phase === 'Succeeded' ? 'succeeded' : 'failed';
}

function isInterrupted(pod: Pod): boolean {
  const { phase, reason = '' } = pod.status ?? {};
  if (phase !== 'Succeeded' && (NODE_REASONS.test(reason) || hasCondition(pod, 'DisruptionTarget'))) return true;
  return isDeleting(pod) && !endedBeforeDeletion(pod);
}
