/**
 * Whether an object holds all that we set, whatever else is in it. The API server fills in defaults, leaves out what is
 * empty, sorts nothing and writes amounts in one form; others add fields and list items of their own. Pure.
 */
import { AMOUNTS, isStoredAs } from '../lib/quantity.ts';

type Json = Readonly<Record<string, unknown>>;

/** A `null` in `wanted` stands for "must be absent". */
export function contains(live: unknown, wanted: unknown): boolean {
  return holds(live, wanted, false);
}

/** `amounts`: the texts below are quantities, of which `1000m` and `1` are equal. */
function holds(live: unknown, wanted: unknown, amounts: boolean): boolean {
  if (live === undefined || live === null) return isEmpty(wanted);
  if (Array.isArray(wanted)) return Array.isArray(live) && listHolds(live, wanted, amounts);
  if (isObject(wanted)) return isObject(live) && objectHolds(live, wanted, amounts);
  if (live === wanted || wanted === undefined) return true;
  return amounts && isScalar(live) && isScalar(wanted) && isStoredAs(wanted, live);
}

function objectHolds(live: Json, wanted: Json, amounts: boolean): boolean {
  return Object.entries(wanted).every(([key, value]) => holds(live[key], value, amounts || AMOUNTS.has(key)));
}

/** Items that are objects may have company; a list of plain values is one value. */
function listHolds(live: readonly unknown[], wanted: readonly unknown[], amounts: boolean): boolean {
  if (wanted.some(isObject)) return wanted.every((item) => live.some((candidate) => holds(candidate, item, amounts)));
  return live.length === wanted.length && wanted.every((item, index) => live[index] === item);
}

/** What the API server leaves out of its answers. */
function isEmpty(wanted: unknown): boolean {
  if (Array.isArray(wanted)) return wanted.length === 0;
  if (isObject(wanted)) return Object.values(wanted).every(isEmpty);
  return wanted === undefined || wanted === null || wanted === '' || wanted === false || wanted === 0;
}

function isScalar(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The first place at which two objects differ. */
export interface Difference {
  readonly path: readonly string[];
  readonly live: unknown;
  readonly wanted: unknown;
}

/** Of what `live` does not hold the first field, as deep as both are objects. */
export function firstDifference(live: unknown, wanted: unknown): Difference | undefined {
  return difference(live, wanted, []);
}

function difference(live: unknown, wanted: unknown, path: readonly string[]): Difference | undefined {
  if (
    holds(
      live,
      wanted,
      path.some((field) => AMOUNTS.has(field)),
    )
  )
    return undefined;
  if (!isObject(live) || !isObject(wanted)) return { path, live, wanted };
  for (const [field, value] of Object.entries(wanted)) {
    const found = difference(live[field], value, [...path, field]);
    if (found) return found;
  }
  return { path, live, wanted };
}

/** `wanted` without its nulls: server-side apply has no way to say "must be absent". */
export function withoutNulls<T>(wanted: T): T {
  if (Array.isArray(wanted)) return wanted.map((item: unknown) => withoutNulls(item)) as T;
  if (!isObject(wanted)) return wanted;
  const kept = Object.entries(wanted).filter(([, value]) => value !== null);
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutNulls(value)])) as T;
}

/**
 * A merge patch that removes what must be absent but is there, with the plain values beside it, on which its absence
 * may depend. Undefined when nothing is to be removed.
 */
export function removals(live: unknown, wanted: unknown): Json | undefined {
  if (!isObject(live) || !isObject(wanted)) return undefined;
  const entries = Object.entries(wanted);
  const below = entries.flatMap(([key, value]): [string, unknown][] => {
    const patch = removals(live[key], value);
    return patch ? [[key, patch]] : [];
  });
  const gone = entries.filter(([key, value]) => value === null && live[key] !== undefined);
  const beside = gone.length > 0 ? entries.filter(([, value]) => typeof value !== 'object') : [];
  const all = [...below, ...gone, ...beside];
  return all.length > 0 ? Object.fromEntries(all) : undefined;
}
