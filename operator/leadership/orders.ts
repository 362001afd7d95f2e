/** What people ask of a tenant's controllers: a cell of its own, so that nobody but holders writes the lease. */
import type { Call, CellStore } from '../lease/cell-store.ts';
import { cellKeys, changeCell } from '../lease/cell-store.ts';
import { MAX_NUMBER } from '../api/terms.ts';
import { messageOf } from '../lib/errors.ts';
import type { Shape } from '../lib/shape.ts';
import { decodeAs, isName, isOptional, isSentence, isShaped, isTime, isWhole } from '../lib/shape.ts';

/** Nobody acts until it is resumed; what runs goes on. */
export interface Pause {
  /** RFC 3339. */
  readonly since: string;
  /** Who asked, for people. */
  readonly by: string;
}

/** Who is to lead next, and who asked for it. */
export interface HandOverOrder {
  /** Only in this term; later it has been carried out, or is moot. */
  readonly term: number;
  /** Identity of the next leader. */
  readonly to: string;
  readonly by: string;
}

/** All that is asked for at present. */
export interface Orders {
  readonly paused?: Pause;
  readonly handOver?: HandOverOrder;
}

/** Reads and writes the orders of a tenant. Calls reject as those of the `CellStore` do. */
export class OrderBook {
  readonly #store: CellStore;
  readonly #key: string;

  constructor(store: CellStore, tenant: string) {
    this.#store = store;
    this.#key = cellKeys.orders(tenant);
  }

  /** Throws what the store throws, and when the cell holds something else. */
  async read(call: Call): Promise<Orders> {
    const { cell } = await this.#store.read(this.#key, call);
    return decode(this.#key, cell?.value);
  }

  /** What the orders are after the change; rejects when others keep changing them. */
  async change(change: (orders: Orders) => Orders, call: Call): Promise<Orders> {
    const next = (text: string | undefined) => JSON.stringify(change(decode(this.#key, text)));
    return decode(this.#key, await changeCell(this.#store, this.#key, next, call));
  }

  /** Calls `hint` soon after they may have changed; returns the end of it. */
  subscribe(hint: () => void): () => void {
    return this.#store.subscribe(this.#key, hint);
  }
}

const PAUSE: Shape<Pause> = { since: isTime, by: isSentence };
const HAND_OVER: Shape<HandOverOrder> = { term: isWhole(MAX_NUMBER), to: isName, by: isSentence };
const SHAPE: Shape<Orders> = { paused: isOptional(isShaped(PAUSE)), handOver: isOptional(isShaped(HAND_OVER)) };

function decode(key: string, text = '{}'): Orders {
  try {
    const { paused, handOver } = decodeAs(SHAPE, text);
    return { ...(paused && { paused }), ...(handOver && { handOver }) };
  } catch (cause) {
    throw new Error(
      `key ${key}: expected requests, found other data (${messageOf(cause)}); is another application using this key?`,
      { cause },
    );
  }
}
