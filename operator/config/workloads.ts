/**
 * Workloads of the configuration file to custom resources. An entry is a name, a namespace and the fields of the kind's
 * spec, under the names that they have there.
 */
import type { Flaw } from '../api/check.ts';
import { nameFlaw, showPath, specFlaws } from '../api/check.ts';
import type { CustomResource } from '../api/crd.ts';
import { cronJobCustomResource } from '../api/cronjob.ts';
import { dnsLabel } from '../api/fields.ts';
import { API_VERSION, DECLARED_IN_CONFIG, labels } from '../api/group.ts';
import { persistentCustomResource } from '../api/persistent.ts';
import { processCustomResource } from '../api/process.ts';
import { serviceCustomResource } from '../api/service.ts';
import type { FieldPath } from '../api/unknown-fields.ts';
import type { DeclaredWorkload } from '../api/declared.ts';
import type { Locate } from './file.ts';
import type { Problem } from './problems.ts';
import { showValue } from './problems.ts';
import type { Tree } from './tree.ts';
import { getAt, isTree } from './tree.ts';

const LISTS = {
  processes: processCustomResource,
  cronJobs: cronJobCustomResource,
  services: serviceCustomResource,
  persistentSets: persistentCustomResource,
} as const;

/** Of each list, the kind of its entries. */
export const workloadLists = Object.entries(LISTS).map(([list, { kind }]) => [list, kind] as const);

const namespaceName = dnsLabel();

/** Of the original, where they never had an effect. */
const WITHOUT_EFFECT: Readonly<Record<string, readonly string[]>> = {
  services: ['restartPolicy'],
  persistentSets: ['restartPolicy'],
};

/** The workloads of a configuration file, and what is wrong with them. */
export interface Declared {
  readonly workloads: readonly DeclaredWorkload[];
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
}

interface Entry {
  readonly list: keyof typeof LISTS;
  readonly resource: CustomResource;
  readonly path: FieldPath;
  readonly value: Tree;
}

/** `tree` is that of the merged settings; `locate` says where in the file something stands. */
export function declaredWorkloads(tree: Tree, locate: Locate): Declared {
  const place = { namespace: textAt(tree, 'namespace') ?? 'default', tenant: textAt(tree, 'tenant') ?? 'default' };
  const watched = Array.isArray(tree['watchNamespaces']) ? (tree['watchNamespaces'] as readonly unknown[]) : [];
  const problems: Problem[] = [];
  const notices: string[] = [];
  const workloads = new Map<string, DeclaredWorkload>();
  for (const entry of entriesOf(tree)) {
    const found = read(entry, place);
    notices.push(...found.notices);
    problems.push(...found.flaws.map((flaw) => problemAt(entry, flaw, locate)));
    if (!found.workload || found.flaws.length > 0) continue;
    const { kind, metadata } = found.workload;
    if (watched.length > 0 && !watched.includes(metadata.namespace))
      problems.push(
        problemAt(
          entry,
          { path: ['namespace'], fix: `is ${metadata.namespace}, which is not in watchNamespaces` },
          locate,
        ),
      );
    const id = `${kind} ${metadata.namespace}/${metadata.name}`;
    if (workloads.has(id))
      problems.push(problemAt(entry, { path: ['name'], fix: `is a duplicate: ${id} is defined twice` }, locate));
    workloads.set(id, found.workload);
  }
  return { workloads: [...workloads.values()], problems, notices };
}

function* entriesOf(tree: Tree): Generator<Entry> {
  for (const [list, resource] of Object.entries(LISTS) as [Entry['list'], CustomResource][]) {
    const entries = getAt(tree, ['workloads', list]);
    if (!Array.isArray(entries)) continue;
    for (const [index, value] of entries.entries())
      if (isTree(value)) yield { list, resource, path: ['workloads', list, index], value };
  }
}

interface Reading {
  readonly workload?: DeclaredWorkload;
  readonly flaws: readonly Flaw[];
  readonly notices: readonly string[];
}

