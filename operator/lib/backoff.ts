/** Exponential back-off with jitter; randomness is passed in, so that tests are exact. */

export interface BackoffOptions {
  /** Milliseconds of the first delay, before jitter. */
  readonly baseMs: number;
  /** No delay is longer than this many milliseconds. */
  readonly maxMs: number;
  /** Growth per attempt; default: 2. */
  readonly factor?: number;
  /** Part of the delay that is random, 0…1: a delay `d` becomes `d·(1 − jitter) … d`. Default: 0.5. */
  readonly jitter?: number;
}

/** Uniform in [0, 1), as `Math.random`. */
export type Random = () => number;

/** Milliseconds to wait after failure number `attempt`, which counts from 0. */
export function backoffMs(attempt: number, options: BackoffOptions, random: Random): number {
  const { baseMs, maxMs, factor = 2, jitter = 0.5 } = options;
  const delay = Math.min(maxMs, baseMs * factor ** Math.min(attempt, 64));
  return delay * (1 - jitter + jitter * random());
}

/** The back-off of one loop: `next` after a failure, `reset` after progress. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: Random;
  #attempts = 0;

  constructor(options: BackoffOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** Failures in a row. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    return backoffMs(this.#attempts++, this.#options, this.#random);
  }

  reset(): void {
    this.#attempts = 0;
  }
}
