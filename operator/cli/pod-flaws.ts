/** What `validate` says of a spec that its schema takes, but not the cluster, or not the operator, once there is a pod. */
import type { Flaw } from '../api/check.ts';
import { storedSpec, volumeFlaws } from '../api/check.ts';
import { templateFlaws } from '../api/kubernetes-fields.ts';
import { PROCESS_KIND, processCustomResource, processSpec } from '../api/process.ts';
import type { FieldPath } from '../api/unknown-fields.ts';
import { MAX_GRACE_PERIOD } from '../config/schema.ts';
import { parseDuration, wholeSeconds } from '../lib/duration.ts';

/** What is wrong, and what only may be. */
export interface PodFlaws {
  readonly findings: readonly Flaw[];
  readonly warnings: readonly Flaw[];
}

/** Where nothing is configured, milliseconds. */
export const DEFAULT_MAX_GRACE_MS = parseDuration(MAX_GRACE_PERIOD);

const GRACES: readonly FieldPath[] = [
  ['terminationGracePeriod'],
  ['gracePeriod'],
  ['podTemplate', 'spec', 'terminationGracePeriodSeconds'],
];

/** Flaws of a spec of this kind. `maxGraceMs`: the longest grace period that the configuration allows. */
export function podFlaws(kind: string, spec: unknown, maxGraceMs: number): PodFlaws {
  const process =
    kind === PROCESS_KIND ? processSpec.safeParse(storedSpec(processCustomResource, spec)).data : undefined;
  const volumes = process ? volumeFlaws(process) : [];
  const mayCome = asksForInjection(spec);
  return {
    findings: [...templateFlaws(spec), ...graceFlaws(spec, maxGraceMs), ...(mayCome ? [] : volumes)],
    warnings: mayCome
      ? volumes.map(({ path, fix }) => ({
          path,
          fix: `${fix}; it must be injected when the object is created in the cluster`,
        }))
      : [],
  };
}

/** The first that is given counts. */
function graceFlaws(spec: unknown, maxGraceMs: number): readonly Flaw[] {
  const path = GRACES.find(
    (each) => typeof valueAt(spec, each) === 'string' || typeof valueAt(spec, each) === 'number',
  );
  const given = path && secondsOf(valueAt(spec, path) as string | number);
  if (!path || given === undefined || given * 1000 <= maxGraceMs) return [];
  const fix = `is longer than maxGracePeriod (${maxGraceMs / 1000} s): shorten it, or raise maxGracePeriod in the configuration`;
  return [{ path, fix }];
}

/** Undefined: what is wrong with it, its schema says. */
export function secondsOf(given: string | number): number | undefined {
  try {
    return wholeSeconds(given);
  } catch {
    return undefined;
  }
}

/** By the labels and annotations that agents of vaults and meshes go by, such as `vault.hashicorp.com/agent-inject`. */
function asksForInjection(spec: unknown): boolean {
  const places: readonly FieldPath[] = [[], ['podTemplate', 'metadata']];
  return places
    .flatMap((place) => ['labels', 'annotations'].map((field) => valueAt(spec, [...place, field])))
    .some((map) => typeof map === 'object' && map !== null && Object.keys(map).some((key) => /inject/i.test(key)));
}

function valueAt(value: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>(
    (at, step) => (at as Readonly<Record<string | number, unknown>> | null | undefined)?.[step],
    value,
  );
}
