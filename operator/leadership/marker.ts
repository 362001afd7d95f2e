/** Remembers what the marker says and writes it when it must say more; one call to the cluster in the life of a tenant. */
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

  /** Resolves once the cluster remembers a tenant whose pods may take `record.drainMs` to stop. */
  async ensure(record: LeaseRecord, call: Call): Promise<void> {
    if (this.#known === 'unknown') await this.read(call);
    if (typeof this.#known === 'object' && this.#known.drainMs >= record.drainMs) return;
    await this.#store.write(record, call);
    this.#known = { drainMs: record.drainMs };
  }
}