function read(entry: Entry, place: { readonly namespace: string; readonly tenant: string }): Reading {
  const { list, resource } = entry;
  const { name, namespace, workloadCRDRef: ref, ...rest } = entry.value;
  const dropped = (WITHOUT_EFFECT[list] ?? []).filter((key) => key in rest);
  const spec = Object.fromEntries(Object.entries(rest).filter(([key]) => !dropped.includes(key)));
  const notices = dropped.map(
    (key) => `${showPath(entry.path)}.${key} has no effect: pods of this kind are always restarted`,
  );
  const target = isTree(ref) ? { name: ref['name'], namespace: ref['namespace'] ?? namespace } : { name, namespace };
  const isEmpty = Object.keys(spec).length === 0;
  // Where one of them is no text, a flaw says so and the workload is not used.
  const flaws = [
    ...namesOf(resource, { name, spec, ...(ref !== undefined && { ref }) }),
    ...namespaceFlaws(namespace),
    ...(isEmpty ? [] : specFlaws(resource, spec)),
  ];
  if (isEmpty && ref === undefined)
    return { flaws, notices: [`${showPath(entry.path)} (${String(name)}) has no image and is not applied`] };
  const workload: DeclaredWorkload = {
    apiVersion: API_VERSION,
    kind: resource.kind,
    metadata: {
      name: target.name as string,
      namespace: (target.namespace ?? place.namespace) as string,
      labels: { [labels.tenant]: place.tenant, [labels.declaredIn]: DECLARED_IN_CONFIG },
    },
    ...(isEmpty ? {} : { spec }),
    isFallback: ref !== undefined,
  };
  return { workload, flaws, notices };
}

function namesOf(
  resource: CustomResource,
  { name, spec, ref }: { readonly name: unknown; readonly spec: unknown; readonly ref?: unknown },
): readonly Flaw[] {
  const fix = nameFlaw(resource, name, spec);
  return [
    ...(fix === undefined ? [] : [{ path: ['name'], fix }]),
    ...(ref === undefined ? [] : refFlaws(resource, ref)),
  ];
}

function namespaceFlaws(namespace: unknown): readonly Flaw[] {
  if (namespace === undefined || namespaceName.safeParse(namespace).success) return [];
  return [{ path: ['namespace'], fix: 'must be the name of a namespace, for example "default"' }];
}

/** The reference of a workload that a custom resource describes. */
function refFlaws(resource: CustomResource, ref: unknown): readonly Flaw[] {
  const at = (...path: string[]) => ['workloadCRDRef', ...path];
  if (!isTree(ref)) return [{ path: at(), fix: 'must be a section with kind and name' }];
  const { apiVersion = API_VERSION, kind = resource.kind, name, namespace } = ref;
  const fix = nameFlaw(resource, name);
  return [
    ...(apiVersion === API_VERSION ? [] : [{ path: at('apiVersion'), fix: `must be ${API_VERSION}` }]),
    ...(kind === resource.kind ? [] : [{ path: at('kind'), fix: `must be ${resource.kind} in this list` }]),
    ...(fix === undefined ? [] : [{ path: at('name'), fix }]),
    ...namespaceFlaws(namespace).map((flaw) => ({ ...flaw, path: at('namespace') })),
  ];
}

function problemAt(entry: Entry, { path, fix }: Flaw, locate: Locate): Problem {
  const full = [...entry.path, ...path];
  const value = path.reduce<unknown>((at, step) => getAt(at, [String(step)]), entry.value);
  const where = locate(full) ?? locate(entry.path);
  return {
    path: showPath(full),
    fix,
    ...(where === undefined ? {} : { where }),
    ...(value === undefined || path.includes('env') ? {} : { shown: showValue('', value) }),
  };
}

function textAt(tree: Tree, key: string): string | undefined {
  const value = tree[key];
  return typeof value === 'string' ? value : undefined;
}
