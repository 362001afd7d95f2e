/**
 * Time as the rest of the code may see it. Only this file reads the machine's clocks, so that the elector,
 * the queue and the reflector run unchanged on a virtual clock.
 */
export interface Timer {
  cancel(): void;
}

/** The time, and waiting for it. */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back, may stand still while the machine is suspended. */
  monotonic(): number;
  /** Milliseconds since the epoch; may jump. Never decides whether a lease has expired. */
  wall(): number;
  /** Resolves after `ms` milliseconds, as `after`; rejects with the signal's reason when `signal` is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `fire` once after `ms` milliseconds, however many those are: never for what `waitOf` makes infinite. */
  after(ms: number, fire: () => void): Timer;
}

/** The longest wait of one timer of Node.js, milliseconds. It fires a longer one, or one that is not a number, at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** What each clock waits for `ms`: what is not a number is waited for without end, since at once would repeat without end. */
export function waitOf(ms: number): number {
  return Number.isNaN(ms) ? Number.POSITIVE_INFINITY : Math.max(0, ms);
}

/** The clock of this machine. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal),
  after(ms, fire) {
    const wait = waitOf(ms);
    const due = performance.now() + wait;
    const arm = (left: number) => (left > LONGEST_MS ? setTimeout(again, LONGEST_MS) : setTimeout(fire, left));
    const again = () => {
      handle = arm(Math.max(0, due - performance.now()));
    };
    let handle = arm(wait);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** `sleep` of a clock that has `after`. */
export function sleepOn({ after }: Pick<Clock, 'after'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = after(ms, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}
