import { randomInt } from 'node:crypto';
import type { Random } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { Call } from './cell-store.ts';
import { StoreError } from './store-error.ts';

/**
 * Runs `work` until it settles, the call's time is over (`StoreError` of kind `timeout`) or its signal fires (the
 * signal's reason), whichever comes first. The signal that `work` gets is aborted before the caller hears of it; what
 * `work` does afterwards is nobody's concern, its rejection included.
 */
export async function within<T>(
  call: Call,
  clock: Clock,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  call.signal?.throwIfAborted();
  const ended = new AbortController();
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  const giveUp = (reason: unknown) => {
    ended.abort(reason);
    reject(reason);
  };
  const onAbort = () => giveUp(call.signal?.reason);
  call.signal?.addEventListener('abort', onAbort, { once: true });
  const timer = clock.after(call.timeoutMs, () =>
    giveUp(new StoreError('timeout', `${what} did not answer within ${call.timeoutMs} ms`)),
  );
  try {
    return await Promise.race([work(ended.signal), givenUp]);
  } finally {
    timer.cancel();
    call.signal?.removeEventListener('abort', onAbort);
  }
}

/** For the jitter of reconnects. Not the caller's to give: no decision about a lease depends on it. */
export const chance: Random = () => randomInt(2 ** 32) / 2 ** 32;
