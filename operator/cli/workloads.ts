/** The workloads in what was read: custom resources of this product and those of configuration files, each checked. */
import type { Flaw } from '../api/check.ts';
import { metadataFlaws, nameFlaw, showPath, specFlaws, storedSpec } from '../api/check.ts';
import type { CustomResource } from '../api/crd.ts';
import { API_VERSION, GROUP } from '../api/group.ts';
import { customResources, unsupportedKind } from '../api/kinds.ts';
import type { FieldPath } from '../api/unknown-fields.ts';
import { unknownFields } from '../api/unknown-fields.ts';
import { checkConfig, isConfig } from '../config/check.ts';
import { workloadLists } from '../config/workloads.ts';
import { brokenTimingRule } from '../leadership/timing.ts';
import { clockWarnings } from './clock-warnings.ts';
import type { Finding, Part, Source } from './documents.ts';
import { parseSource } from './documents.ts';
import type { PodFlaws } from './pod-flaws.ts';
import { DEFAULT_MAX_GRACE_MS, podFlaws, secondsOf } from './pod-flaws.ts';

/** A custom resource that was read and found valid. */
export interface Workload {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: unknown;
}

/** The valid workloads, and what is wrong with the others. */
export interface Checked {
  readonly workloads: readonly Workload[];
  readonly findings: readonly Finding[];
  /** What is taken, but hardly as it was meant. */
  readonly warnings?: readonly Finding[];
  /** How many a configuration file holds. */
  readonly settings?: number;
}

/** The same of several sources together. */
export type CheckedSources = Required<Checked>;

/** Checks all documents; a workload that is there twice is a finding too. */
export function checkSources(sources: readonly Source[]): CheckedSources {
  const seen = new Map<string, string>();
  const workloads: Workload[] = [];
  const findings: Finding[] = [];
  const warnings: Finding[] = [];
  let settings = 0;
  const parsed = sources.map(parseSource);
  const maxGraceMs = maxGraceOf(parsed.flatMap(({ parts }) => parts));
  for (const { parts, findings: unreadable, warnings: doubtful } of parsed) {
    findings.push(...unreadable);
    warnings.push(...doubtful);
    for (const part of parts.flatMap(itemsOf)) {
      const checked = checkPart(part, maxGraceMs);
      findings.push(...checked.findings, ...checked.workloads.flatMap((each) => twice(each, part, seen)));
      workloads.push(...checked.workloads);
      warnings.push(...checked.workloads.flatMap((each) => clockWarnings(each, part.at)));
      warnings.push(...(checked.warnings ?? []));
      settings += checked.settings ?? 0;
    }
  }
  return { workloads, findings, warnings, settings };
}

/** As the configuration among them says, in milliseconds. */
function maxGraceOf(parts: readonly Part[]): number {
  const given = parts.flatMap(({ content }) => {
    const value = isObject(content) && isConfig(content) ? content['maxGracePeriod'] : undefined;
    return typeof value === 'string' || typeof value === 'number' ? (secondsOf(value) ?? []) : [];
  });
  return given.length > 0 ? Math.max(...given) * 1000 : DEFAULT_MAX_GRACE_MS;
}

/** Of a list of objects (`List`, `WorkloadProcessList`), the items, those of lists in it included; otherwise the document itself. */
function itemsOf(part: Part): readonly Part[] {
  const { content, at } = part;
  if (!isObject(content) || !Array.isArray(content['items'])) return [part];
  const { apiVersion, kind, items } = content as { apiVersion?: unknown; kind?: unknown; items: readonly unknown[] };
  if (typeof kind !== 'string' || !kind.endsWith('List')) return [part];
  const known = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) };
  return items.flatMap((item, index) =>
    itemsOf({
      ...part,
      content: isObject(item) ? { ...known, ...item } : item,
      at: (path: FieldPath) => at(['items', index, ...path]),
    }),
  );
}

function checkPart(part: Part, maxGraceMs: number): Checked {
  const { content, at } = part;
  if (!isObject(content)) return problem(at([]), 'must be a map: a Kubernetes object or a configuration file');
  const { apiVersion, kind } = content;
  if (apiVersion === undefined && kind === undefined) return checkConfigPart(part, content, maxGraceMs);
  if (typeof apiVersion !== 'string' || typeof kind !== 'string')
    return problem(at([]), 'apiVersion and kind: both are required, as text');
  const isOurs = apiVersion.split('/')[0] === GROUP;
  const resource = customResources.find((each) => each.kind === kind);
  if (!isOurs && resource)
    return problem(at(['apiVersion']), `apiVersion: "${apiVersion}" must be ${API_VERSION} for a ${kind}`);
  if (!isOurs) return { workloads: [], findings: [] };
  if (apiVersion !== API_VERSION)
    return problem(at(['apiVersion']), `apiVersion: "${apiVersion}" must be ${API_VERSION}`);
  return resource ? checkResource(resource, content, { at, maxGraceMs }) : problem(at(['kind']), unsupportedKind(kind));
}

