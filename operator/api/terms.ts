/**
 * Numbers on objects: whoever may edit an object of the tenant may write any text there, so all of them are read here, and
 * none of them decides alone how far a term may grow. Pure.
 */

/** Of every number that is written on an object or into the lease. */
export const MAX_NUMBER = Number.MAX_SAFE_INTEGER;

/**
 * How far above everything known a stamp may lie to lift the next term. The first term after a loss is the store's time in
 * seconds: this allows for a store clock that was three years ahead, and ten million forged stamps exhaust nothing.
 */
export const MAX_LIFT = 100_000_000;

/** A whole number in decimal digits; `undefined` when the text is absent or anything else. */
export function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined;
  const number = Number(text);
  return number <= MAX_NUMBER ? number : undefined;
}

/** `known`: the highest term of which the asker knows by itself, or the time in seconds, whichever is higher. */
export function isPlausible(stamp: number, known: number): boolean {
  return stamp <= known + MAX_LIFT;
}
