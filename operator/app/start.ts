/** What must be known before anybody can act: which cluster this is, and whether the store can be used at all. */
import { clusterIdentity } from '../cluster/identity.ts';
import type { CellStore } from '../lease/cell-store.ts';
import { cellKeys } from '../lease/cell-store.ts';
import { StoreError } from '../lease/store-error.ts';
import { Backoff } from '../lib/backoff.ts';
import { messageOf } from '../lib/errors.ts';
import type { Base } from '../context.ts';

const CALL_MS = 5000;
const RETRY = { baseMs: 500, maxMs: 10_000 };

type Means = Pick<Base, 'config' | 'client' | 'clock' | 'logger' | 'random'>;

/**
 * Resolves to the identity of the cluster, as soon as the API server has said it. The store is tried meanwhile: that it
 * does not answer is only logged, since it may come back. Rejects when it never can (a file that cannot be opened).
 */
export async function firstContact(means: Means, store: CellStore, stopping: AbortSignal): Promise<string> {
  const known = new AbortController();
  const signal = AbortSignal.any([stopping, known.signal]);
  const { cluster } = means.config;
  const identity = cluster.id === undefined ? clusterIdentity({ ...means, signal }) : Promise.resolve(cluster.id);
  const tried = store.kind === 'kubernetes' ? Promise.resolve() : tryStore(means, store, signal);
  for (const each of [identity, tried]) each.catch(() => {});
  try {
    // A file is opened at once or never; any other store may take its time.
    if (store.kind === 'sqlite') await Promise.all([identity, tried]);
    return await identity;
  } finally {
    known.abort();
  }
}

/** Until it answers or `signal` is aborted. Rejects when it never can. */
async function tryStore(
  { config, clock, logger, random }: Means,
  store: CellStore,
  signal: AbortSignal,
): Promise<void> {
  const backoff = new Backoff(RETRY, random);
  while (!signal.aborted) {
    try {
      await store.read(cellKeys.lease(config.tenant), { signal, timeoutMs: CALL_MS });
      return;
    } catch (error) {
      if (signal.aborted) return;
      const isBusy = error instanceof StoreError && error.kind === 'timeout';
      if (store.kind === 'sqlite' && !isBusy) throw unusableFile(config.sqlite.path, error);
      logger.warn('The store did not answer', { store: store.kind, error: messageOf(error) });
      if (store.kind === 'sqlite') return;
    }
    await clock.sleep(backoff.next(), signal).catch(() => {});
  }
}

function unusableFile(path: string, error: unknown): Error {
  const fix = 'set it (HIGHLANDER_SQLITE_PATH, --sqlite-path) to a file in a folder that this process may write';
  return new Error(`sqlite.path: ${path} cannot be used (${messageOf(error)}): ${fix}`, { cause: error });
}
