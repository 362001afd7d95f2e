/** Addresses of the Kubernetes API, and the few facts that they are made of. */
import type { ObjectName, ResourceType } from './cluster-client.ts';

/** `v1`, `apps/v1`, … */
export function apiVersionOf(type: Pick<ResourceType, 'group' | 'version'>): string {
  return type.group ? `${type.group}/${type.version}` : type.version;
}

/** Path of all objects of a type: of one namespace, or of all when none is given. */
export function collectionPath(type: ResourceType, namespace?: string): string {
  const root = type.group ? `/apis/${type.group}/${type.version}` : `/api/${type.version}`;
  const within = type.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${within}/${type.plural}`;
}

/** Path of one object. Throws when its namespace or name is missing, rather than address something larger. */
export function objectPath(type: ResourceType, at: ObjectName, subresource?: string): string {
  if (!at.name) throw new Error(`A ${type.kind} was addressed without a name`);
  if (type.namespaced && !at.namespace) throw new Error(`${type.kind} ${at.name} was addressed without a namespace`);
  const path = `${collectionPath(type, at.namespace)}/${encodeURIComponent(at.name)}`;
  return subresource ? `${path}/${subresource}` : path;
}

/** A value of a query; undefined: it is left out. */
export type QueryValue = string | number | boolean | undefined;

/** `?a=1&b=x` of what is set; '' when nothing is. */
export function queryString(values: Readonly<Record<string, QueryValue>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, String(value));
  return query.size > 0 ? `?${query.toString()}` : '';
}
