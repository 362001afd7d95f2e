/** Since when this process has seen records unchanged, on its own clock: one of the store's that jumped must not count. */
import type { ListedCell, Version } from '../lease/cell-store.ts';

export class RecordAges {
  #seen = new Map<string, { readonly version: Version; readonly since: number }>();

  /** `now`: milliseconds, monotonic. Records that are not among `cells` are forgotten. */
  note(cells: readonly ListedCell[], now: number): void {
    const before = this.#seen;
    this.#seen = new Map(
      cells.map(({ key, version }) => {
        const known = before.get(key);
        return [key, known?.version === version ? known : { version, since: now }];
      }),
    );
  }

  /** Infinity: it was seen for the first time. */
  since(key: string): number {
    return this.#seen.get(key)?.since ?? Infinity;
  }
}
