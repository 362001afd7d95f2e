/** Templates held against what Kubernetes knows: as the API server does it with strict field validation. Pure. */
import { nearest } from '../lib/edit-distance.ts';
import { AMOUNTS, billionths } from '../lib/quantity.ts';
import table from './kubernetes-fields.json' with { type: 'json' };
import type { SpecFields } from './kubernetes-rules.ts';
import { valueFlaws } from './kubernetes-values.ts';
import type { FieldPath } from './unknown-fields.ts';

/** What stands in a spec where Kubernetes' own objects are described; `*`: each item of a list. */
const TEMPLATES: readonly (readonly [path: string, type: string])[] = [
  ['podTemplate.spec', 'V1PodSpec'],
  ['jobTemplate.spec', 'V1JobSpec'],
  ['podFailurePolicy', 'V1PodFailurePolicy'],
  ['serviceTemplate.spec', 'V1ServiceSpec'],
  ['deploymentTemplate.spec', 'V1DeploymentSpec'],
  ['statefulSetTemplate.spec', 'V1StatefulSetSpec'],
  ['updateStrategy.rollingUpdate', 'V1RollingUpdateStatefulSetStrategy'],
  ['volumeClaimTemplates.*.spec', 'V1PersistentVolumeClaimSpec'],
];

/** Types of Kubernetes' own at which templates begin. */
export const TEMPLATE_TYPES = TEMPLATES.map(([, type]) => type);

/** Fields of a type, by name with their types; read when they are asked for. */
function fieldsOf(type: string): ReadonlyMap<string, string> | undefined {
  const line = Object.hasOwn(table, type) ? table[type as keyof typeof table] : undefined;
  return line === undefined ? undefined : new Map(line.split(' ').map((field) => field.split(':') as [string, string]));
}

/** Something in a template that the API server would refuse. */
export interface TemplateFlaw {
  /** Below the spec. */
  readonly path: FieldPath;
  /** Finishes the sentence "<path> …". */
  readonly fix: string;
}

/** What the templates of a spec say that Kubernetes does not know, or knows as something else. */
export function templateFlaws(spec: unknown): readonly TemplateFlaw[] {
  const around = isMap(spec) ? spec : {};
  return TEMPLATES.flatMap(([path, type]) =>
    placesOf(spec, path.split('.')).flatMap(([at, value]) => flawsOf(value, type, at, around)),
  );
}

function placesOf(value: unknown, [step, ...rest]: readonly string[], at: FieldPath = []): [FieldPath, unknown][] {
  if (step === undefined) return value === undefined ? [] : [[at, value]];
  if (step === '*')
    return (Array.isArray(value) ? (value as unknown[]) : []).flatMap((item, index) =>
      placesOf(item, rest, [...at, index]),
    );
  return isMap(value) ? placesOf(value[step], rest, [...at, step]) : [];
}

function flawsOf(value: unknown, type: string, at: FieldPath, spec: SpecFields): readonly TemplateFlaw[] {
  if (value === null || value === undefined) return [];
  const inner = type.slice(2);
  if (type.startsWith('[]')) {
    if (!Array.isArray(value)) return wrong(at, 'a list');
    return value.flatMap((item, index) => flawsOf(item, inner, [...at, index], spec));
  }
  if (type.startsWith('{}')) {
    if (!isMap(value)) return wrong(at, 'a map');
    return Object.entries(value).flatMap(([key, item]) => flawsOf(item, inner, [...at, key], spec));
  }
  const fields = fieldsOf(type);
  if (!fields) return flawsOfScalar(value, type, at);
  if (!isMap(value)) return wrong(at, 'a map');
  const below = flawsOfObject(value, fields, at, spec);
  // What is of the wrong type has been told.
  return below.length > 0 ? below : valueFlaws(type, value, at, spec);
}

function flawsOfObject(
  value: Readonly<Record<string, unknown>>,
  fields: ReadonlyMap<string, string>,
  at: FieldPath,
  spec: SpecFields,
): readonly TemplateFlaw[] {
  return Object.entries(value).flatMap(([name, item]): readonly TemplateFlaw[] => {
    const type = fields.get(name);
    if (type !== undefined) return flawsOf(item, type, [...at, name], spec);
    const known = [...fields.keys()];
    const meant = nearest(name, known);
    const hint = meant === undefined ? `known fields: ${known.join(', ')}` : `did you mean ${meant}?`;
    return [{ path: [...at, name], fix: `is not a field that Kubernetes knows; ${hint}` }];
  });
}

function flawsOfScalar(value: unknown, type: string, at: FieldPath): readonly TemplateFlaw[] {
  // Texts that may be written as numbers.
  const isAmount = at.slice(-2).some((step) => AMOUNTS.has(step));
  switch (type) {
    case 'string':
      return isAmount ? flawsOfAmount(value, at) : typeof value === 'string' ? [] : wrong(at, 'text');
    case 'number':
      return typeof value === 'number' ? [] : wrong(at, 'a number');
    case 'boolean':
      return typeof value === 'boolean' ? [] : wrong(at, 'true or false');
    case 'IntOrString':
      return ['string', 'number'].includes(typeof value) ? [] : wrong(at, 'a number or text');
    default:
      return [];
  }
}

function flawsOfAmount(value: unknown, at: FieldPath): readonly TemplateFlaw[] {
  if (typeof value === 'number') return [];
  if (typeof value !== 'string') return wrong(at, 'text');
  const isQuantity = billionths(value.trim().replace(/^\+|^-(?=0*$)/, '')) !== undefined;
  return isQuantity ? [] : wrong(at, 'a quantity, like 250m or 2 for CPU, 64Mi or 1Gi for memory');
}

function wrong(path: FieldPath, wanted: string): readonly TemplateFlaw[] {
  return [{ path, fix: `must be ${wanted}` }];
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
