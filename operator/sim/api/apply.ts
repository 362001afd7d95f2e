/**
 * Server-side apply by one manager that takes over what it names: what it applied before and leaves out now goes, what
 * others set stays. In lists whose items have keys each item is kept by itself.
 */
import type { Json } from './json.ts';
import { asJson, isPlain } from './json.ts';

/** Fields that tell the items of a list from each other, by the list's name. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  ports: ['containerPort', 'port', 'protocol'],
  ownerReferences: ['uid'],
  conditions: ['type'],
};
/** Lists of plain values that are kept value by value. */
const SETS: ReadonlySet<string> = new Set(['finalizers']);

/** `before`: what the manager applied last. */
export function applied(live: Json, before: Json, wanted: Json): Json {
  const result: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(live), ...Object.keys(wanted)])) {
    const value = appliedField(key, [live[key], before[key], wanted[key]]);
    if (value !== undefined) result[key] = value;
  }
  return result;
}

type Versions = readonly [live: unknown, before: unknown, wanted: unknown];

function appliedField(key: string, [live, before, wanted]: Versions): unknown {
  if (SETS.has(key)) return appliedSet([live, before, wanted]);
  if (key in KEYS && [live, before, wanted].some((each) => Array.isArray(each) && each.every(isPlain)))
    return appliedList(KEYS[key] ?? [], [live, before, wanted]);
  if (wanted === undefined) return withoutApplied(live, before);
  if (isPlain(wanted)) return applied(asJson(live), asJson(before), wanted);
  return wanted;
}

/** The manager does not name the field any more: only what is in it by others stays. */
function withoutApplied(live: unknown, before: unknown): unknown {
  if (before === undefined || live === undefined) return live;
  if (!isPlain(live) || !isPlain(before)) return undefined;
  const left = applied(live, before, {});
  return Object.keys(left).length > 0 ? left : undefined;
}

function appliedList(keys: readonly string[], [live, before, wanted]: Versions): unknown {
  const [now, then, next] = [live, before, wanted].map((list) => (Array.isArray(list) ? (list as Json[]) : []));
  const idOf = (item: Json) => JSON.stringify(keys.map((key) => item[key] ?? (key === 'protocol' ? 'TCP' : undefined)));
  const byId = (list: readonly Json[] = []) => new Map(list.map((item) => [idOf(item), item]));
  const [mine, earlier, asked] = [byId(now), byId(then), byId(next)];
  const ids = [...asked.keys(), ...[...mine.keys()].filter((id) => !asked.has(id) && !earlier.has(id))];
  const merged = ids.map((id) => applied(mine.get(id) ?? {}, earlier.get(id) ?? {}, asked.get(id) ?? {}));
  return merged.length > 0 ? merged : undefined;
}

function appliedSet([live, before, wanted]: Versions): unknown {
  const [now, then, next] = [live, before, wanted].map((list) => (Array.isArray(list) ? (list as string[]) : []));
  const kept = (now ?? []).filter((value) => next?.includes(value) || !then?.includes(value));
  const all = [...kept, ...(next ?? []).filter((value) => !kept.includes(value))];
  return all.length > 0 ? all : undefined;
}
