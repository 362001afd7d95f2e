/** Fields that a schema does not have. The API server drops them without a word; whoever wrote them meant something. */
import type { Schema } from './crd.ts';

/** Names of fields and indexes of lists, from the outside in. */
export type FieldPath = readonly (string | number)[];

/** A field that the schema does not have. */
export interface UnknownField {
  readonly path: FieldPath;
  /** The fields that there are in its place. */
  readonly known: readonly string[];
}

/** `schema` is structural. Lists and maps are looked into. */
export function unknownFields(schema: Schema, value: unknown, path: FieldPath = []): readonly UnknownField[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => below(schema['items'], item, [...path, index]));
  if (!isObject(value)) return [];
  const { properties, additionalProperties } = schema;
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
  return Object.entries(value).flatMap(([name, child]): readonly UnknownField[] => {
    const at = [...path, name];
    if (isObject(properties) && Object.hasOwn(properties, name)) return below(properties[name], child, at);
    if (additionalProperties !== undefined) return below(additionalProperties, child, at);
    return open || !isObject(properties) ? [] : [{ path: at, known: Object.keys(properties) }];
  });
}

/** `value` without the nulls that the API server takes out: those of fields and map entries that the schema knows. */
export function withoutNulls(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => inner(schema['items'], item));
  if (!isObject(value)) return value;
  const { properties, additionalProperties } = schema;
  const entries = Object.entries(value).flatMap(([name, child]): [string, unknown][] => {
    const known = isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (child === null && known !== undefined) return [];
    return [[name, inner(known, child)]];
  });
  return Object.fromEntries(entries);
}

function inner(schema: unknown, value: unknown): unknown {
  return isObject(schema) ? withoutNulls(schema, value) : value;
}

function below(schema: unknown, value: unknown, path: FieldPath): readonly UnknownField[] {
  return isObject(schema) ? unknownFields(schema, value, path) : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
