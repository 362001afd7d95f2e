/** One term of this process as the holder: until when it may act, and the signal that ends what is under way. */
import type { Clock } from '../lib/clock.ts';
import { LeaseLost } from '../lib/errors.ts';
import type { Timing } from './timing.ts';
import { MARGIN_MS } from './timing.ts';

export interface TermOptions {
  readonly number: number;
  readonly holder: string;
  readonly timing: Timing;
  readonly clock: Clock;
}

export class Term {
  readonly number: number;
  readonly holder: string;
  readonly beganAt: number;
  /** Set once everything is in place to act. */
  established = false;
  readonly #timing: Timing;
  readonly #clock: Clock;
  readonly #ending = new AbortController();
  #sentAt = -Infinity;
  #sentAtWall = 0;
  #validUntil = -Infinity;

  constructor(options: TermOptions) {
    this.number = options.number;
    this.holder = options.holder;
    this.#timing = options.timing;
    this.#clock = options.clock;
    this.beganAt = options.clock.monotonic();
  }

  /** Aborted with `LeaseLost` when the term ends. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  get ended(): boolean {
    return this.#ending.signal.aborted;
  }

  /** No renewal was acknowledged for `renewDeadline`: the term may still be saved, but nothing new is begun. */
  get doubtful(): boolean {
    return this.#clock.monotonic() - this.#sentAt > this.#timing.renewDeadlineMs;
  }

  /** The deadline has passed, although the timer that ends the term may not have run yet. */
  get overdue(): boolean {
    return this.#clock.monotonic() >= this.#validUntil;
  }

  /** A write was acknowledged that had been sent at these times. */
  extend(sentAt: number, sentAtWall: number, validUntil: number): void {
    this.#sentAt = sentAt;
    this.#sentAtWall = sentAtWall;
    this.#validUntil = validUntil;
  }

  end(because: string): void {
    if (!this.ended) this.#ending.abort(new LeaseLost(`term ${this.number} ended: ${because}`));
  }

  /**
   * Throws `LeaseLost` when the term has ended, its deadline has passed, or the two clocks have moved apart since the
   * last renewal: then one of them stood still, and the deadline proves nothing until the next renewal.
   */
  assertHeld(): void {
    if (this.ended) throw this.#ending.signal.reason;
    if (this.overdue) throw new LeaseLost(`the deadline of term ${this.number} has passed`);
    const now = this.#clock.monotonic();
    const apart = Math.abs(this.#clock.wall() - this.#sentAtWall - (now - this.#sentAt));
    if (apart > MARGIN_MS)
      throw new LeaseLost(
        `the clocks moved apart by ${Math.round(apart)} ms since the last renewal of term ${this.number}`,
      );
  }
}
