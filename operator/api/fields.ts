/**
 * Building blocks of the schemas. Each field is written once, with zod; types, run-time checks and the CRD follow from it.
 * A rule over several fields is written twice in one place: in CEL for the API server, in TypeScript for everybody else.
 */
import * as z from 'zod';
import { QUANTITY } from '../lib/quantity.ts';

export interface Rule<T> {
  /** CEL over `self`. */
  readonly rule: string;
  /** Says what is wrong and what to write instead. */
  readonly message: string;
  readonly holds: (value: T) => boolean;
}

export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.output<S>>[]): S {
  let checked: S = schema;
  for (const { holds, message } of rules) checked = checked.refine(holds, { error: message });
  return checked.meta({ 'x-kubernetes-validations': rules.map(({ rule, message }) => ({ rule, message })) });
}

/** A text with a description; `pattern` and bounds go onto `schema` first. */
export function described<S extends z.ZodType>(schema: S, description: string): S {
  return schema.meta({ description });
}

const DURATION = /^([0-9]+|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+)$/;

const YEAR_SECONDS = 31_536_000;

/** A number or a text of that form; checked by CEL, because the message of a failed pattern shows only the pattern. */
function intOrText(form: RegExp, max: number, message: string, description: string) {
  const number = z.int().min(0).max(max, `must be at most ${max}`);
  const schema = z.union([number, z.string().max(32)]);
  const rule = `type(self) == int || self.matches(r'${form.source}')`;
  return withRules(schema, [{ rule, message, holds: (value) => form.test(String(value)) }]).meta({ description });
}

/** A Go duration, or a number of seconds. */
export function duration(description: string) {
  return intOrText(
    DURATION,
    YEAR_SECONDS,
    'no duration: write it like 30s or 2m30s, or as a number of seconds',
    description,
  );
}

export function quantity(description: string) {
  return intOrText(
    QUANTITY,
    Number.MAX_SAFE_INTEGER,
    'no quantity: write it like 250m or 2 for CPU, 64Mi or 1Gi for memory',
    description,
  );
}

/** A text of that form, up to `max` characters; `message` says what to write. Not for the values of maps: no budget for CEL. */
export function textLike(form: RegExp, max: number, message: string) {
  const rule = `self.matches(r'${form.source}')`;
  return withRules(z.string().max(max), [{ rule, message, holds: (value) => form.test(value) }]);
}

const LABEL = 'lower-case letters, digits and -, none of these - at an end';

/** Name of a container or of a port. */
export function dnsLabel(max = 63) {
  return textLike(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, max, `no name: write ${LABEL}`);
}

/** Name of a namespaced object such as a ConfigMap. */
export const objectName = textLike(
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  253,
  `no name of an object: write ${LABEL}; dots may stand between`,
);

export const labelValue = z
  .string()
  .max(63)
  .regex(/^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/);

export function stringMap(value: z.ZodString, description: string) {
  return z.record(z.string(), value).meta({ description });
}

export function list<S extends z.ZodType>(item: S, max: number, description: string) {
  return z.array(item).max(max).meta({ description, 'x-kubernetes-list-type': 'atomic' });
}
