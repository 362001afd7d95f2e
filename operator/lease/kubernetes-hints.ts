/** Hints by a watch of one object, made anew whenever it ends. */
import { Backoff } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { leases, type LeaseClient } from './lease-client.ts';
import { chance } from './within.ts';

/** Limits of one watch. A held lease is renewed every few seconds: such a silence is suspect, and looking is cheap. */
const WATCH_SECONDS = 240;
const IDLE_MS = 20_000;
const LIST_MS = 5000;
const RETRY = { baseMs: 50, maxMs: 5000 };

/** The object that is watched; `signal` ends it. */
export interface Watched {
  readonly client: LeaseClient;
  readonly namespace: string;
  /** The object's. */
  readonly name: string;
  readonly signal: AbortSignal;
}

/** Ends by rejection when the signal fires. Failures are not reported: each call to the store meets the same ones. */
export async function watchLease(watched: Watched, clock: Clock, hint: () => void): Promise<never> {
  const { signal } = watched;
  for (const backoff = new Backoff(RETRY, chance); ;) {
    await watchOnce(watched, (listed) => {
      if (listed) backoff.reset();
      hint();
    }).catch(() => signal.throwIfAborted());
    await clock.sleep(backoff.next(), signal);
  }
}

/** The list sees everything up to its version, the watch the rest until it ends. */
async function watchOnce({ client, namespace, name, signal }: Watched, hint: (listed: boolean) => void): Promise<void> {
  const only = { namespace, fieldSelector: `metadata.name=${name}`, signal };
  const { resourceVersion } = await client.list(leases, { ...only, timeoutMs: LIST_MS });
  hint(true);
  const limits = { resourceVersion, timeoutSeconds: WATCH_SECONDS, idleMs: IDLE_MS };
  for await (const event of client.watch(leases, { ...only, ...limits })) {
    if (event.type !== 'BOOKMARK') hint(false);
  }
}
