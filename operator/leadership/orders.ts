/** What people ask of a tenant's controllers: a cell of its own, so that nobody but holders writes the lease. */
import type { Call, CellStore } from '../lease/cell-store.ts';
import { cellKeys, changeCell } from '../lease/cell-store.ts';

/** Nobody acts until it is resumed; what runs goes on. */
export interface Pause {
  /** RFC 3339. */
  readonly since: string;
  /** Who asked, for people. */
  readonly by: string;
}

export interface HandOverOrder {
  /** Only in this term; later it has been carried out, or is moot. */
  readonly term: number;
  /** Identity of the next leader. */
  readonly to: string;
  readonly by: string;
}

export interface Orders {
  readonly paused?: Pause;
  readonly handOver?: HandOverOrder;
}

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
    return decode(cell?.value);
  }

  /** What the orders are after the change; rejects when others keep changing them. */
  async change(change: (orders: Orders) => Orders, call: Call): Promise<Orders> {
    return decode(await changeCell(this.#store, this.#key, (text) => JSON.stringify(change(decode(text))), call));
  }

  /** Calls `hint` soon after they may have changed; returns the end of it. */
  subscribe(hint: () => void): () => void {
    return this.#store.subscribe(this.#key, hint);
  }
}

function decode(text = '{}'): Orders {
  try {
    const { paused, handOver } = JSON.parse(text) as Orders;
    const isPause = paused === undefined || typeof paused.since === 'string';
    const isOrder = handOver === undefined || (typeof handOver.to === 'string' && Number.isSafeInteger(handOver.term));
    if (isPause && isOrder) return { ...(paused && { paused }), ...(handOver && { handOver }) };
  } catch {
    // the same as any other text that is none of ours
  }
  throw new Error('the cell of orders does not hold orders: somebody else uses this key');
}
