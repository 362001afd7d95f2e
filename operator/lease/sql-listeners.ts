/** Who wants to hear of which cell, and hints by looking for those drivers that nobody tells. */
import type { Clock } from '../lib/clock.ts';
import type { Version } from './cell-store.ts';

/** Called when a cell may have changed. */
export type Hint = () => void;

/** Who listens to which key. */
export class Listeners {
  readonly #hints = new Map<string, Set<Hint>>();

  get keys(): readonly string[] {
    return [...this.#hints.keys()];
  }

  get isEmpty(): boolean {
    return this.#hints.size === 0;
  }

  /** Returns the end of this one, whoever else listens. */
  add(key: string, hint: Hint): () => void {
    const listener: Hint = () => hint();
    const hints = this.#hints.get(key) ?? new Set();
    this.#hints.set(key, hints.add(listener));
    return () => {
      if (hints.delete(listener) && hints.size === 0) this.#hints.delete(key);
    };
  }

  tell(key: string): void {
    for (const hint of this.#hints.get(key) ?? []) hint();
  }

  tellAll(): void {
    for (const key of this.keys) this.tell(key);
  }

  clear(): void {
    this.#hints.clear();
  }
}

/** How to find out which cells have changed. */
export interface Looking {
  readonly listeners: Listeners;
  /** Versions of those of the keys that have a cell. */
  readonly versions: (keys: readonly string[]) => Promise<ReadonlyMap<string, Version>>;
  /** Milliseconds between two looks. */
  readonly everyMs: number;
}

/**
 * Tells of each cell whose version is another one than at the last look; of all, after looks that failed. Ends by
 * rejection when `signal` fires.
 */
export async function look(
  { listeners, versions, everyMs }: Looking,
  clock: Clock,
  signal: AbortSignal,
): Promise<never> {
  for (let seen = new Map<string, Version | undefined>(); ; await clock.sleep(everyMs, signal)) {
    const { keys } = listeners;
    const found = await versions(keys).catch(() => undefined);
    signal.throwIfAborted();
    const before = seen;
    seen = new Map(found && keys.map((key) => [key, found.get(key)]));
    for (const [key, version] of seen) if (!before.has(key) || before.get(key) !== version) listeners.tell(key);
  }
}
