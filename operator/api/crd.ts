/** Turns zod schemas into CustomResourceDefinitions. What a structural schema cannot say is an error, never left out. */
import * as z from 'zod';
import { GROUP, VERSION } from './group.ts';

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'boolean' | 'date' | 'integer' | 'string';
  readonly jsonPath: string;
  readonly description?: string;
  /** 0 (the default): shown by `kubectl get`; 1: only with `-o wide`. */
  readonly priority?: number;
}

/** What a name must be where the spec makes more of it, in CEL for the API server, in TypeScript for everybody else. */
export interface NameRule {
  readonly rule: string;
  readonly message: string;
  /** `spec`: as somebody wrote it. */
  readonly holds: (name: string, spec: unknown) => boolean;
}

/** A kind that users write, with all that its CustomResourceDefinition needs. */
export interface CustomResource {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  /** Names become labels and parts of names of children, so they are shorter than Kubernetes allows. */
  readonly maxNameLength: number;
  readonly columns: readonly PrinterColumn[];
  /** `kubectl scale` and autoscalers work on spec.replicas. */
  readonly scalable?: true;
  /** CEL over the whole object, of which `metadata` shows only the name. */
  readonly rules?: readonly NameRule[];
}

const SCALE = {
  specReplicasPath: '.spec.replicas',
  statusReplicasPath: '.status.replicas',
  labelSelectorPath: '.status.selector',
};

/** A part of an OpenAPI v3 schema. */
export type Schema = { readonly [key: string]: unknown };

/** The CustomResourceDefinition of a kind. Throws when its schemas say what a structural schema cannot. */
export function customResourceDefinition(resource: CustomResource): object {
  const { plural, singular, kind, shortNames, maxNameLength } = resource;
  const version = {
    name: VERSION,
    served: true,
    storage: true,
    subresources: { status: {}, ...(resource.scalable ? { scale: SCALE } : {}) },
    additionalPrinterColumns: resource.columns,
    schema: {
      openAPIV3Schema: {
        description: resource.description,
        type: 'object',
        required: ['spec'],
        properties: {
          apiVersion: { type: 'string' },
          kind: { type: 'string' },
          metadata: { type: 'object' },
          spec: structural(resource.spec),
          status: structural(resource.status),
        },
        'x-kubernetes-validations': [
          {
            rule: `size(self.metadata.name) <= ${maxNameLength}`,
            message: `the name must not be longer than ${maxNameLength} characters`,
          },
          ...(resource.rules ?? []).map(({ rule, message }) => ({ rule, message })),
        ],
      },
    },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories: ['highlander'] },
      scope: 'Namespaced',
      versions: [version],
    },
  };
}

/** A zod schema as the structural schema that a CRD needs. Throws for what such a schema cannot say. */
export function structural(schema: z.ZodType): Schema {
  return clean(
    z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline', unrepresentable: 'throw' }),
    '',
  );
}

const KEPT = new Set(
  (
    'type description required enum default format pattern minimum maximum minLength maxLength minItems maxItems ' +
    'minProperties maxProperties nullable'
  ).split(' '),
);

function clean(schema: unknown, path: string): Schema {
  if (!isObject(schema)) throw new Error(`${path}: no schema`);
  if (Array.isArray(schema['anyOf'])) return intOrString(schema, schema['anyOf'], path);
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties' && isObject(value)) {
      result[key] = Object.fromEntries(
        Object.entries(value).map(([name, child]) => [name, clean(child, `${path}.${name}`)]),
      );
    } else if (key === 'items') result[key] = clean(value, `${path}[]`);
    else if (key === 'additionalProperties') Object.assign(result, additional(value, path));
    else if (KEPT.has(key) || key.startsWith('x-kubernetes-')) result[key] = value;
    else if (key !== '$schema') throw new Error(`${path}: '${key}' has no place in a structural schema`);
  }
  return withFormat(result);
}

function additional(value: unknown, path: string): Schema {
  return isObject(value) && Object.keys(value).length > 0 ? { additionalProperties: clean(value, `${path}.*`) } : {};
}

/** Bounds that only say how wide the number is become a format; a date-time needs no pattern beside its format. */
function withFormat(schema: Record<string, unknown>): Schema {
  if (schema['format'] === 'date-time') delete schema['pattern'];
  if (schema['type'] !== 'integer') return schema;
  const wide = (bound: unknown) => Math.abs(Number(bound)) >= 2 ** 31 - 1;
  const narrow = schema['maximum'] !== undefined && Number(schema['maximum']) <= 2 ** 31 - 1;
  if (wide(schema['minimum'])) delete schema['minimum'];
  if (wide(schema['maximum'])) delete schema['maximum'];
  return { ...schema, format: narrow ? 'int32' : 'int64' };
}

/** The only union that a structural schema knows. */
function intOrString({ anyOf: _, ...outer }: Schema, branches: readonly unknown[], path: string): Schema {
  const [number, text] = branches.map((branch) => clean(branch, path));
  if (branches.length !== 2 || number?.['type'] !== 'integer' || text?.['type'] !== 'string') {
    throw new Error(`${path}: no union but that of integer and string`);
  }
  const { type: _number, format: __, ...bounds } = number;
  const { type: _text, ...pattern } = text;
  return {
    ...clean(outer, path),
    ...bounds,
    ...pattern,
    'x-kubernetes-int-or-string': true,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
  };
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
