/** Makes any value fit for a log line: plain data, bounded, without secrets. */

const SECRET_NAME = /password|token|secret|authorization/i;
const REDACTED = '[redacted]';
const MAX_DEPTH = 6;
const MAX_ITEMS = 100;

export interface PlainOptions {
  /** Stacks of errors are written too. */
  readonly stacks: boolean;
}

/** A copy of `value` that JSON can hold. Errors become `{message, …}`; values under secret-sounding names go. */
export function plain(value: unknown, options: PlainOptions, depth = 0): unknown {
  if (typeof value === 'string') return withoutCredentials(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return '[function]';
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[deeper]';
  return plainObject(value, options, depth);
}

function plainObject(value: object, options: PlainOptions, depth: number): unknown {
  if (value instanceof Error) return plainError(value, options, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Map) return plain(Object.fromEntries(value), options, depth);
  if (value instanceof Set) return plain([...value], options, depth);
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => plain(item, options, depth + 1));
  return plainFields(value, options, depth + 1);
}

/** Each field redacted by its name, in the order given. */
export function plainFields(fields: object, options: PlainOptions, depth = 0): Record<string, unknown> {
  const entries = Object.entries(fields).slice(0, MAX_ITEMS);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, SECRET_NAME.test(name) ? REDACTED : plain(value, options, depth)]),
  );
}

function plainError(error: Error, options: PlainOptions, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    ...(name === 'Error' ? {} : { name }),
    message: withoutCredentials(message),
    ...(code === undefined ? {} : { code: plain(code, options, depth + 1) }),
    ...(cause === undefined ? {} : { cause: plain(cause, options, depth + 1) }),
    ...(options.stacks && stack !== undefined ? { stack: withoutCredentials(stack) } : {}),
  };
}

/** Passwords in URLs and in `password=…` strings, wherever they turn up. */
function withoutCredentials(text: string): string {
  return text
    .replace(/(\/\/[^/?#\s:@]*:)[^\s@]*@/g, '$1***@')
    .replace(/((?:password|token)\s*=\s*)[^\s&;,]+/gi, '$1***')
    .replace(/(bearer\s+)[\w.~+/=-]{8,}/gi, '$1***');
}
