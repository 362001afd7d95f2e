/**
 * What a process has behind it, for a leader in another cluster: how often it was restarted, and whether it has run to its
 * end. One cell for each in the store. It counts for the same spec only.
 */
import type { Call, CellStore } from '../lease/cell-store.ts';
import { cellKeys, changeCell } from '../lease/cell-store.ts';

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

  /** `undefined`: nothing is to be known any more. Throws what the store throws. */
  async write(at: At, past: ProcessPast | undefined, call: Call): Promise<void> {
    if (past === undefined && !(await this.read(at, call))) return;
    await changeCell(this.#store, this.#key(at), () => JSON.stringify(past ?? NOTHING), call);
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
