/** Rate limit for lines that say the same again and again: the first goes out, the rest becomes a count, ever more rarely. */
import type { Clock, Timer } from '../lib/clock.ts';

/** More different lines than these are not watched: they pass. */
const MAX_WATCHED = 1000;
/** A window that saw repetitions is followed by one of twice its length, up to so many times the first one's. */
const MOST_WINDOWS = 32;

interface Window {
  lengthMs: number;
  repeated: number;
  timer: Timer;
  readonly summarise: (repeated: number) => void;
}

/** Decides which of equal lines are written. */
export class Repeats {
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock, windowMs: number) {
    this.#clock = clock;
    this.#windowMs = windowMs;
  }

  /**
   * True when the line should be written now. Otherwise it is counted, and `summarise` of the first such line is called
   * with the count when the window ends.
   */
  pass(line: string, summarise: (repeated: number) => void): boolean {
    const open = this.#windows.get(line);
    if (open) {
      open.repeated += 1;
      return false;
    }
    if (this.#windows.size < MAX_WATCHED) {
      this.#windows.set(line, {
        lengthMs: this.#windowMs,
        repeated: 0,
        summarise,
        timer: this.#timer(line, this.#windowMs),
      });
    }
    return true;
  }

  /** Writes the counts that are due and forgets everything. */
  flush(): void {
    for (const [line, { timer }] of this.#windows) {
      timer.cancel();
      this.#end(line);
    }
    for (const { timer } of this.#windows.values()) timer.cancel();
    this.#windows.clear();
  }

  #timer(line: string, ms: number): Timer {
    return this.#clock.after(ms, () => this.#end(line));
  }

  #end(line: string): void {
    const window = this.#windows.get(line);
    if (!window) return;
    const { repeated } = window;
    if (repeated === 0) {
      this.#windows.delete(line);
      return;
    }
    window.repeated = 0;
    window.lengthMs = Math.min(2 * window.lengthMs, MOST_WINDOWS * this.#windowMs);
    window.timer = this.#timer(line, window.lengthMs);
    window.summarise(repeated);
  }
}
