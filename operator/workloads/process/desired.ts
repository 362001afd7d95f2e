/** The pod that a WorkloadProcess asks for. Pure, and the same for the same spec, tenant and cluster. */
import { annotations, POD_FINALIZER } from '../../api/group.ts';
import type { ObjectMeta, Pod } from '../../api/kubernetes.ts';
import type { PodDefaults } from '../../api/pod-defaults.ts';
import type { ProcessSpec } from '../../api/process.ts';
import { PROCESS_KIND, processSpec } from '../../api/process.ts';
import { checkedSpec } from '../../api/spec.ts';
import { contentHash } from '../../reconcile/content-hash.ts';
import { childLabels, ownerReference, stampAnnotations } from '../../reconcile/metadata.ts';
import type { Stamp } from '../../reconcile/metadata.ts';
import type { Desired } from '../../reconcile/plan.ts';
import { graceSecondsOf, podMetadata, podSpec } from '../../reconcile/pod-template.ts';
import { RESTARTS_BEFORE } from './observe.ts';

/** Whose pod it is, and where it runs. */
export interface Place {
  readonly tenant: string;
  readonly clusterName: string;
  readonly podDefaults?: PodDefaults | undefined;
}

/** The name of the pod of a workload. */
export function podName(workloadName: string): string {
  return `${workloadName}-pod`;
}

/** Throws `TerminalError` InvalidSpec that names the field; possible where the CRD's validation was not enforced. */
export function parseSpec(spec: unknown): ProcessSpec {
  return checkedSpec(processSpec, spec);
}

/** Seconds that the pod gets to stop. */
export function graceSeconds(spec: ProcessSpec): number {
  return graceSecondsOf({ ...spec, terminationGracePeriod: spec.terminationGracePeriod ?? spec.gracePeriod });
}

/** The pod as it would be created. Throws `TerminalError` for a spec that cannot be rendered. */
export function desiredPod(owner: ObjectMeta, spec: ProcessSpec, place: Place, run: Stamp): Desired<Pod> {
  const users = podMetadata(spec);
  const labels = childLabels(
    { tenant: place.tenant, kind: PROCESS_KIND, name: owner.name, component: 'process' },
    users.labels,
  );
  const render = (fencingToken: string) =>
    podSpec(spec, {
      ...place,
      fencingToken,
      restartPolicy: spec.restartPolicy,
      gracePeriodSeconds: graceSeconds(spec),
    });
  const hash = contentHash({ labels, annotations: users.annotations, spec: render('') });
  const object: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(owner.name),
      namespace: owner.namespace ?? '',
      labels,
      annotations: {
        ...users.annotations,
        ...stampAnnotations(run),
        [annotations.activationTerm]: String(run.term),
        [annotations.templateHash]: hash,
      },
      finalizers: [POD_FINALIZER],
      ownerReferences: [ownerReference(PROCESS_KIND, owner)],
    },
    spec: render(String(run.term)),
  };
  return { object, hash, finalizer: POD_FINALIZER };
}

/** The same pod, counting on from the restarts that there were before it. */
export function withRestarts(pod: Pod, restarts: number): Pod {
  if (restarts === 0) return pod;
  const notes = { ...pod.metadata.annotations, [RESTARTS_BEFORE]: String(restarts) };
  return { ...pod, metadata: { ...pod.metadata, annotations: notes } };
}
