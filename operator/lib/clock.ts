/**
 * Time as the rest of the code may see it. Only this file reads the machine's clocks, so that the elector,
 * the queue and the reflector run unchanged on a virtual clock.
 */
import { setTimeout as sleepFor } from 'node:timers/promises';

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back, may stand still while the machine is suspended. */
  monotonic(): number;
  /** Milliseconds since the epoch; may jump. Never decides whether a lease has expired. */
  wall(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when `signal` is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `fire` once after `ms` milliseconds. */
  after(ms: number, fire: () => void): Timer;
}

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await sleepFor(Math.max(0, ms), undefined, signal ? { signal } : {});
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  },
  after(ms, fire) {
    const handle = setTimeout(fire, Math.max(0, ms));
    return { cancel: () => clearTimeout(handle) };
  },
};
