/** Objects as an API server keeps them, and the ways in which requests change them. Nothing is changed in place. */
import type { KubeObject } from '../../cluster/cluster-client.ts';

/** A plain object. */
export type Json = { readonly [key: string]: unknown };

/** Any object, with the parts that most types have. */
export interface Stored extends KubeObject {
  readonly spec?: Json;
  readonly status?: Json;
}

/** Whether the value is a plain object. */
export function isPlain(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value, or an empty object where it is none. */
export function asJson(value: unknown): Json {
  return isPlain(value) ? value : {};
}

/** RFC 7386: null removes, lists are replaced. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isPlain(patch)) return patch;
  const result: Record<string, unknown> = { ...asJson(target) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** What has no value is not there: order of keys and absent values make no difference. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => isEqual(item, b[index]));
  if (!isPlain(a) || !isPlain(b)) return false;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => isEqual(a[key], b[key]));
}
