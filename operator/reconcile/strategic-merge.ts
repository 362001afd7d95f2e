/**
 * Two pod templates laid over each other as Kubernetes' strategic merge does it: maps by key, lists of named things by
 * what names them, everything else as one value. Pure.
 */
import { withoutNulls } from './contains.ts';

type Json = Readonly<Record<string, unknown>>;

/** Lists of a pod whose items are merged, and the fields that tell them apart. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  volumes: ['name'],
  imagePullSecrets: ['name'],
  resourceClaims: ['name'],
  env: ['name'],
  // Of a container or of a Service: each has one of the two.
  ports: ['containerPort', 'port', 'protocol'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
};

/** Lists of things that are of one kind each: beside one way to say where a value comes from there is no other. */
const ONE_SOURCE: ReadonlySet<string> = new Set(['env', 'volumes']);

/** What a key is when it is left out. */
const DEFAULTS: Json = { protocol: 'TCP' };

/** `upper` wins. Its items come first, in its order; those that only `lower` has follow. */
export function strategicMerge<T>(lower: unknown, upper: T): T {
  return merge(withoutNulls(lower), upper, '') as T;
}

function merge(lower: unknown, upper: unknown, field: string): unknown {
  if (upper === undefined) return lower;
  if (isObject(lower) && isObject(upper)) {
    const names = new Set([...Object.keys(upper), ...Object.keys(lower)]);
    return Object.fromEntries([...names].map((name) => [name, merge(lower[name], upper[name], name)]));
  }
  const keys = KEYS[field];
  if (!keys || !Array.isArray(lower) || !Array.isArray(upper)) return upper;
  return mergeLists(lower, upper, { keys, hasOneSource: ONE_SOURCE.has(field) });
}

interface ListRule {
  readonly keys: readonly string[];
  readonly hasOneSource: boolean;
}

function mergeLists(
  lower: readonly unknown[],
  upper: readonly unknown[],
  { keys, hasOneSource }: ListRule,
): readonly unknown[] {
  const idOf = (item: unknown) => JSON.stringify(keys.map((key) => (item as Json | null)?.[key] ?? DEFAULTS[key]));
  const below = new Map(lower.map((item) => [idOf(item), item]));
  const above = new Set(upper.map(idOf));
  const merged = upper.map((item) => {
    const other = below.get(idOf(item));
    return merge(hasOneSource ? likeOf(other, item) : other, item, '');
  });
  return [...merged, ...lower.filter((item) => !above.has(idOf(item)))];
}

/** Of `lower` what `upper` says too. */
function likeOf(lower: unknown, upper: unknown): unknown {
  if (!isObject(lower) || !isObject(upper)) return lower;
  return Object.fromEntries(Object.entries(lower).filter(([key]) => key in upper));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
