/**
 * What a process has behind it, for a leader in another cluster: how often it was restarted, and whether it has run to its
 * end. One cell for each in the store. It counts for the same spec only.
 */
import type { Call, CellStore } from '../lease/cell-store.ts';
import { cellKeys } from '../lease/cell-store.ts';
import { RetryLater } from '../lib/errors.ts';

export interface ProcessPast {
  /** Hash of the spec that it is about. */
  readonly spec: string;
  readonly restarts: number;
  readonly completed: boolean;
}

interface At {
  readonly namespace: string;
  readonly name: string;
}

const AGAIN_MS = 200;

export class ProcessLedger {
  readonly #store: CellStore;
  readonly #tenant: string;

  constructor(store: CellStore, tenant: string) {
    this.#store = store;
    this.#tenant = tenant;
  }

  /** Undefined when nothing is known. Throws what the store throws, and when the cell holds something else. */
  async read(at: At, call: Call): Promise<ProcessPast | undefined> {
    const { cell } = await this.#store.read(this.#key(at), call);
    return cell && decode(cell.value);
  }

  /** `undefined`: nothing is to be known any more. Throws `RetryLater` when somebody else wrote it meanwhile. */
  async write(at: At, past: ProcessPast | undefined, call: Call): Promise<void> {
    const key = this.#key(at);
    const { cell } = await this.#store.read(key, call);
    const value = JSON.stringify(past ?? NOTHING);
    if (value === (cell?.value ?? JSON.stringify(NOTHING))) return;
    const { ok } = await this.#store.write(key, value, cell?.version, call);
    if (!ok) throw new RetryLater(AGAIN_MS, 'the past of the process has changed since it was read');
  }

  #key({ namespace, name }: At): string {
    return cellKeys.past(this.#tenant, namespace, name);
  }
}

const NOTHING: ProcessPast = { spec: '', restarts: 0, completed: false };

function decode(text: string): ProcessPast {
  const past = JSON.parse(text) as Partial<ProcessPast>;
  const { spec, restarts, completed } = past;
  if (typeof spec === 'string' && typeof restarts === 'number' && typeof completed === 'boolean')
    return { spec, restarts, completed };
  throw new Error('the cell does not hold the past of a process: somebody else uses this key');
}
