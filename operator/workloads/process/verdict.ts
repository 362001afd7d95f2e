/** What to tell people about a process: one verdict, with a reason for programs and a sentence for readers. Pure. */
import { annotations } from '../../api/group.ts';
import type { Pod } from '../../api/kubernetes.ts';
import type { ProcessSpec, ProcessStatus } from '../../api/process.ts';
import { failureOf, starting } from '../../reconcile/pod-trouble.ts';
import type { Verdict } from '../../reconcile/status.ts';
import { readyReason } from '../../reconcile/status.ts';
import type { Decision } from './decide.ts';
import type { Observation } from './observe.ts';
import { mainStatus } from '../../reconcile/ending.ts';

/** The part of the status that only this kind has. */
export type Facts = Pick<
  ProcessStatus,
  'replicas' | 'podName' | 'nodeName' | 'restarts' | 'startedAt' | 'completedGeneration' | 'completedTemplateHash'
> & { active: boolean; healthy: boolean };

/** What the status says besides the verdict. */
export function factsOf(decision: Decision, seen: Observation | undefined, previous: ProcessStatus | undefined): Facts {
  const alive = seen !== undefined && !seen.deleting && seen.ending === undefined && isAlive(seen.pod);
  const succeeded = decision.wish === 'completed' && outcome(seen, previous) === 'succeeded';
  return {
    active: alive,
    replicas: alive ? 1 : 0,
    healthy: (alive && seen.ready && !seen.lost) || succeeded,
    podName: seen?.pod.metadata.name,
    nodeName: seen?.pod.spec.nodeName,
    restarts: decision.memory.restarts,
    startedAt: seen?.startedAt,
    completedGeneration: decision.memory.completedGeneration,
    completedTemplateHash: decision.memory.completedTemplateHash,
  };
}

function isAlive({ status }: Pod): boolean {
  return status?.phase === undefined || status.phase === 'Pending' || status.phase === 'Running';
}

/** Once the pod is deleted, the status is the only one who knows. */
function outcome(seen: Observation | undefined, previous: ProcessStatus | undefined): 'succeeded' | 'failed' {
  if (seen?.ending === 'succeeded' || seen?.ending === 'failed') return seen.ending;
  return readyReason(previous) === 'ProcessFailed' ? 'failed' : 'succeeded';
}

/** The verdict on a process whose spec is valid. */
export function verdictOf(
  decision: Decision,
  seen: Observation | undefined,
  spec: ProcessSpec,
  previous: ProcessStatus | undefined,
): Verdict {
  if (seen?.lost) return waitingForNode(seen);
  switch (decision.wish) {
    case 'completed':
      return completed(seen, previous);
    case 'exceeded':
      return exceeded(decision, spec);
    case 'suspended':
      return { state: 'resting', reason: 'Suspended', message: 'spec.suspend is true: the process stays stopped' };
    case 'scaledToZero':
      return scaledToZero(seen);
    case 'run':
      return running(decision, seen);
  }
}

function waitingForNode({ pod, deleting }: Observation): Verdict {
  const { name, uid = '' } = pod.metadata;
  const message =
    `Node ${pod.spec.nodeName ?? ''} is unreachable, so pod ${name} may still be running; no replacement is started. ` +
    `Bring the node back; or, if the pod has certainly stopped, ${deleting ? '' : 'delete it and '}confirm with: ` +
    `kubectl annotate workloadprocess ${name.replace(/-pod$/, '')} -n ${pod.metadata.namespace ?? ''} --overwrite ${annotations.confirmStopped}=${uid}`;
  return { state: 'working', reason: 'WaitingForNode', message, problem: message };
}

function completed(seen: Observation | undefined, previous: ProcessStatus | undefined): Verdict {
  if (outcome(seen, previous) === 'succeeded') {
    return {
      state: 'done',
      reason: 'Completed',
      message: 'The process succeeded. Change the spec to run it again',
    };
  }
  const problem = (seen && lastFailure(seen.pod)) ?? previous?.lastError ?? 'the process failed';
  const message = `The process failed and restartPolicy is Never; change the spec to run it again: ${problem}`;
  return { state: 'stalled', reason: 'ProcessFailed', message, problem };
}

function exceeded({ memory }: Decision, { maxRestarts = 0 }: ProcessSpec): Verdict {
  const message = `Restart limit reached (maxRestarts: ${maxRestarts}, restarts: ${memory.restarts - 1}). Change the spec to start it again`;
  return { state: 'stalled', reason: 'MaxRestartsExceeded', message, problem: message };
}

function scaledToZero(seen: Observation | undefined): Verdict {
  if (!seen) return { state: 'done', reason: 'ScaledToZero', message: 'spec.replicas is 0: there is no pod' };
  const message = `spec.replicas is 0: pod ${seen.pod.metadata.name} is being stopped`;
  return { state: 'working', reason: 'Stopping', message };
}

function running({ backoffMs }: Decision, seen: Observation | undefined): Verdict {
  if (!seen) return { state: 'working', reason: 'Creating', message: 'Creating the pod' };
  const { pod } = seen;
  const { name } = pod.metadata;
  if (seen.deleting)
    return {
      state: 'working',
      reason: 'Stopping',
      message: `Pod ${name} is terminating; the next one starts afterwards`,
    };
  if (seen.ending) return startingAgain(pod, backoffMs !== undefined);
  if (seen.ready)
    return { state: 'done', reason: 'Running', message: `Pod ${name} runs on node ${pod.spec.nodeName ?? ''}` };
  return starting(pod);
}

function startingAgain(pod: Pod, later: boolean): Verdict {
  const problem =
    lastFailure(pod) ?? pod.status?.message ?? `pod ${pod.metadata.name} ended in phase ${pod.status?.phase ?? ''}`;
  const message = `The process is restarting ${later ? 'after a back-off' : 'now'}: ${problem}`;
  return { state: 'working', reason: later ? 'BackOff' : 'Restarting', message, problem };
}

function lastFailure(pod: Pod): string | undefined {
  const main = mainStatus(pod);
  return main && failureOf(main);
}
