/** The objects that users make, and what can be read from pods. */
import { API_VERSION, annotations, labels } from '../../api/group.ts';
import { PERSISTENT_KIND, persistentResource } from '../../api/persistent.ts';
import { PROCESS_KIND, processResource } from '../../api/process.ts';
import { SERVICE_KIND, serviceResource } from '../../api/service.ts';
import type { ResourceType } from '../../cluster/cluster-client.ts';
import { TENANT } from '../actor.ts';
import { asJson, type Stored } from '../api/json.ts';
import { ownerOf } from '../kube/loop.ts';

/** Namespace of all workloads. */
export const NAMESPACE = 'default';
/** Name of the cron job. */
export const CRON = 'tick';

/** By name of a workload. */
export const KINDS: Readonly<Record<string, { readonly kind: string; readonly type: ResourceType }>> = {
  x: { kind: PROCESS_KIND, type: processResource },
  y: { kind: SERVICE_KIND, type: serviceResource },
  z: { kind: PERSISTENT_KIND, type: persistentResource },
};

/** A custom resource of the simulated tenant. */
export function customResource(kind: string, name: string, spec: object) {
  return {
    apiVersion: API_VERSION,
    kind,
    metadata: { name, namespace: NAMESPACE, labels: { [labels.tenant]: TENANT } },
    spec,
  };
}

/** The image of a version of a workload. */
export function imageOf(version: number): string {
  return `image:${version}`;
}

/** The containers of a pod's spec. */
export function containersOf(
  pod: Stored,
): readonly { readonly image?: string; readonly env?: readonly { name: string; value: string }[] }[] {
  return (asJson(pod.spec)['containers'] ?? []) as never;
}

/** The image of a pod's first container. */
export function imageIn(pod: Stored): string {
  return containersOf(pod)[0]?.image ?? '';
}

/** The fencing token that a pod's first container is given. */
export function fencingToken(pod: Stored): string {
  return containersOf(pod)[0]?.env?.find(({ name }) => name === 'HIGHLANDER_FENCING_TOKEN')?.value ?? '';
}

/** Not one that only looks like it. */
export function isOwned(pod: Stored): boolean {
  return ownerOf(pod) !== undefined;
}

/** Name of the workload that a child belongs to. */
export function workloadOf({ metadata }: Stored): string {
  return metadata.labels?.[labels.name] ?? '';
}

/** As the checker counts it: one for each workload. */
export function containerOf(pod: Stored) {
  const { uid = '' } = pod.metadata;
  const notes = pod.metadata.annotations?.[annotations.generation];
  return {
    metadata: { name: workloadOf(pod), uid, ...(notes && { annotations: { [annotations.generation]: notes } }) },
  };
}

/** The condition, for people. */
export function readyOf(workload: Stored | undefined) {
  const conditions = asJson(workload?.status)['conditions'] as readonly Readonly<Record<string, string>>[] | undefined;
  const ready = conditions?.find(({ type }) => type === 'Ready');
  return { reason: ready?.['reason'], message: ready?.['message'] };
}
