import type { Clock } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import type { CellStore } from './cell-store.ts';
import { StoreError } from './store-error.ts';

/** What can be asked of a store. */
export type StoreOperation = 'read' | 'write' | 'remove' | 'list';

/** Hears of each call to the store. */
export interface StoreObserver {
  /** Once per call. `outcome` is `ok`, a `StoreErrorKind`, or `aborted` when the caller gave up. */
  operation(name: StoreOperation, seconds: number, outcome: string): void;
}

/** The same store; each call is measured. A lost compare-and-set is an answer, hence `ok`. */
export function observed(store: CellStore, observer: StoreObserver, clock: Clock = systemClock): CellStore {
  const measure = async <T>(name: StoreOperation, run: () => Promise<T>): Promise<T> => {
    const start = clock.monotonic();
    const report = (outcome: string) => observer.operation(name, (clock.monotonic() - start) / 1000, outcome);
    try {
      const answer = await run();
      report('ok');
      return answer;
    } catch (error) {
      report(error instanceof StoreError ? error.kind : 'aborted');
      throw error;
    }
  };
  return {
    kind: store.kind,
    read: (key, call) => measure('read', () => store.read(key, call)),
    write: (key, value, expected, call) => measure('write', () => store.write(key, value, expected, call)),
    remove: (key, expected, call) => measure('remove', () => store.remove(key, expected, call)),
    list: (prefix, call) => measure('list', () => store.list(prefix, call)),
    subscribe: (key, hint) => store.subscribe(key, hint),
    close: () => store.close(),
  };
}
