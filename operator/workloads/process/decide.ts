/**
 * What is to become of a process, from its spec, its remembered past and its pod. Pure.
 *
 * What must outlive the pod (restarts, completion) is in the status. The finalizer keeps an ended pod until it is there,
 * so a process that ran to its end is not run again, whoever deletes its pod and whenever a controller crashes.
 */
import { POD_FINALIZER } from '../../api/group.ts';
import type { Pod } from '../../api/kubernetes.ts';
import type { ProcessSpec, ProcessStatus } from '../../api/process.ts';
import type { Stamp } from '../../reconcile/metadata.ts';
import type { Action, Desired } from '../../reconcile/plan.ts';
import { planChild } from '../../reconcile/plan.ts';
import { withRestarts } from './desired.ts';
import type { Observation } from './observe.ts';

/** What must outlive the pod. */
export interface Memory {
  readonly restarts: number;
  readonly completedGeneration?: number | undefined;
  readonly completedTemplateHash?: string | undefined;
}

/** What is wanted of the process. */
export type Wish = 'run' | 'completed' | 'suspended' | 'scaledToZero' | 'exceeded';

/** What is wanted, and the next step towards it. */
export interface Decision {
  readonly wish: Wish;
  readonly memory: Memory;
  readonly action?: Action<Pod>;
  /** The status must be written before the action: it takes away the only other witness. */
  readonly rememberFirst: boolean;
  /** Milliseconds until the process may be started again. */
  readonly backoffMs?: number;
}

/** What is known of a process. */
export interface Situation {
  readonly spec: ProcessSpec;
  readonly status: ProcessStatus | undefined;
  readonly desired: Desired<Pod>;
  readonly stamp: Stamp;
  readonly seen: Observation | undefined;
  /** What is known from another cluster. */
  readonly past?: Pick<Memory, 'restarts'> & { readonly completed: boolean };
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Decides for one process. */
export function decide(situation: Situation): Decision {
  const { spec } = situation;
  const memory = remember(situation);
  if (memory.completedGeneration !== undefined)
    return { wish: 'completed', memory, rememberFirst: true, ...act(cleanUp(situation)) };
  if (spec.maxRestarts !== undefined && memory.restarts > spec.maxRestarts) {
    return { wish: 'exceeded', memory, rememberFirst: true, ...act(stop(situation, 'MaxRestartsExceeded')) };
  }
  if (spec.suspend) return { wish: 'suspended', memory, rememberFirst: false, ...act(stop(situation, 'Suspended')) };
  if (spec.replicas === 0)
    return { wish: 'scaledToZero', memory, rememberFirst: false, ...act(stop(situation, 'ScaledToZero')) };
  return { wish: 'run', memory, ...run(situation, memory) };
}

/** The pod, if it runs what this generation asks for. */
function currentOf({ seen, stamp, desired }: Situation): Observation | undefined {
  return seen?.generation === stamp.generation || seen?.hash === desired.hash ? seen : undefined;
}

function remember(situation: Situation): Memory {
  const { stamp, desired } = situation;
  const memory = { restarts: restartsOf(situation) };
  if (!hasCompleted(situation)) return memory;
  return { ...memory, completedGeneration: stamp.generation, completedTemplateHash: desired.hash };
}

/** The status knows what earlier pods left behind, the pod what has happened since. */
function restartsOf(situation: Situation): number {
  const { status, stamp } = situation;
  const current = currentOf(situation);
  const here = status?.observedGeneration === stamp.generation ? (status.restarts ?? 0) : 0;
  const past = Math.max(here, situation.past?.restarts ?? 0);
  const isDue = current !== undefined && isOver(current) && !current.deleting && !completes(situation);
  return Math.max(past, (current?.restarts ?? 0) + (isDue ? 1 : 0));
}

function hasCompleted(situation: Situation): boolean {
  const { status, stamp, desired, past } = situation;
  if (past?.completed) return true;
  if (status?.completedGeneration === stamp.generation || status?.completedTemplateHash === desired.hash) return true;
  return currentOf(situation) !== undefined && completes(situation);
}

/** Ended by itself, one way or the other. */
function isOver({ ending }: Observation): boolean {
  return ending === 'succeeded' || ending === 'failed';
}

function completes({ seen, spec }: Situation): boolean {
  if (seen?.ending === 'succeeded') return spec.restartPolicy !== 'Always';
  return seen?.ending === 'failed' && spec.restartPolicy === 'Never';
}

function run(situation: Situation, { restarts }: Memory): Pick<Decision, 'action' | 'rememberFirst' | 'backoffMs'> {
  const { seen, desired, stamp, now } = situation;
  if (!seen)
    return {
      rememberFirst: false,
      action: { type: 'create', object: withRestarts(desired.object, restarts), reason: 'Absent' },
    };
  if (seen.deleting) return { rememberFirst: isOver(seen), ...act(letGo(seen)) };
  const change = planChild(seen.pod, desired, stamp);
  if (change?.type === 'stop' || seen.ending === undefined) return { rememberFirst: false, ...act(change) };
  const wait = seen.endedAt === undefined ? 0 : seen.endedAt + backoffMs(seen) - now;
  if (wait > 0) return { rememberFirst: false, backoffMs: Math.min(wait, backoffMs(seen)), ...act(change) };
  return {
    rememberFirst: isOver(seen),
    action: { type: 'stop', live: seen.pod, reason: seen.ending === 'interrupted' ? 'Interrupted' : 'Ended' },
  };
}

const MAX_BACKOFF_MS = 300_000;
const FIRST_BACKOFF_MS = 10_000;
const INTERRUPTED_BACKOFF_MS = 5000;

/** As the kubelet does it: at once, 10 s, 20 s, … 5 min. A node that refuses a pod would be asked again without end. */
function backoffMs({ ending, restarts, endedAt, pod }: Observation): number {
  if (ending === 'interrupted') {
    const lived = (endedAt ?? 0) - Date.parse(pod.metadata.creationTimestamp ?? '');
    return lived >= INTERRUPTED_BACKOFF_MS ? 0 : INTERRUPTED_BACKOFF_MS;
  }
  return restarts === 0 ? 0 : Math.min(FIRST_BACKOFF_MS * 2 ** (restarts - 1), MAX_BACKOFF_MS);
}

function stop(situation: Situation, reason: string): Action<Pod> | undefined {
  const { seen } = situation;
  return seen && !seen.deleting ? { type: 'stop', live: seen.pod, reason } : cleanUp(situation);
}

/** For a pod that is on its way out, or is kept for its logs until something else is asked for. */
function cleanUp({ seen, desired, stamp }: Situation): Action<Pod> | undefined {
  if (!seen) return undefined;
  if (seen.deleting) return letGo(seen);
  if (seen.outlived) return { type: 'stop', live: seen.pod, reason: 'Outlived' };
  return planChild(seen.pod, desired, stamp);
}

/** Frees the name of a pod that is being deleted and is gone; `undefined` while it is not. */
export function letGo({ pod, gone, held, confirmed }: Observation): Action<Pod> | undefined {
  if (!gone) return undefined;
  if (held) return { type: 'release', live: pod, finalizer: POD_FINALIZER, reason: 'Gone' };
  return confirmed ? { type: 'purge', live: pod, reason: 'ConfirmedStopped' } : undefined;
}

function act(action: Action<Pod> | undefined): { action?: Action<Pod> } {
  return action ? { action } : {};
}
