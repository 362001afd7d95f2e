/** Who led when: the last terms of a tenant, in a cell of its own, written by whoever begins and ends one. */
import type { Call, CellStore } from '../lease/cell-store.ts';
import { cellKeys, changeCell } from '../lease/cell-store.ts';
import { MAX_NUMBER } from '../api/terms.ts';
import {
  isDuration,
  isName,
  isOptional,
  isSentence,
  isShaped,
  isTime,
  isWhole,
  MAX_RECORD_LENGTH,
} from '../lib/shape.ts';
import type { ClusterRef } from './lease-record.ts';
import { isClusterRef } from './lease-record.ts';

/** One term, as it is remembered. */
export interface PastTerm {
  readonly term: number;
  /** Identity. */
  readonly holder: string;
  readonly cluster: ClusterRef;
  /** When it could act and when it ended, RFC 3339, by the holder's wall clock. Without `to` it goes on, or its holder died. */
  readonly from: string;
  readonly to?: string;
  /** Why it ended. */
  readonly reason?: string;
  /** Milliseconds from the last sign of the holder before until this one could act. */
  readonly gapMs?: number;
}

const KEPT = 50;

/** Reads and writes the last terms of a tenant. Calls reject as those of the `CellStore` do. */
export class History {
  readonly #store: CellStore;
  readonly #key: string;

  constructor(store: CellStore, tenant: string) {
    this.#store = store;
    this.#key = cellKeys.history(tenant);
  }

  /** The oldest first. Throws what the store throws; what is no history is none. */
  async read(call: Call): Promise<readonly PastTerm[]> {
    const { cell } = await this.#store.read(this.#key, call);
    return decode(cell?.value);
  }

  began(term: PastTerm, call: Call): Promise<void> {
    return this.#change((terms) => [...terms.filter((each) => each.term !== term.term), term].slice(-KEPT), call);
  }

  ended(number: number, end: Required<Pick<PastTerm, 'to' | 'reason'>>, call: Call): Promise<void> {
    return this.#change((terms) => terms.map((each) => (each.term === number ? { ...each, ...end } : each)), call);
  }

  async #change(change: (terms: readonly PastTerm[]) => readonly PastTerm[], call: Call): Promise<void> {
    await changeCell(this.#store, this.#key, (text) => JSON.stringify(change(decode(text))), call);
  }
}

const isPastTerm = isShaped<PastTerm>({
  term: isWhole(MAX_NUMBER),
  holder: isName,
  cluster: isClusterRef,
  from: isTime,
  to: isOptional(isTime),
  reason: isOptional(isSentence),
  gapMs: isOptional(isDuration),
});

/** For people only: nothing is decided by it, so what cannot be read is left behind. */
function decode(text = '[]'): readonly PastTerm[] {
  try {
    const terms: unknown = text.length > MAX_RECORD_LENGTH ? [] : JSON.parse(text);
    return Array.isArray(terms) ? (terms.filter(isPastTerm) as PastTerm[]) : [];
  } catch {
    return [];
  }
}