function checkConfigPart(
  { source, isAlone, at }: Part,
  content: Readonly<Record<string, unknown>>,
  maxGraceMs: number,
): Checked {
  if (!isConfig(content))
    return problem(at([]), 'is neither a Kubernetes object (apiVersion, kind) nor a configuration file');
  if (!isAlone)
    return problem(
      at([]),
      'a configuration file must be a single document: move the other documents to separate files',
    );
  const { workloads, notices, settings, problems } = checkConfig(source.name, source.text, { brokenTimingRule });
  const said = (severity: keyof PodFlaws) =>
    entriesOf(content).flatMap(([path, kind, entry]) =>
      podFlaws(kind, entry, maxGraceMs)[severity].map((flaw) =>
        say(content, [...path, ...flaw.path], { at, fix: flaw.fix }),
      ),
    );
  return {
    settings,
    warnings: [...notices.map((what) => ({ at: at([]), what })), ...said('warnings')],
    workloads: workloads.flatMap(({ spec, ...rest }) => (spec ? [{ ...rest, spec }] : [])),
    findings: [
      ...problems.map(({ where, ...rest }) => ({
        at: where?.startsWith(source.name) ? where : at([]),
        what: [rest.path, rest.shown === undefined ? '' : `: ${rest.shown}`, ` ${rest.fix}`].join(''),
      })),
      ...said('findings'),
    ],
  };
}

/** Of a configuration file: the workloads in it, wherever they may stand. */
function entriesOf(
  content: Readonly<Record<string, unknown>>,
): readonly (readonly [path: FieldPath, kind: string, entry: unknown])[] {
  return [[], ['workloads']].flatMap((path) => {
    const inner = path.reduce<unknown>((at, step) => (isObject(at) ? at[step] : undefined), content);
    if (!isObject(inner)) return [];
    return workloadLists.flatMap(([list, kind]) => {
      const entries = inner[list];
      return Array.isArray(entries)
        ? entries.map((entry, index) => [[...path, list, index], kind, entry] as const)
        : [];
    });
  });
}

function checkResource(
  resource: CustomResource,
  content: Readonly<Record<string, unknown>>,
  { at, maxGraceMs }: Pick<Part, 'at'> & { readonly maxGraceMs: number },
): Checked {
  const metadata = isObject(content['metadata']) ? content['metadata'] : {};
  const naming = nameFlaw(resource, metadata['name'], content['spec']);
  const top = unknownFields({ properties: TOP }, content);
  const pods = podFlaws(resource.kind, content['spec'], maxGraceMs);
  const below = ({ path, fix }: Flaw) => say(content, ['spec', ...path], { at, fix });
  const findings = [
    ...top.map(({ path }) =>
      say(content, path, { at, fix: `is not a known field; known fields: ${Object.keys(TOP).join(', ')}` }),
    ),
    ...(naming === undefined ? [] : [say(content, ['metadata', 'name'], { at, fix: naming })]),
    ...metadataFlaws(metadata).map(({ path, fix }) => say(content, ['metadata', ...path], { at, fix })),
    ...specFlaws(resource, content['spec']).map(below),
    ...pods.findings.map(below),
  ].filter(
    ({ at: place, what }, index, all) => all.findIndex((each) => each.at === place && each.what === what) === index,
  );
  const workload = { ...content, spec: storedSpec(resource, content['spec']) } as unknown as Workload;
  return { findings, warnings: pods.warnings.map(below), workloads: findings.length > 0 ? [] : [workload] };
}

const TOP = { apiVersion: {}, kind: {}, metadata: {}, spec: {}, status: {} };

/** Values of variables may be secrets. */
function say(
  content: unknown,
  path: FieldPath,
  { at, fix }: { readonly at: Part['at']; readonly fix: string },
): Finding {
  const value = path.reduce<unknown>(
    (inner, step) => (inner as Readonly<Record<string | number, unknown>> | undefined)?.[step],
    content,
  );
  const isShown = ['string', 'number', 'boolean'].includes(typeof value) && !path.includes('env');
  return { at: at(path), what: `${showPath(path)}${isShown ? `: ${shortly(JSON.stringify(value))}` : ''} ${fix}` };
}

/** Long texts would hide what is said of them. */
function shortly(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 60)}…`;
}

function twice(
  { kind, metadata: { name, namespace = 'default' } }: Workload,
  { at }: Part,
  seen: Map<string, string>,
): readonly Finding[] {
  const id = `${kind} ${namespace}/${name}`;
  const before = seen.get(id);
  seen.set(id, at([]));
  return before === undefined ? [] : [{ at: at([]), what: `${id} is defined twice: also at ${before}` }];
}

function problem(at: string, what: string): Checked {
  return { workloads: [], findings: [{ at, what }] };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
