/**
 * Everybody who may have to wait for this cluster must know how long its pods may take to stop before such a pod is
 * started: what is written waits here until the store has acknowledged it.
 */
interface Waiting {
  readonly drainMs: number;
  readonly settled: PromiseWithResolvers<void>;
}

/** The longest drain that others know of; growing it waits for the acknowledgement. */
export class Drain {
  /** The longest that was acknowledged. Milliseconds. */
  knownMs = 0;
  readonly #waiting = new Set<Waiting>();

  /** Resolves when a drain of so long has been acknowledged; rejects when the term ends before. */
  acknowledgement(drainMs: number): Promise<void> {
    const waiting = { drainMs, settled: Promise.withResolvers<void>() };
    this.#waiting.add(waiting);
    return waiting.settled.promise;
  }

  acknowledged(drainMs: number): void {
    this.knownMs = Math.max(this.knownMs, drainMs);
    for (const waiting of this.#waiting) {
      if (waiting.drainMs > drainMs) continue;
      this.#waiting.delete(waiting);
      waiting.settled.resolve();
    }
  }

  fail(reason: unknown): void {
    for (const { settled } of this.#waiting) settled.reject(reason);
    this.#waiting.clear();
  }
}
