/** Time limits of calls, through the clock. */
import type { Clock } from '../lib/clock.ts';

/** A call took longer than it may. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
}

/** A limit on some work. */
export interface Deadline {
  readonly clock: Clock;
  readonly ms: number;
  /** Ends the work as well. */
  readonly outer: AbortSignal | undefined;
  /** Names the work in the error. */
  readonly what: string;
}

/** Runs `work` with a signal that is aborted after `ms` milliseconds or with `outer`, whichever comes first. */
export async function withDeadline<T>(deadline: Deadline, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { clock, ms, outer, what } = deadline;
  outer?.throwIfAborted();
  const controller = new AbortController();
  const abort = (): void => controller.abort(outer?.reason);
  const timer = clock.after(ms, () => controller.abort(new DeadlineExceeded(`${what}: no answer within ${ms} ms`)));
  outer?.addEventListener('abort', abort, { once: true });
  try {
    return await untilAborted(work(controller.signal), controller.signal);
  } finally {
    timer.cancel();
    outer?.removeEventListener('abort', abort);
  }
}

/** Fails as soon as the signal is aborted, even when `work` does not heed it, as a credential plug-in may not. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
