/**
 * Terms on children that no leader has written: whoever may edit a pod may write any there. A leader that has just read in
 * the store that the lease is its own goes by that. It steps down for a higher stamp all the same, so that its next term
 * lies above it, but once in a while only, and never for one that no term can reach: those are put right instead.
 */
import { isPlausible } from '../api/terms.ts';
import type { Clock } from '../lib/clock.ts';

/** Between two terms that end for a stamp. Milliseconds. */
const PAUSE_MS = 3_600_000;
/** Of stamps that are remembered: somebody may write a new one each second. */
const KEPT = 1000;

/** Remembers which terms are forged, and when it last stepped down for one. */
export class ForgedStamps {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #forged = new Set<number>();
  #steppedDownAt = -Infinity;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  has(stamp: number): boolean {
    return this.#forged.has(stamp);
  }

  /**
   * A child carries `stamp`, and the store has said since that the lease is held in a lower term. Returns what to do:
   * `stepDown`, so that the next term is higher, or `putRight`: from now on it counts as forged. `known`: the term that is
   * held, or the time in seconds.
   */
  judge(stamp: number, known: number): 'stepDown' | 'putRight' {
    const now = this.#clock.monotonic();
    if (isPlausible(stamp, known) && now >= this.#steppedDownAt + PAUSE_MS) {
      this.#steppedDownAt = now;
      return 'stepDown';
    }
    this.#forged.add(stamp);
    for (const oldest of this.#forged) {
      if (this.#forged.size <= KEPT) break;
      this.#forged.delete(oldest);
    }
    return 'putRight';
  }
}
