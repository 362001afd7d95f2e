/** Kubernetes quantities: `250m` of a CPU, `64Mi` of memory. A plain number is whole units (CPUs, bytes). */

/** What the API server accepts, without a sign: a negative amount of a resource means nothing. */
export const QUANTITY = /^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$/;

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

/** The amount in whole units, as exact as a double is: good for comparing, not for book-keeping. Undefined when `text` is no quantity. */
export function parseQuantity(text: string | number): number | undefined {
  const [, digits, , suffix = ''] = QUANTITY.exec(String(text)) ?? [];
  if (digits === undefined) return undefined;
  if (/^[eE]./.test(suffix)) return Number(digits) * 10 ** Number(suffix.slice(1));
  return Number(digits) * (FACTORS[suffix] ?? 1);
}
