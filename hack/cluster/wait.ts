/** Waiting that tells what was waited for, and why it did not happen. */

import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly everyMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls `probe` until it gives something other than undefined, false or null. An error of the probe counts as "not yet": the last
 * one is told when time is up.
 */
export async function waitFor<T>(what: string, probe: Probe<T>, options: WaitOptions = {}): Promise<T> {
  const { timeoutMs = 30_000, everyMs = 50, signal } = options;
  const started = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const outcome = await ask(probe);
    if ('found' in outcome) return outcome.found;
    if (performance.now() - started > timeoutMs) {
      const why = outcome.error ? `; last error: ${outcome.error.message}` : '';
      throw new Error(`waited ${timeoutMs / 1000} s for ${what}${why}`, { cause: outcome.error });
    }
    // An abort is told with the reason that the caller gave.
    await sleep(everyMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}

type NotYet = undefined | false | null;
type Probe<T> = () => Promise<T | NotYet> | T | NotYet;

async function ask<T>(probe: Probe<T>): Promise<{ found: T } | { error?: Error }> {
  try {
    const found = await probe();
    return found === undefined || found === false || found === null ? {} : { found };
  } catch (error) {
    if (error instanceof GiveUp) throw error;
    return { error: error instanceof Error ? error : new Error(`not an error: ${typeof error}`) };
  }
}

/** Thrown by a probe that knows that waiting longer is pointless. */
export class GiveUp extends Error {
  override readonly name = 'GiveUp';
}
