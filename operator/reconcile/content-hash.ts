/** What a child is made from, as one text: equal where the API server would store the same. Pure. */
import { AMOUNTS, billionths } from '../lib/quantity.ts';
import { stableHash } from './metadata.ts';

/** As `stableHash`, and the same for `1024Mi` and `1Gi` where an amount stands. */
export function contentHash(value: unknown): string {
  return stableHash(plain(value, false));
}

/** Whether it may be one, of whichever version of this product. */
export function isContentHash(text: string | undefined): boolean {
  return text !== undefined && /^[0-9a-f]{16}$/.test(text);
}

function plain(value: unknown, isAmount: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => plain(item, isAmount));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, part]) => [key, plain(part, isAmount || AMOUNTS.has(key))]));
  }
  if (!isAmount || (typeof value !== 'string' && typeof value !== 'number')) return value;
  return billionths(String(value))?.toString() ?? value;
}
