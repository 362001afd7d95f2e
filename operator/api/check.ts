/** A workload as somebody wrote it, held against the schema of its kind: everything that is wrong with it at once. */
import * as z from 'zod';
import { nearest } from '../lib/edit-distance.ts';
import type { CustomResource } from './crd.ts';
import { structural } from './crd.ts';
import { annotationMap, dnsLabel, labelMap, objectName } from './fields.ts';
import { checkVolumes } from './pod-checks.ts';
import type { FieldPath } from './unknown-fields.ts';
import { unknownFields, withoutNulls } from './unknown-fields.ts';

/** One thing that is wrong with a workload, and how to mend it. */
export interface Flaw {
  /** Below the spec. */
  readonly path: FieldPath;
  /** What is wrong and what to write instead; finishes the sentence "<path> …". */
  readonly fix: string;
}

/** Flaws of a spec; empty when it can be applied. */
export function specFlaws({ spec }: CustomResource, given: unknown): readonly Flaw[] {
  const schema = structural(spec);
  const value = withoutNulls(schema, given);
  const unknown = unknownFields(schema, value).map(({ path, known }) => ({
    path,
    fix: suggestion(path, known),
  }));
  const { error } = spec.safeParse(value);
  const wrong = (error?.issues ?? []).map((issue) => {
    const at = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
    return { path: at, fix: fixOf(issue, valueAt(value, at)) };
  });
  return [...unknown, ...wrong];
}

const withVolumes = z.unknown().superRefine((spec, context) => checkVolumes(spec as object, context));

/** Mounts that lead nowhere, of a sound spec whose schema leaves it to the cluster to say so. */
export function volumeFlaws(spec: object): readonly Flaw[] {
  const { error } = withVolumes.safeParse(spec);
  return (error?.issues ?? []).map((issue) => ({
    path: issue.path.map((step) => (typeof step === 'number' ? step : String(step))),
    fix: fixOf(issue, true),
  }));
}

/** As the API server stores it: it takes out a null wherever its schema knows the field. */
export function storedSpec({ spec }: CustomResource, value: unknown): unknown {
  return withoutNulls(structural(spec), value);
}

/** What is wrong with the name of a workload; `undefined` when nothing is. `spec`: as somebody wrote it. */
export function nameFlaw(
  { kind, maxNameLength, rules = [] }: CustomResource,
  name: unknown,
  spec?: unknown,
): string | undefined {
  if (name === undefined) return 'is required';
  if (typeof name !== 'string' || !objectName.safeParse(name).success)
    return 'must be a name of lower-case letters, digits and "-", for example "data-processor"';
  if (name.length > maxNameLength) return `must not be longer than ${maxNameLength} characters for a ${kind}`;
  return rules.find(({ holds }) => !holds(name, spec))?.message;
}

const METADATA = (
  'name generateName namespace labels annotations finalizers ownerReferences uid resourceVersion generation creationTimestamp ' +
  'deletionTimestamp deletionGracePeriodSeconds managedFields selfLink'
).split(' ');
const textMaps = { labels: labelMap(''), annotations: annotationMap('') };
const namespaceName = dnsLabel();

/** Flaws of an object's metadata, but for its name. */
export function metadataFlaws(metadata: Readonly<Record<string, unknown>>): readonly Flaw[] {
  const unknown = Object.keys(metadata)
    .filter((key) => !METADATA.includes(key))
    .map((key) => ({ path: [key], fix: suggestion([key], METADATA) }));
  const wrong = Object.entries(textMaps).flatMap(([field, schema]) => {
    const { error } = schema.optional().safeParse(metadata[field] ?? undefined);
    return (error?.issues ?? []).map((issue) => {
      const at = [field, ...issue.path.map(String)];
      return { path: at, fix: fixOf(issue, valueAt(metadata, at)) };
    });
  });
  const { namespace } = metadata;
  // An empty one is none.
  const isPlaced = namespaceName.safeParse(namespace || 'default').success;
  const misplaced = isPlaced
    ? []
    : [{ path: ['namespace'], fix: 'must be the name of a namespace, for example "default"' }];
  return [...unknown, ...wrong, ...misplaced, ...tooLong(metadata['annotations'])];
}

const MAX_ANNOTATION_BYTES = 262_144;

function tooLong(annotations: unknown): readonly Flaw[] {
  const bytes = Object.entries(annotations ?? {}).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
  const fix = `must not be longer than ${MAX_ANNOTATION_BYTES} bytes together`;
  return bytes > MAX_ANNOTATION_BYTES ? [{ path: ['annotations'], fix }] : [];
}

/** `script.commands[0]`, as people write it. */
export function showPath(path: FieldPath): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index > 0 ? '.' : ''}${step}`))
    .join('');
}

function suggestion(path: FieldPath, known: readonly string[]): string {
  const meant = nearest(String(path.at(-1)), known);
  return meant === undefined
    ? `is not a known field; known fields: ${known.join(', ')}`
    : `is not a known field; did you mean ${meant}?`;
}

function fixOf(issue: { readonly code: string; readonly message: string }, value: unknown): string {
  const { message } = issue;
  if (/^(is|must) /.test(message)) return message;
  if (value === undefined) return 'is required';
  const wantsText = 'expected' in issue && issue.expected === 'string';
  if (issue.code === 'invalid_type' && wantsText && ['boolean', 'number'].includes(typeof value))
    return `must be a string, but YAML reads it as a ${typeof value}: put it in quotes`;
  return `is not valid: ${message}`;
}

function valueAt(value: unknown, path: FieldPath): unknown {
  let at = value;
  for (const step of path) at = (at as Readonly<Record<string | number, unknown>> | undefined)?.[step];
  return at;
}
