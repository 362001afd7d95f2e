/** Why a pod is not ready yet, as far as scheduler and kubelet say. Pure. */
import type { ContainerStatus, Pod } from '../api/kubernetes.ts';
import { finalEndOf } from './ending.ts';
import { MAIN_CONTAINER } from './pod-template.ts';
import type { Verdict } from './status.ts';

/** For a pod that is neither ready nor on its way out. */
export function starting(pod: Pod): Verdict {
  const { name } = pod.metadata;
  const unschedulable = pod.status?.conditions?.find(
    ({ type, status }) => type === 'PodScheduled' && status === 'False',
  );
  if (unschedulable)
    return trouble(
      'Unschedulable',
      `Pod ${name} cannot be scheduled: ${unschedulable.message ?? 'no reason reported'}`,
    );
  if (!pod.spec.nodeName)
    return { state: 'working', reason: 'Pending', message: `Pod ${name} is waiting to be scheduled` };
  return (
    troubleIn(pod) ??
    finishing(pod) ?? {
      state: 'working',
      reason: 'Starting',
      message: `Pod ${name} is being started on node ${pod.spec.nodeName}${needsOf(pod)}`,
    }
  );
}

/** What a kubelet waits for without a word in the status, while it makes the containers. */
function needsOf({ metadata: { name, namespace = '' }, spec, status }: Pod): string {
  const isMade = status?.containerStatuses?.some(({ state }) => state && !state.waiting) ?? true;
  const needs = (spec.volumes ?? []).flatMap(({ secret, configMap }) => [
    ...(secret && !secret.optional ? [`Secret ${secret.secretName}`] : []),
    ...(configMap && !configMap.optional ? [`ConfigMap ${configMap.name}`] : []),
  ]);
  if (isMade || needs.length === 0) return '';
  return `; it requires ${needs.join(', ')} (details: kubectl describe pod ${name} -n ${namespace})`;
}

function troubleIn(pod: Pod): Verdict | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  for (const status of [...initContainerStatuses, ...containerStatuses]) {
    const verdict = finalEndOf(pod, status.name) ? undefined : waiting(pod.metadata.name, status);
    if (verdict) return verdict;
  }
  return undefined;
}

function finishing(pod: Pod): Verdict | undefined {
  if (!finalEndOf(pod, MAIN_CONTAINER)) return undefined;
  const message = `Container ${MAIN_CONTAINER} of pod ${pod.metadata.name} has ended; other containers in the spec are still running`;
  return { state: 'working', reason: 'Finishing', message };
}

function waiting(pod: string, status: ContainerStatus): Verdict | undefined {
  const { reason, message } = status.state?.waiting ?? {};
  const failure = failureOf(status);
  if (reason === 'CrashLoopBackOff')
    return trouble(reason, `Container ${status.name} of pod ${pod} keeps failing: ${failure ?? 'no reason reported'}`);
  if (failure) return trouble('Restarting', `Container ${status.name} of pod ${pod} is restarting: ${failure}`);
  if (!reason || reason === 'ContainerCreating' || reason === 'PodInitializing') return undefined;
  return trouble(reason, `Container ${status.name} of pod ${pod} does not start: ${message ?? reason}`);
}

function trouble(reason: string, message: string): Verdict {
  return { state: 'working', reason, message, problem: message };
}

/** How the container last ended, for people; undefined when it never has. */
export function failureOf({ name, state, lastState }: ContainerStatus): string | undefined {
  const ended = state?.terminated ?? lastState?.terminated;
  if (!ended) return undefined;
  const details = [ended.reason, ended.message?.trim().slice(0, 500)].filter(Boolean).join(': ');
  return `container ${name} ended with exit code ${ended.exitCode}${details ? ` (${details})` : ''}`;
}
