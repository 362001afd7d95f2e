/** Since when this process has seen records unchanged, on its own clock: one of the store's that jumped must not count. */
import type { ListedCell, Version } from '../lease/cell-store.ts';

/** Remembers when each record was last seen to change. */
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

  /**
   * The same as this process knows them: no younger than it has seen them unchanged, as the store's clock may have been set
   * back since they were written. `askedAt`: when the list was asked for; `now`: when it came.
   */
  aged(cells: readonly ListedCell[], { askedAt, now }: { askedAt: number; now: number }): readonly ListedCell[] {
    this.note(cells, now);
    return cells.map((cell) => ({ ...cell, ageMs: Math.max(cell.ageMs, askedAt - this.since(cell.key)) }));
  }

  /** Infinity: it was seen for the first time. */
  since(key: string): number {
    return this.#seen.get(key)?.since ?? Infinity;
  }
}
