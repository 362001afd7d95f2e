/** When a leader hands over to a cluster that comes before its own. */
import type { Peer } from './presence.ts';
import { isStandby } from './presence.ts';

/** Whose cluster comes first, and how long it must have been ready. */
export interface FailbackOptions {
  readonly clusterId: string;
  readonly priority: number;
  readonly ttlMs: number;
  /** How long the other cluster must have been ready. Milliseconds. */
  readonly delayMs: number;
}

/** Remembers since when clusters with a higher priority have been ready. */
export class Failback {
  readonly #options: FailbackOptions;
  /** Since when a cluster has been ready without a gap, by its id; monotonic. */
  #readySince = new Map<string, number>();

  constructor(options: FailbackOptions) {
    this.#options = options;
  }

  /** The controller to hand over to, if it is time; `now` on the monotonic clock. Call it at each look at presence. */
  heir(peers: readonly Peer[], now: number): Peer | undefined {
    const { clusterId, priority, ttlMs, delayMs } = this.#options;
    const better = peers.filter(
      (peer) => isStandby(peer, ttlMs) && peer.cluster.id !== clusterId && (peer.priority ?? 0) > priority,
    );
    this.#readySince = new Map(better.map(({ cluster: { id } }) => [id, this.#readySince.get(id) ?? now]));
    return better
      .toSorted((a, b) => (b.priority ?? 0) - (a.priority ?? 0))
      .find(({ cluster: { id } }) => now - (this.#readySince.get(id) ?? now) >= delayMs);
  }
}
