/**
 * What stops a tenant's workloads in one cluster: whatever made them and whichever term they carry. Pure. What is parked
 * stays there and wants no pods; whoever activates it next gives it a new fencing token.
 */
import type { ChildType, CronJob, Deployment, Job, StatefulSet } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import { podGraceMs } from '../api/grace.ts';
import { annotations, GROUP, labels, POD_FINALIZER } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';
import { isMadeByUs } from '../api/ownership.ts';
import type { AnyChild } from './child.ts';
import { endedBeforeDeletion, isJobOver } from './ending.ts';
import { isConfirmedGone, isDeleting, isFinal, isGone } from './gone.ts';
import { controllerOf, numberAnnotation, workloadName } from './metadata.ts';
import type { Action } from './plan.ts';

/** Those that make pods, and pods. */
export const parkedTypes = [
  childTypes.cronJobs,
  childTypes.deployments,
  childTypes.statefulSets,
  childTypes.jobs,
  childTypes.pods,
] as const satisfies readonly ChildType[];

/** An object of the tenant in this cluster. */
export interface Found {
  readonly type: ChildType;
  readonly object: AnyChild;
}

const REASON = 'Parked';

/**
 * What is to be done so that it ends; undefined when that has been done, or it is not ours to stop. No pod gets more than
 * `maxGraceMs` from then on: others wait no longer.
 */
export function parkingOf({ type, object }: Found, maxGraceMs = Infinity): Action<AnyChild> | undefined {
  if (!isMadeByUs(object)) return undefined;
  switch (type) {
    case childTypes.pods:
      return shortened(object as Pod, maxGraceMs) ?? endOf(object as Pod);
    case childTypes.jobs:
      return isJobOpen(object as Job) ? park(object, { suspend: true }, termOf(object)) : undefined;
    case childTypes.cronJobs:
      return (object as CronJob).spec.suspend === true ? undefined : park(object, { suspend: true });
    default:
      return replicasOf(object) === 0 ? undefined : park(object, { replicas: 0 });
  }
}

/** Whether pods of it run, or may still be made. */
export function mayRun({ type, object }: Found): boolean {
  if (!isMadeByUs(object)) return false;
  switch (type) {
    case childTypes.pods:
      return !isGone(object as Pod) && !isConfirmedGone(object as Pod);
    case childTypes.jobs:
      return isJobOpen(object as Job);
    case childTypes.cronJobs:
      return (object as CronJob).spec.suspend !== true;
    default:
      return replicasOf(object) !== 0 || !hasFollowed(object as Deployment | StatefulSet);
  }
}

/** The workload that an object belongs to, for people. */
export function workloadNamed({ type, object }: Found): string {
  const { name, namespace = '', labels: own = {} } = object.metadata;
  const kind = own[labels.kind];
  return kind === undefined
    ? workloadName(type.kind, { namespace, name })
    : workloadName(kind, { namespace, name: own[labels.name] ?? name });
}

/** For a pod that was given longer past us: of ours from the beginning, of others' once they are being deleted. */
function shortened(pod: Pod, maxGraceMs: number): Action<Pod> | undefined {
  const graceSeconds = Math.ceil(maxGraceMs / 1000);
  const seconds = isDeleting(pod) ? (pod.metadata.deletionGracePeriodSeconds ?? 0) : podGraceMs(pod) / 1000;
  const isStopped = isDeleting(pod) || endOf(pod)?.type === 'stop';
  if (seconds <= graceSeconds || !isStopped || isGone(pod)) return undefined;
  return { type: 'stop', live: pod, graceSeconds, reason: REASON };
}

/** Pods that others keep end with those. One of ours that has ended by itself stays, for what it has to tell. */
function endOf(pod: Pod): Action<Pod> | undefined {
  if (!controllerOf(pod)?.apiVersion.startsWith(`${GROUP}/`)) return undefined;
  if (!isDeleting(pod)) return isFinal(pod) ? undefined : { type: 'stop', live: pod, reason: REASON };
  const isHeld = pod.metadata.finalizers?.includes(POD_FINALIZER) ?? false;
  const hasStopped = isGone(pod) && !endedBeforeDeletion(pod);
  return isHeld && hasStopped ? { type: 'release', live: pod, finalizer: POD_FINALIZER, reason: REASON } : undefined;
}

/** Without an activation the next leader here activates it anew. */
function park(live: AnyChild, spec: object, notes: Readonly<Record<string, string>> = {}): Action<AnyChild> {
  const patch = { metadata: { annotations: { [annotations.activationTerm]: null, ...notes } }, spec: { ...spec } };
  return { type: 'park', live, patch, reason: REASON };
}

/** On a Job that somebody else let begin: it has begun, and is not begun again. */
function termOf(job: AnyChild): Readonly<Record<string, string>> {
  return numberAnnotation(job, annotations.term) === undefined ? { [annotations.term]: '0' } : {};
}

function isJobOpen(job: Job): boolean {
  return job.spec.suspend !== true && !isJobOver(job);
}

function replicasOf({ spec }: AnyChild): number {
  return (spec as { readonly replicas?: number } | undefined)?.replicas ?? 1;
}

function hasFollowed({ metadata: { generation = 0 }, status }: Deployment | StatefulSet): boolean {
  return (status?.observedGeneration ?? 0) >= generation && (status?.replicas ?? 0) === 0;
}
