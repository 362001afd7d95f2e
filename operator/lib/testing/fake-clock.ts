/**
 * A clock that stands still until a test moves it. Both clocks move together unless a test says otherwise, so that
 * suspended machines and jumping wall clocks can be played through.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { sleepOn, waitOf, type Clock, type Timer } from '../clock.ts';

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

export interface FakeClockOptions {
  /** Start of the wall clock, milliseconds since the epoch; default: 2030-01-01. */
  readonly wall?: number;
  /** Start of the monotonic clock, milliseconds; default: 1000. */
  readonly monotonic?: number;
}

export class FakeClock implements Clock {
  #monotonic: number;
  #wall: number;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(options: FakeClockOptions = {}) {
    this.#monotonic = options.monotonic ?? 1000;
    this.#wall = options.wall ?? Date.UTC(2030, 0, 1);
  }

  monotonic(): number {
    return this.#monotonic;
  }

  wall(): number {
    return this.#wall;
  }

  after(ms: number, fire: () => void): Timer {
    const timer: Pending = { at: this.#monotonic + waitOf(ms), order: this.#order++, fire };
    this.#pending.add(timer);
    return { cancel: () => void this.#pending.delete(timer) };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn({ after: (wait, fire) => this.after(wait, fire) }, ms, signal);
  }

  /** Timers that have not fired; for asserting that nothing was left behind. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Milliseconds until the next timer; `undefined` when there is none. */
  get nextTimerIn(): number | undefined {
    const next = this.#next();
    return next && next.at - this.#monotonic;
  }

  /**
   * Moves both clocks on by `ms`, firing each timer at its own time and in order, timers that fire sets up on the way
   * included. All promise work that follows from a timer is done before the next one fires.
   */
  async advance(ms: number): Promise<void> {
    await this.settle();
    const end = this.#monotonic + ms;
    for (let next = this.#next(); next && next.at <= end; next = this.#next()) {
      this.#moveTo(next.at);
      this.#pending.delete(next);
      next.fire();
      await this.settle();
    }
    this.#moveTo(end);
    await this.settle();
  }

  /** Lets all promise work run that needs no timer. */
  async settle(): Promise<void> {
    await turn();
    await turn();
  }

  /** Moves the wall clock alone, as a correction by NTP does; may be negative. */
  jumpWall(ms: number): void {
    this.#wall += ms;
  }

  /**
   * Moves the clocks on without running anything, as when the machine was suspended or the process stopped; timers that
   * became due fire, late, on the next `advance`.
   */
  suspend(ms: { readonly monotonic: number; readonly wall: number }): void {
    this.#monotonic += ms.monotonic;
    this.#wall += ms.wall;
  }

  #next(): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of this.#pending) {
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer;
    }
    return first;
  }

  #moveTo(time: number): void {
    const by = Math.max(0, time - this.#monotonic);
    this.#monotonic += by;
    this.#wall += by;
  }
}
