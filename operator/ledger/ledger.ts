/** Keeps the ledgers of cron jobs in the store, one cell for each, rewritten by compare-and-set. */
import type { Call, CellStore } from '../lease/cell-store.ts';
import { cellKeys } from '../lease/cell-store.ts';
import { RetryLater } from '../lib/errors.ts';
import type { CronLedger } from './cron-ledger.ts';
import { decodeLedger, encodeLedger } from './cron-ledger.ts';

/** A ledger as it was read, and what its next rewrite must find there. */
export interface Entry {
  readonly ledger: CronLedger | undefined;
  /** The store may have lost writes since it was written. */
  readonly mayBeOld: boolean;
  readonly version: string | undefined;
  readonly incarnation: string;
}

const AGAIN_MS = 200;

/** Reads and writes the ledgers of one tenant. Calls reject as those of the `CellStore` do. */
export class LedgerStore {
  readonly #store: CellStore;
  readonly #tenant: string;

  constructor(store: CellStore, tenant: string) {
    this.#store = store;
    this.#tenant = tenant;
  }

  /** Throws what the store throws, and when the cell holds something else. */
  async read(at: { readonly namespace: string; readonly name: string }, call: Call): Promise<Entry> {
    const key = this.#key(at);
    const { cell, incarnation } = await this.#store.read(key, call);
    const found = cell && decodeLedger(cell.value, key);
    const mayBeOld = found !== undefined && found.incarnation !== incarnation;
    return { ledger: found?.ledger, mayBeOld, version: cell?.version, incarnation };
  }

  /** Throws `RetryLater` when somebody else wrote it meanwhile, or the store may have lost writes since the read. */
  async write(
    at: { readonly namespace: string; readonly name: string },
    { entry: { version, incarnation }, ledger }: { readonly entry: Entry; readonly ledger: CronLedger },
    call: Call,
  ): Promise<Entry> {
    const reply = await this.#store.write(this.#key(at), encodeLedger(ledger, incarnation), version, call);
    if (!reply.ok || reply.incarnation !== incarnation)
      throw new RetryLater(AGAIN_MS, 'the ledger of runs has changed since it was read');
    return { ledger, mayBeOld: false, version: reply.version, incarnation };
  }

  #key({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
    return cellKeys.ledger(this.#tenant, namespace, name);
  }
}
