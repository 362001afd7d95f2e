/** Makes any value fit for a log line: plain data, bounded, without secrets. */
import { isSecretName } from '../lib/credentials.ts';
import type { Redact } from '../lib/redactor.ts';
import { cutText } from '../lib/redactor.ts';

const REDACTED = '[redacted]';
const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
/** Characters of one text, and of all texts of a line together. */
const MAX_TEXT = 8000;
const MAX_LINE = 32_000;

/** How a value is made fit for a line. */
export interface PlainOptions {
  /** Stacks of errors are written too. */
  readonly stacks: boolean;
  readonly redact: Redact;
}

/** Each field redacted by its name, in the order given. Errors become `{message, …}`. */
export function plainFields(fields: object, options: PlainOptions): Record<string, unknown> {
  return new Plain(options).fields(fields, 0);
}

class Plain {
  readonly #options: PlainOptions;
  #left = MAX_LINE;

  constructor(options: PlainOptions) {
    this.#options = options;
  }

  fields(fields: object, depth: number): Record<string, unknown> {
    const entries = Object.entries(fields).slice(0, MAX_ITEMS);
    return Object.fromEntries(
      entries.map(([name, value]) => [this.#text(name), isSecretName(name) ? REDACTED : this.#value(value, depth)]),
    );
  }

  #value(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.#text(value);
    if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
    if (typeof value === 'function') return '[function]';
    if (typeof value !== 'object' || value === null) return value;
    if (depth >= MAX_DEPTH || this.#left <= 0) return '[deeper]';
    return this.#object(value, depth);
  }

  #object(value: object, depth: number): unknown {
    if (value instanceof Error) return this.#error(value, depth);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (value instanceof Map) return this.#value(Object.fromEntries(value), depth);
    if (value instanceof Set) return this.#value([...value], depth);
    if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => this.#value(item, depth + 1));
    return this.fields(value, depth + 1);
  }

  #error(error: Error, depth: number): Record<string, unknown> {
    const { name, message, stack, cause } = error;
    const code: unknown = 'code' in error ? error.code : undefined;
    return {
      ...(name === 'Error' ? {} : { name }),
      message: this.#text(message),
      ...(code === undefined ? {} : { code: this.#value(code, depth + 1) }),
      ...(cause === undefined ? {} : { cause: this.#value(cause, depth + 1) }),
      ...(this.#options.stacks && stack !== undefined ? { stack: this.#text(stack) } : {}),
    };
  }

  #text(text: string): string {
    const most = Math.max(1, Math.min(MAX_TEXT, this.#left));
    const safe = cutText(this.#options.redact(text), most);
    this.#left -= safe.length;
    return safe;
  }
}
