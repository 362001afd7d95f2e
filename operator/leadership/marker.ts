/** Remembers what the marker says and writes it when it must say more: once per term. */
import type { Call } from '../lease/cell-store.ts';
import type { Marker } from './election.ts';
import type { LeaseRecord } from './lease-record.ts';
import type { MarkerStore } from './ports.ts';

export class MarkerKeeper {
  readonly #store: MarkerStore;
  #known: Marker = 'unknown';

  constructor(store: MarkerStore) {
    this.#store = store;
  }

  get known(): Marker {
    return this.#known;
  }

  async read(call: Call): Promise<void> {
    this.#known = (await this.#store.read(call)) ?? 'none';
  }

  /** Resolves once the cluster remembers the term, and how long the tenant's pods may take to stop. */
  async ensure(record: LeaseRecord, call: Call): Promise<void> {
    if (this.#known === 'unknown') await this.read(call);
    const { drainMs, term } = typeof this.#known === 'object' ? this.#known : { drainMs: 0, term: 0 };
    if (drainMs >= record.drainMs && term >= record.term) return;
    await this.#store.write({ ...record, drainMs: Math.max(drainMs, record.drainMs) }, call);
    this.#known = { drainMs: Math.max(drainMs, record.drainMs), term: record.term };
  }
}
