/** Labels, annotations, owner and hash of a child: how the operator knows again what it made, and what it may touch. */
import { createHash } from 'node:crypto';
import { annotations, API_VERSION, DEFAULT_TENANT, GROUP, labels } from '../api/group.ts';
import type { ObjectMeta, OwnerReference } from '../api/kubernetes.ts';
import { wholeNumber } from '../api/terms.ts';

export { controllerOf } from '../api/ownership.ts';

/** Value of the label `app.kubernetes.io/managed-by`. */
export const MANAGED_BY = 'highlander';

interface Named {
  readonly metadata: ObjectMeta;
}

/** The workload that a child belongs to. */
export interface Owner {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** The tenant that the object's label names, or the default one. */
export function tenantOf(object: Named): string {
  return object.metadata.labels?.[labels.tenant] || DEFAULT_TENANT;
}

/** Whether a custom resource is this tenant's; one without the label is the default tenant's. */
export function belongsTo(workload: Named, tenant: string): boolean {
  return tenantOf(workload) === tenant;
}

/** The workload named by a child's labels; `undefined` when the child is none of ours or of another kind. */
export function workloadOf(child: Named, kind: string): Owner | undefined {
  const { namespace = '', labels: own = {} } = child.metadata;
  const name = own[labels.name];
  return own[labels.kind] === kind && name ? { kind, namespace, name } : undefined;
}

/** As people and reports of other clusters name it: `WorkloadProcess default/app`. */
export function workloadName(kind: string, { namespace = '', name }: { namespace?: string; name: string }): string {
  return `${kind} ${namespace}/${name}`;
}

/** The reference by which `owner` controls a child. */
export function ownerReference(kind: string, owner: ObjectMeta): OwnerReference {
  return {
    apiVersion: API_VERSION,
    kind,
    name: owner.name,
    uid: owner.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** What the labels of a child say. */
export interface ChildLabels {
  readonly tenant: string;
  readonly kind: string;
  readonly name: string;
  /** The kind in one lower-case word, e.g. `process`. */
  readonly component: string;
}

/** A user may choose the recommended labels, but never those by which the operator finds its own. */
export function childLabels(
  { tenant, kind, name, component }: ChildLabels,
  users: Readonly<Record<string, string>> = {},
) {
  return {
    'app.kubernetes.io/name': name,
    'app.kubernetes.io/instance': name,
    'app.kubernetes.io/component': component,
    ...withoutOurs(users),
    'app.kubernetes.io/managed-by': MANAGED_BY,
    [labels.tenant]: tenant,
    [labels.kind]: kind,
    [labels.name]: name,
  };
}

/** A user's labels or annotations without those of our group: a forged stamp would stop a leader. */
export function withoutOurs(users: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(users).filter(([key]) => !key.startsWith(`${GROUP}/`)));
}

/** Who wrote a child last, and from which generation of the spec. */
export interface Stamp {
  readonly term: number;
  readonly generation: number;
}

/** The stamp as annotations. */
export function stampAnnotations({ term, generation }: Stamp): Record<string, string> {
  return { [annotations.term]: String(term), [annotations.generation]: String(generation) };
}

/** A whole number from an annotation; `undefined` when it is absent or is none. */
export function numberAnnotation(object: Named, key: string): number | undefined {
  return wholeNumber(object.metadata.annotations?.[key]);
}

/** The same for equal values, whatever the order of their keys; 16 hexadecimal digits. Absent and undefined are equal. */
export function stableHash(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(byKey))
      : part,
  );
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
