/**
 * Building blocks of the schemas. Each field is written once, with zod; types, run-time checks and the CRD follow from it.
 * A rule over several fields is written twice in one place: in CEL for the API server, in TypeScript for everybody else.
 */
import * as z from 'zod';
import { QUANTITY } from '../lib/quantity.ts';

/** A rule over several fields of one object. */
export interface Rule<T> {
  /** CEL over `self`. */
  readonly rule: string;
  /** Says what is wrong and what to write instead. */
  readonly message: string;
  readonly holds: (value: T) => boolean;
}

/** The schema with rules that hold both in the API server (CEL) and wherever zod checks it. */
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
    'is not a duration; examples: 30s, 2m30s, or a number of seconds',
    description,
  );
}

/** A Kubernetes quantity, as text or a whole number. */
export function quantity(description: string) {
  return intOrText(
    QUANTITY,
    Number.MAX_SAFE_INTEGER,
    'is not a quantity; examples: 250m or 2 for CPU, 64Mi or 1Gi for memory',
    description,
  );
}

/** A text of that form, up to `max` characters; `message` says what to write. Not for the values of maps: no budget for CEL. */
export function textLike(form: RegExp, max: number, message: string) {
  const rule = `self.matches(r'${form.source}')`;
  return withRules(z.string().max(max), [{ rule, message, holds: (value) => form.test(value) }]);
}

/** Name of a Service: a host name. */
export const SERVICE_NAME = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

const LABEL = 'lower-case letters, digits and -, with a letter or digit at both ends';

/** Name of a container or of a port. */
export function dnsLabel(max = 63) {
  return textLike(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, max, `is not a valid name: use ${LABEL}`);
}

/** Name of a namespaced object such as a ConfigMap. */
export const objectName = textLike(
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  253,
  `is not a valid object name: use ${LABEL}; dots may separate parts`,
);

/** The value of a label. */
export const labelValue = z
  .string()
  .max(63)
  .regex(/^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/);

const QUALIFIED = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** A map whose keys are of one form; the API server checks them in what is made of the map, not in the map. */
function keyedMap<S extends z.ZodString>(value: S, { keys, rule }: { readonly keys: RegExp; readonly rule: string }) {
  return z.record(z.string(), value).superRefine((map, context) => {
    for (const key of Object.keys(map))
      if (!keys.test(key)) context.addIssue({ code: 'custom', path: [key], message: rule });
  });
}

const KEY =
  'is not a valid key: use at most 63 letters, digits, -, _ and ., with a letter or digit at both ends, after an optional prefix like example.com/';

/** Labels, or a selector: qualified names to label values. */
export function labelMap(description: string) {
  return keyedMap(labelValue, { keys: QUALIFIED, rule: KEY }).meta({ description });
}

/** Their prefixes may be in upper case. */
export function annotationMap(description: string) {
  return keyedMap(z.string(), { keys: new RegExp(QUALIFIED, 'i'), rule: KEY }).meta({ description });
}

/** Linux takes no longer single argument or variable of a program (MAX_ARG_STRLEN), of which one byte is its end. */
export const MAX_ARGUMENT_BYTES = 131_071;

/** An argument of a program: one that is longer can be stored, but never run. */
export const argument = z
  .string()
  .max(131_072)
  .refine((text) => Buffer.byteLength(text) <= MAX_ARGUMENT_BYTES, {
    error: `is longer than ${MAX_ARGUMENT_BYTES} bytes, the most that Linux accepts: put it into a ConfigMap or the image`,
  });

/** Environment variables, name to text. Each is refused when Linux could not pass it to a program. */
export function variableMap(description: string) {
  const form = { keys: /^[ -<>-~]+$/, rule: 'is not a valid variable name: use ASCII characters without =' };
  return keyedMap(z.string().max(131_072), form)
    .superRefine((map, context) => {
      for (const [name, value] of Object.entries(map))
        if (Buffer.byteLength(`${name}=${value}`) > MAX_ARGUMENT_BYTES)
          context.addIssue({
            code: 'custom',
            path: [name],
            message: `is longer than ${MAX_ARGUMENT_BYTES} bytes with its name, the most that Linux accepts: put it into a ConfigMap`,
          });
    })
    .meta({ description });
}

/** A list that is replaced as a whole by whoever applies it; `max`: how many items it may have. */
export function list<S extends z.ZodType>(item: S, max: number, description: string) {
  return z.array(item).max(max).meta({ description, 'x-kubernetes-list-type': 'atomic' });
}
