/** Which cluster this is: decisions compare identities, names are for people. */
import { Backoff, type Random } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { ClusterClient } from './cluster-client.ts';
import { core, hasCode } from './cluster-client.ts';

/** Whom to ask which cluster this is, and for how long. */
export interface IdentityOptions {
  readonly client: Pick<ClusterClient, 'get' | 'server'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly random: Random;
}

const RETRY = { baseMs: 500, maxMs: 5000 };

/**
 * UID of namespace kube-system. Asks until the API server answers or `signal` is aborted; throws at once when it may not
 * be read, because waiting does not help then.
 */
export async function clusterIdentity({ client, clock, logger, signal, random }: IdentityOptions): Promise<string> {
  const backoff = new Backoff(RETRY, random);
  for (;;) {
    try {
      const found = await client.get(core.namespaces, { name: 'kube-system' }, { signal });
      if (found?.metadata.uid) return found.metadata.uid;
      throw new Error('namespace kube-system has no uid');
    } catch (error) {
      signal.throwIfAborted();
      if (hasCode(error, 403)) {
        throw new Error(
          'reading namespace kube-system is forbidden: allow it, or set cluster.id to a value that is unique to this cluster',
          { cause: error },
        );
      }
      logger.warn('The API server did not answer', { server: client.server, error: messageOf(error) });
      await clock.sleep(backoff.next(), signal);
    }
  }
}
