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
  /** It is the word of a person, who answers for it. It counts in that term only. */
  readonly byPerson?: boolean;
  /** With `byPerson`: it is about the lease's last holder, as long as the lease stays at this version. */
  readonly leaseVersion?: string;
}

/** A report as another controller sees it. */
export interface SeenReport extends ParkingReport {
  readonly clusterId: string;
  /** Milliseconds since its author's last sign of life, by the store's clock. */
  readonly ageMs: number;
}

/** What a new holder knows of the clusters that it waits for. */
export interface Waiting {
  readonly pending: readonly PendingCluster[];
  readonly reports: readonly SeenReport[];
  readonly takeover: Takeover;
  readonly term: number;
  /** Version of the lease that the term was taken over from, where it is known. */
  readonly takenOver?: string | undefined;
  readonly ttlMs: number;
  /** Milliseconds since the acquisition was acknowledged. */
  readonly sinceMs: number;
}

/** What a holder may begin. */
export interface Outlook {
  /** Clusters that are not known to be parked, nor have had the time to be. */
  readonly pending: readonly PendingCluster[];
  /** Nothing is begun: of one of them it is not known what may still run there. */
  readonly isBlocked: boolean;
  /** Workloads that alone may still run elsewhere, and the cluster that says so: all others may be begun. */
  readonly heldBack: HeldBack;
}

/** By kind and name, as reports have them. */
export type HeldBack = ReadonlyMap<string, PendingCluster>;

/** `known`: what was held back in this term before; a report whose author has died since still counts. */
export function outlookOf(waiting: Waiting, known: HeldBack): Outlook {
  const pending = stillPending(waiting);
  const named = pending.map((entry) => [entry, namedBy(entry, waiting, known)] as const);
  const heldBack = named.flatMap(([entry, names]) => (names ?? []).map((name) => [name, entry] as const));
  return { pending, isBlocked: named.some(([, names]) => names === undefined), heldBack: new Map(heldBack) };
}

/** Undefined: nobody there has looked. */
function namedBy(
  { cluster }: PendingCluster,
  { reports, term, ttlMs }: Waiting,
  known: HeldBack,
): readonly string[] | undefined {
  const theirs = reports.filter(
    (report) => report.clusterId === cluster.id && report.ageMs < ttlMs && report.term >= term,
  );
  if (theirs.length > 0) return theirs.flatMap(({ notGone }) => notGone);
  const before = [...known].filter(([, entry]) => entry.cluster.id === cluster.id).map(([name]) => name);
  return before.length > 0 ? before : undefined;
}

/** The clusters that are still to be waited for. */
function stillPending(waiting: Waiting): readonly PendingCluster[] {
  const { pending, reports, takeover, ttlMs, sinceMs } = waiting;
  return pending.filter(({ cluster, drainMs }) => {
    const theirs = reports.filter(({ clusterId }) => clusterId === cluster.id);
    // Whoever names pods has seen them; who says that nothing runs may not have been there.
    if (theirs.some(({ ageMs, notGone }) => ageMs < ttlMs && notGone.length > 0)) return true;
    if (theirs.some((report) => counts(report, waiting) && report.notGone.length === 0)) return false;
    return takeover === 'strict' || sinceMs < atLeast(ttlMs + drainMs);
  });
}

/**
 * Controllers that have seen a later term have looked later; people spoke of what they saw: in this term, or of the very lease
 * that it was taken over from, since when nobody else has led.
 */
function counts(report: SeenReport, { term, takenOver }: Waiting): boolean {
  if (report.byPerson !== true) return report.term >= term;
  return report.term === term || (takenOver !== undefined && report.leaseVersion === takenOver);
}
