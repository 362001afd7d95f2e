/**
 * What a plain scalar of YAML means to kubectl. It reads YAML 1.1 by the rules of Go's yaml.v2: `0400` is octal, `yes`, `on` and `y`
 * are booleans, but sexagesimal numbers and times stay texts. Pure.
 */

const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Infinity] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, -Infinity] as const),
]);

const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const INTEGER = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
/** Integers beyond are read as numbers with a decimal point. */
const LARGEST = 2n ** 64n - 1n;
const SMALLEST = -(2n ** 63n);

/** A boolean, a number, null, or the text itself. */
export function plainScalar(text: string): unknown {
  if (WORDS.has(text)) return WORDS.get(text);
  if (!/^[-+.0-9]/.test(text)) return text;
  // Underscores may stand anywhere in a number, but not in one that begins with its point.
  const digits = text.startsWith('.') ? text : text.replaceAll('_', '');
  return integer(digits) ?? float(digits) ?? text;
}

function integer(text: string): number | undefined {
  const [, sign, digits = ''] = INTEGER.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const octal = /^0[oO]?([0-7]+)$/.exec(digits);
  const size = BigInt(octal ? `0o${octal[1]}` : digits);
  const value = sign === '-' ? -size : size;
  return value > LARGEST || value < SMALLEST ? undefined : Number(value);
}

function float(text: string): number | undefined {
  if (!FLOAT.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A scalar with one of YAML's own tags; `undefined` when its text cannot be that. */
export function taggedScalar(tag: string, text: string): { readonly value: unknown } | undefined {
  if (tag === 'binary') return bytes(text);
  const fits = TYPES[tag];
  if (!fits) return { value: text };
  const value = tag === 'int' ? integer(text.replaceAll('_', '')) : plainScalar(text);
  return fits(value) ? { value } : undefined;
}

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  int: Number.isInteger,
  float: (value) => typeof value === 'number',
  bool: (value) => typeof value === 'boolean',
  null: (value) => value === null,
};

function bytes(text: string): { readonly value: string } | undefined {
  const isBase64 = /^[A-Za-z0-9+/\s]*(?:={1,2}\s*)?$/.test(text) && text.replaceAll(/\s/g, '').length % 4 === 0;
  return isBase64 ? { value: Buffer.from(text, 'base64').toString('utf8') } : undefined;
}
