/**
 * Which other clusters may still run something. A new holder activates only when each is known to be parked, or has had
 * the time to park. Pure.
 */
import type { PendingCluster } from './lease-record.ts';
import { atLeast } from './timing.ts';

/** `bounded`: a cluster that says nothing is waited for as long as it may need. `strict`: until it says so. */
export type Takeover = 'bounded' | 'strict';

/** What the controllers of a cluster say about the tenant's workloads there, its permit having ended. */
export interface ParkingReport {
  /** The term that had been read before anybody looked. */
  readonly term: number;
  /** Workloads whose pods are not known to be gone; empty: nothing runs. */
  readonly notGone: readonly string[];
  /** It is the word of a person, who answers for it. */
  readonly byPerson?: boolean;
}

/** A report as another controller sees it. */
export interface SeenReport extends ParkingReport {
  readonly clusterId: string;
  /** Milliseconds since its author's last sign of life, by the store's clock. */
  readonly ageMs: number;
}

export interface Waiting {
  readonly pending: readonly PendingCluster[];
  readonly reports: readonly SeenReport[];
  readonly takeover: Takeover;
  readonly term: number;
  readonly ttlMs: number;
  /** Milliseconds since the acquisition was acknowledged. */
  readonly sinceMs: number;
}

/** The clusters that are still to be waited for. */
export function stillPending({ pending, reports, takeover, term, ttlMs, sinceMs }: Waiting): readonly PendingCluster[] {
  return pending.filter(({ cluster, drainMs }) => {
    const theirs = reports.filter(({ clusterId }) => clusterId === cluster.id);
    if (theirs.some((report) => report.term >= term && report.notGone.length === 0)) return false;
    const isHeldBack = theirs.some(({ ageMs, notGone }) => ageMs < ttlMs && notGone.length > 0);
    return isHeldBack || takeover === 'strict' || sinceMs < atLeast(ttlMs + drainMs);
  });
}
