/**
 * What a process has behind it, for a leader in another cluster: how often it was restarted, and whether it has run to its
 * end. One cell for each in the store. It counts for the same spec only.
 */
import type { Call, CellStore } from '../lease/cell-store.ts';
import { cellKeys, changeCell } from '../lease/cell-store.ts';
import { messageOf } from '../lib/errors.ts';
import type { Shape } from '../lib/shape.ts';
import { decodeAs, encodeAs, isFlag, isName, isWhole } from '../lib/shape.ts';

/** What a process has behind it. */
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

/** Reads and writes the pasts of one tenant. Calls reject as those of the `CellStore` do. */
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
    return cell && decode(cell.value, this.#key(at));
  }

  /** `undefined`: nothing is to be known any more. Throws what the store throws. */
  async write(at: At, past: ProcessPast | undefined, call: Call): Promise<void> {
    if (past === undefined && !(await this.read(at, call))) return;
    await changeCell(this.#store, this.#key(at), () => encodeAs(PAST, past ?? NOTHING), call);
  }

  #key({ namespace, name }: At): string {
    return cellKeys.past(this.#tenant, namespace, name);
  }
}

/** No process comes near it. */
const MOST_RESTARTS = 1_000_000_000;
const NOTHING: ProcessPast = { spec: '', restarts: 0, completed: false };

const PAST: Shape<ProcessPast> = { spec: isName, restarts: isWhole(MOST_RESTARTS), completed: isFlag };

function decode(text: string, key: string): ProcessPast {
  try {
    const { spec, restarts, completed } = decodeAs(PAST, text);
    return { spec, restarts, completed };
  } catch (error) {
    throw new Error(
      `key ${key}: expected the history of a process, found other data (${messageOf(error)}); is another application using this key?`,
      { cause: error },
    );
  }
}
