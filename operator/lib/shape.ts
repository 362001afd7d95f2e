/**
 * What a record in the store must look like. Whoever shares the store can write anything there, so each record is checked
 * field by field before a line of it counts. Fields that this version does not know are left to later ones. Pure.
 */

export type Check = (value: unknown) => boolean;

/** A check for each field of `T`. */
export type Shape<T> = { readonly [K in keyof Required<T>]: Check };

/** Of a record as text, in characters: more is not read at all. */
export const MAX_RECORD_LENGTH = 1_000_000;

/** Longest duration in a record: a thousand days. Milliseconds. */
const MAX_DURATION_MS = 86_400_000_000;

/** Names come from host names, pods and namespaces: of printable characters, at most 512. */
export const isName: Check = (value) => typeof value === 'string' && /^[^\p{C}]{0,512}$/u.test(value);
/** A text for people: 4096 characters at most. */
export const isSentence: Check = (value) => typeof value === 'string' && value.length <= 4096;
/** `true` or `false`. */
export const isFlag: Check = (value) => typeof value === 'boolean';
/** Milliseconds, within what any timer or deadline may use. */
export const isDuration: Check = (value) => isNumberWithin(value, MAX_DURATION_MS);
/** RFC 3339, or anything else that can be read as a time. */
export const isTime: Check = (value) => isName(value) && !Number.isNaN(Date.parse(value as string));

/** A whole number from 0 on. */
export const isWhole =
  (max: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && isNumberWithin(value, max);

/** Exactly one of `values`. */
export const isOneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);

/** Absent, or what `check` accepts. */
export const isOptional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

/** A list of at most `max` items that `check` accepts. */
export const isListOf =
  (check: Check, max: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= max && value.every(check);

/** An object whose known fields all pass their checks. */
export const isShaped =
  <T>(shape: Shape<T>): Check =>
  (value) =>
    wrongField(shape, value) === undefined;

/** The record that a text holds; throws an error that names the first field that is wrong. */
export function decodeAs<T>(shape: Shape<T>, text: string): T {
  if (text.length > MAX_RECORD_LENGTH) throw new Error(`longer than ${MAX_RECORD_LENGTH} characters`);
  const value: unknown = JSON.parse(text);
  assertShape(shape, value);
  return value as T;
}

/** The text of a record; throws where `decodeAs` would. */
export function encodeAs<T>(shape: Shape<T>, record: T): string {
  assertShape(shape, record);
  return JSON.stringify(record);
}

function assertShape<T>(shape: Shape<T>, value: unknown): void {
  const wrong = wrongField(shape, value);
  if (wrong !== undefined) throw new Error(wrong);
}

function wrongField<T>(shape: Shape<T>, value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object';
  const record = value as Readonly<Record<string, unknown>>;
  const wrong = (Object.keys(shape) as (keyof T & string)[]).find((field) => !shape[field](own(record, field)));
  return wrong && `field ${wrong} is ${excerpt(own(record, wrong))}`;
}

function own(record: Readonly<Record<string, unknown>>, field: string): unknown {
  return Object.hasOwn(record, field) ? record[field] : undefined;
}

function excerpt(value: unknown): string {
  const text = value === undefined ? 'absent' : JSON.stringify(value);
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}

function isNumberWithin(value: unknown, max: number): boolean {
  return typeof value === 'number' && value >= 0 && value <= max;
}
