/**
 * The API server's own time, learnt from the `Date` header of its replies. A reply's date is rounded down and old by the
 * way it took, so `date − monotonic time of receipt` never exceeds the true offset; the lowest of the last seconds is
 * used, which also is the slowest clock of several API servers. A reply that took long, such as one that waited for a
 * stopped process, says too little to count beside others. The estimate may be early, as a rule by one to two seconds; it
 * is late only when the server's clock was set back since.
 */
import type { Clock } from '../lib/clock.ts';

/** Milliseconds that an observation counts, at least; twice that at most. After a clock stood still, so long is it early. */
const WINDOW_MS = 15_000;
/** A round trip of more milliseconds counts only while nothing better is known. */
const LONG_MS = 2000;

/** The API server's time; undefined until a reply has named it. */
export class ServerClock {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #windowStart = Number.NEGATIVE_INFINITY;
  #lowest = Number.POSITIVE_INFINITY;
  #lowestBefore = Number.POSITIVE_INFINITY;
  #heardAt: number;
  /** Nothing but a reply that took long is known. */
  #isRough = false;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#heardAt = clock.monotonic();
  }

  /** Milliseconds since the last reply, or since this clock was made. */
  get silentMs(): number {
    return this.#clock.monotonic() - this.#heardAt;
  }

  /**
   * Takes the `Date` header of a reply that has just arrived, to a request sent at this monotonic time; anything that is
   * not a date is ignored.
   */
  observe(header: string | undefined, sentAt: number): void {
    const date = header === undefined ? Number.NaN : Date.parse(header);
    if (Number.isNaN(date)) return;
    const now = this.#clock.monotonic();
    this.#heardAt = now;
    const isRough = now - sentAt > LONG_MS;
    if (isRough && this.at() !== undefined) return;
    if (this.#isRough) this.#lowest = this.#lowestBefore = Number.POSITIVE_INFINITY;
    this.#isRough = isRough;
    if (now - this.#windowStart >= WINDOW_MS) {
      this.#lowestBefore = now - this.#windowStart < 2 * WINDOW_MS ? this.#lowest : Number.POSITIVE_INFINITY;
      this.#lowest = Number.POSITIVE_INFINITY;
      this.#windowStart = now;
    }
    this.#lowest = Math.min(this.#lowest, date - now);
  }

  /** Milliseconds since the epoch by the API server at this monotonic time (default: now); undefined before any reply. */
  at(monotonic: number = this.#clock.monotonic()): number | undefined {
    const offset = Math.min(this.#lowest, this.#lowestBefore);
    return Number.isFinite(offset) ? offset + monotonic : undefined;
  }
}
