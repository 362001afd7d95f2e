/** Templates held against what Kubernetes knows: as the API server does it with strict field validation. Pure. */
import { nearest } from '../lib/edit-distance.ts';
import { AMOUNTS } from '../lib/quantity.ts';
import table from './kubernetes-fields.json' with { type: 'json' };
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

/** Names of the Kubernetes models that templates are held against. */
export const TEMPLATE_TYPES = TEMPLATES.map(([, type]) => type);

/** Fields of a type, by name with their types; read when they are asked for. */
function fieldsOf(type: string): ReadonlyMap<string, string> | undefined {
  const line = Object.hasOwn(table, type) ? table[type as keyof typeof table] : undefined;
  return line === undefined ? undefined : new Map(line.split(' ').map((field) => field.split(':') as [string, string]));
}

/** A field of a template that Kubernetes does not know, or knows with another type. */
export interface TemplateFlaw {
  /** Below the spec. */
  readonly path: FieldPath;
  /** Finishes the sentence "<path> …". */
  readonly fix: string;
}

/** What the templates of a spec say that Kubernetes does not know, or knows as something else. */
export function templateFlaws(spec: unknown): readonly TemplateFlaw[] {
  return TEMPLATES.flatMap(([path, type]) =>
    placesOf(spec, path.split('.')).flatMap(([at, value]) => flawsOf(value, type, at)),
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

function flawsOf(value: unknown, type: string, at: FieldPath): readonly TemplateFlaw[] {
  if (value === null || value === undefined) return [];
  const inner = type.slice(2);
  if (type.startsWith('[]')) {
    if (!Array.isArray(value)) return wrong(at, 'a list');
    return value.flatMap((item, index) => flawsOf(item, inner, [...at, index]));
  }
  if (type.startsWith('{}')) {
    if (!isMap(value)) return wrong(at, 'a map');
    return Object.entries(value).flatMap(([key, item]) => flawsOf(item, inner, [...at, key]));
  }
  const fields = fieldsOf(type);
  return fields ? flawsOfObject(value, fields, at) : flawsOfScalar(value, type, at);
}

function flawsOfObject(value: unknown, fields: ReadonlyMap<string, string>, at: FieldPath): readonly TemplateFlaw[] {
  if (!isMap(value)) return wrong(at, 'a map');
  return Object.entries(value).flatMap(([name, item]): readonly TemplateFlaw[] => {
    const type = fields.get(name);
    if (type !== undefined) return flawsOf(item, type, [...at, name]);
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
      return typeof value === 'string' || (isAmount && typeof value === 'number') ? [] : wrong(at, 'text');
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

function wrong(path: FieldPath, wanted: string): readonly TemplateFlaw[] {
  return [{ path, fix: `must be ${wanted}` }];
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
