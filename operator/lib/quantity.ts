/** Kubernetes quantities: `250m` of a CPU, `64Mi` of memory. A plain number is whole units (CPUs, bytes). */

/** What the API server accepts, without a sign: a negative amount of a resource means nothing. */
export const QUANTITY = /^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$/;

/** Not `Ei`, nor `E`. */
const EXPONENT = /^[eE][+-]?[0-9]/;

const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The amount in whole units, as exact as a double is: to compare two, use `compareQuantities`. Undefined when `text` is no quantity. */
export function parseQuantity(text: string | number): number | undefined {
  const [, digits, , suffix = ''] = QUANTITY.exec(String(text)) ?? [];
  if (digits === undefined) return undefined;
  if (EXPONENT.test(suffix)) return Number(digits) * 10 ** Number(suffix.slice(1));
  return Number(digits) * (FACTORS[suffix] ?? 1);
}

/** Fields of Kubernetes' objects that are an amount, or a map of amounts. */
export const AMOUNTS: ReadonlySet<unknown> = new Set(['requests', 'limits', 'overhead', 'sizeLimit', 'divisor']);

const SCALE = 10n ** 9n;
const MILLI = 10n ** 6n;
const EXACT: Readonly<Record<string, bigint>> = {
  n: 1n,
  u: 10n ** 3n,
  m: 10n ** 6n,
  '': SCALE,
  k: 10n ** 3n * SCALE,
  M: 10n ** 6n * SCALE,
  G: 10n ** 9n * SCALE,
  T: 10n ** 12n * SCALE,
  P: 10n ** 15n * SCALE,
  E: 10n ** 18n * SCALE,
  Ki: 2n ** 10n * SCALE,
  Mi: 2n ** 20n * SCALE,
  Gi: 2n ** 30n * SCALE,
  Ti: 2n ** 40n * SCALE,
  Pi: 2n ** 50n * SCALE,
  Ei: 2n ** 60n * SCALE,
};
/** The API server makes every larger amount this one. */
const MOST = (2n ** 63n - 1n) * SCALE;
/** Characters, and digits of an exponent: nobody writes longer ones, and they cost time. */
const MAX_LENGTH = 64;
const MAX_EXPONENT = 40;

/** Less than 0, 0 or more: as the API server compares them, to a billionth of a unit. Undefined when one is no quantity, or far too long. */
export function compareQuantities(a: string | number, b: string | number): number | undefined {
  const [one, other] = [billionths(String(a)), billionths(String(b))];
  if (one === undefined || other === undefined) return undefined;
  return one === other ? 0 : one < other ? -1 : 1;
}

/** Whether the API server stores `given` as `stored`: amounts of resources it rounds up to thousandths of a unit. */
export function isStoredAs(given: string | number, stored: string | number): boolean {
  const [one, other] = [billionths(String(given).trim()), billionths(String(stored))];
  return one !== undefined && (one === other || ((one + MILLI - 1n) / MILLI) * MILLI === other);
}

/** Of a unit, rounded up as the API server does; undefined as for `compareQuantities`. */
export function billionths(text: string): bigint | undefined {
  const [, number, , suffix = ''] = (text.length <= MAX_LENGTH && QUANTITY.exec(text)) || [];
  if (number === undefined) return undefined;
  const [whole = '', fraction = ''] = number.split('.');
  const exponent = EXPONENT.test(suffix) ? Number(suffix.slice(1)) : 0;
  if (Math.abs(exponent) > MAX_EXPONENT) return undefined;
  const power = exponent - fraction.length;
  const scaled = BigInt(whole + fraction) * (EXACT[suffix] ?? SCALE) * 10n ** BigInt(Math.max(power, 0));
  const divisor = 10n ** BigInt(Math.max(-power, 0));
  const amount = (scaled + divisor - 1n) / divisor;
  return amount > MOST ? MOST : amount;
}
