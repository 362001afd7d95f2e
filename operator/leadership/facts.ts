/** What the election must know besides the store, gathered afresh for each decision. */
import { confirmedBy } from './confirmation.ts';
import type { Candidate, Facts } from './election.ts';
import type { PendingCluster } from './lease-record.ts';
import type { PermitKeeper } from './permit-keeper.ts';
import type { ClusterView, Wishes } from './ports.ts';
import type { Presence } from './presence.ts';
import { isStandby } from './presence.ts';

interface Surroundings {
  readonly candidate: Candidate;
  readonly cluster: ClusterView;
  readonly presence: Presence;
  readonly permit: PermitKeeper;
  readonly remainsFollower: boolean;
  readonly wishes?: Wishes;
}

/** What the controller itself is about to do. */
interface Intentions {
  readonly isLeaving: boolean;
  readonly pending: readonly PendingCluster[] | undefined;
  readonly isLimited: boolean;
  /** Longest grace of the pods that it starts in this term, milliseconds. */
  readonly graceMs: number;
}

/** Gathers the facts of this moment. */
export function factsOf(
  { candidate, cluster, presence, permit, remainsFollower, wishes }: Surroundings,
  { isLeaving, pending, isLimited, graceMs }: Intentions,
): Facts {
  return {
    eligible: !remainsFollower && !isLeaving && cluster.ready(),
    stamps: [cluster.highestStamp(), ...presence.peers.map((peer) => peer.highestStamp)],
    drainMs: cluster.drainMs(graceMs),
    permit: permit.known,
    canarySince: presence.placedAt,
    clusters: presence.peers.map((peer) => ({
      ...peer.cluster,
      isAlive: isStandby(peer, candidate.timing.ttlMs),
      isHeard: peer.ageMs < candidate.timing.ttlMs && peer.report?.byPerson !== true,
      priority: peer.priority ?? 0,
    })),
    confirmed: confirmedBy(presence.peers),
    silentMs: cluster.silentMs(),
    isPaused: wishes?.isPaused ?? false,
    isLimited,
    pending,
  };
}
