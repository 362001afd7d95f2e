/** What a WorkloadPersistent's children say about it. Pure: the only clock is that of the sight. */
import type { Service, StatefulSet } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import type { Pod } from '../../api/kubernetes.ts';
import type { PersistentSpec, PersistentStatus } from '../../api/persistent.ts';
import { PERSISTENT_KIND } from '../../api/persistent.ts';
import type { Facts, Sight, Step } from '../../reconcile/child-look.ts';
import { isDeleting } from '../../reconcile/gone.ts';
import { controllerOf, tenantOf } from '../../reconcile/metadata.ts';
import { readinessSeconds } from '../../reconcile/probes.ts';
import {
  isComplete,
  isObserved,
  isReady,
  parkedVerdict,
  replicaFacts,
  replicaVerdict,
  wantedReplicas,
} from '../../reconcile/replicas.ts';
import type { MissingPod } from '../../reconcile/missing-pod.ts';
import { withClaims } from '../../reconcile/successor.ts';
import type { Report } from '../../reconcile/status.ts';
import { timestamp } from '../../reconcile/status.ts';

/** The part of the status that only this kind has. */
export function facts(sight: Sight): Facts & PersistentStatus {
  const { owner, live, now } = sight;
  const set = setOf(sight);
  const isUp = set === undefined || (isObserved(set, sight) && isComplete(set));
  return {
    ...replicaFacts(set, tenantOf({ metadata: owner }), PERSISTENT_KIND, sight),
    ...serviceNamesOf(set, live.list<Service>(childTypes.services)),
    progressingSince: isUp ? undefined : (since(sight) ?? timestamp(now)),
  };
}

function serviceNamesOf(set: StatefulSet | undefined, services: readonly Service[]) {
  const names = services.map(({ metadata }) => metadata.name);
  const governing = set?.spec.serviceName;
  return {
    serviceName: names.find((name) => name !== governing) ?? names[0],
    ...(governing === undefined ? {} : { podServiceName: governing }),
  };
}

/** How far the pods have come. */
export function verdict(sight: Sight, spec: PersistentSpec): Report {
  const live = setOf(sight);
  if (!live) return { state: 'working', reason: 'Creating', message: 'Creating the StatefulSet' };
  if (spec.suspend) return parkedVerdict(sight);
  const now: Report = isObserved(live, sight)
    ? replicaVerdict(live, sight)
    : {
        state: 'working',
        reason: 'Progressing',
        message: 'Waiting for the StatefulSet controller to observe the change',
      };
  return now.state === 'working' ? withDeadline(now, sight, spec) : now;
}

/**
 * A pod of an earlier spec that is not ready: Kubernetes waits for it to become ready before it replaces it, even when
 * the new spec is what would help.
 */
export function repair(sight: Sight): Step | undefined {
  const set = setOf(sight);
  const revision = set?.status?.updateRevision;
  if (
    !set ||
    isReplacedByHand(set) ||
    !revision ||
    (set.status?.observedGeneration ?? 0) < (set.metadata.generation ?? 0)
  )
    return undefined;
  const stuck = sight.live
    .list<Pod>(childTypes.pods)
    .find((pod) => !isDeleting(pod) && !isReady(pod) && isOf(pod, set) && revisionOf(pod) !== revision);
  if (!stuck) return undefined;
  return {
    child: { type: childTypes.pods, hash: '' },
    action: { type: 'stop', live: stuck, reason: 'OutdatedAndNotReady' },
  };
}

/** The next one that Kubernetes should have made; one after the other, unless told, waits for those before it. */
export function missingPod(sight: Sight): MissingPod | undefined {
  const set = setOf(sight);
  if (!set) return undefined;
  const { template, ordinals, podManagementPolicy, volumeClaimTemplates = [] } = set.spec;
  const { name, uid = '' } = set.metadata;
  const pods = sight.live.list<Pod>(childTypes.pods).filter((pod) => isOf(pod, set));
  const mayFollow = podManagementPolicy === 'Parallel' || pods.every((pod) => isReady(pod) && !isDeleting(pod));
  if (pods.length >= wantedReplicas(set) || !mayFollow) return undefined;
  const taken = new Set(pods.map(({ metadata }) => metadata.name));
  let ordinal = ordinals?.start ?? 0;
  while (taken.has(`${name}-${ordinal}`)) ordinal++;
  const spec = withClaims(template.spec, { set: name, ordinal, templates: volumeClaimTemplates });
  return { makerUid: uid, name: `${name}-${ordinal}`, template: { ...template, spec } };
}

function setOf({ owner, live }: Sight): StatefulSet | undefined {
  const set = live.get<StatefulSet>(childTypes.statefulSets, owner.name);
  // Pods that a person replaces are not waited for.
  return set && isReplacedByHand(set)
    ? { ...set, status: { ...set.status, updatedReplicas: set.status?.replicas ?? 0 } }
    : set;
}

function isReplacedByHand({ spec: { updateStrategy } }: StatefulSet): boolean {
  return updateStrategy?.type === 'OnDelete' || (updateStrategy?.rollingUpdate?.partition ?? 0) > 0;
}

function isOf(pod: Pod, { metadata }: StatefulSet): boolean {
  return controllerOf(pod)?.uid === metadata.uid;
}

function revisionOf({ metadata }: Pod): string | undefined {
  return metadata.labels?.['controller-revision-hash'];
}

/** Since when this very spec is being brought up, as far as the status says. */
function since({ owner, previous }: Sight): string | undefined {
  const { observedGeneration, progressingSince } = (previous ?? {}) as PersistentStatus;
  return observedGeneration === owner.generation ? progressingSince : undefined;
}

/** A StatefulSet knows no deadline of its own. */
function withDeadline(report: Report, sight: Sight, spec: PersistentSpec): Report {
  const start = Date.parse(since(sight) ?? timestamp(sight.now));
  const left = start + readinessSeconds(spec) * 1000 - sight.now;
  if (left > 0) return { ...report, requeueAfterMs: left };
  const message = `The pods did not become ready within spec.readinessTimeout: ${report.message}`;
  return { state: 'stalled', reason: 'ReadinessTimeout', message, problem: message };
}
