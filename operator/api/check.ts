/** A workload as somebody wrote it, held against the schema of its kind: everything that is wrong with it at once. */
import { nearest } from '../lib/edit-distance.ts';
import type { CustomResource } from './crd.ts';
import { structural } from './crd.ts';
import { objectName } from './fields.ts';
import type { FieldPath } from './unknown-fields.ts';
import { unknownFields } from './unknown-fields.ts';

export interface Flaw {
  /** Below the spec. */
  readonly path: FieldPath;
  /** What is wrong and what to write instead; finishes the sentence "<path> …". */
  readonly fix: string;
}

/** Flaws of a spec; empty when it can be applied. */
export function specFlaws({ spec }: CustomResource, value: unknown): readonly Flaw[] {
  const unknown = unknownFields(structural(spec), value).map(({ path, known }) => ({
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

/** What is wrong with the name of a workload; `undefined` when nothing is. */
export function nameFlaw({ kind, maxNameLength }: CustomResource, name: unknown): string | undefined {
  if (name === undefined) return 'is required';
  if (typeof name !== 'string' || !objectName.safeParse(name).success || name.includes('.'))
    return 'must be a name of lower-case letters, digits and "-", for example "data-processor"';
  return name.length > maxNameLength ? `must not be longer than ${maxNameLength} characters for a ${kind}` : undefined;
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
    ? `is not a known field; there are ${known.join(', ')}`
    : `is not a known field; did you mean ${meant}?`;
}

function fixOf(issue: { readonly code: string; readonly message: string }, value: unknown): string {
  if (value === undefined) return 'is required';
  const wantsText = 'expected' in issue && issue.expected === 'string';
  if (issue.code === 'invalid_type' && wantsText && ['boolean', 'number'].includes(typeof value))
    return `is not valid: YAML reads it as a ${typeof value}, expected text: put it in quotes`;
  return `is not valid: ${issue.message}`;
}

function valueAt(value: unknown, path: FieldPath): unknown {
  let at = value;
  for (const step of path) at = (at as Readonly<Record<string | number, unknown>> | undefined)?.[step];
  return at;
}
