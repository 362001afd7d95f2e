/**
 * The election as a pure state machine: what was seen goes in (`observe.ts`), the next step comes out (`decide.ts`). It
 * knows no store, no clock and no promise; the elector drives it in production, the simulator on a virtual timeline. All
 * times are milliseconds on this process's monotonic clock. Rules and their reasons: docs/protocol.
 */
import type { Incarnation, Version } from '../lease/cell-store.ts';
import type { Takeover } from './activation.ts';
import type { ClusterRef, LeaseRecord, PendingCluster } from './lease-record.ts';
import type { KnownPermit } from './permit.ts';
import type { Timing } from './timing.ts';

/** Who votes. */
export interface Candidate {
  readonly identity: string;
  readonly cluster: ClusterRef;
  readonly timing: Timing;
  /** How workloads of other clusters are taken over; absent: this controller knows one cluster only. */
  readonly takeover?: Takeover;
  /** Without an answer of its API server for so long, a holder lets another cluster take over; never unless told. */
  readonly apiDeadlineMs?: number;
  /** Of the own cluster: where several could take over, the highest does. 0 unless told. */
  readonly priority?: number;
}

/** Another cluster that shares the tenant, as its presence records show it. */
export interface SeenCluster extends ClusterRef {
  /** One of its controllers could lead. */
  readonly isAlive: boolean;
  /** One of them lives, and reports. */
  readonly isHeard: boolean;
  readonly priority: number;
}

/** What the machine cannot see in the store; read afresh for each decision. */
export interface Facts {
  /** This controller may lead: caches warm, not leaving, not told to remain a follower. */
  readonly eligible: boolean;
  /** Terms on objects of the own cluster and in presence records: the highest of each place. */
  readonly stamps: readonly number[];
  /** Longest time that the tenant's pods may take to stop. */
  readonly drainMs: number;
  /** What the own cluster remembers of the tenant. */
  readonly permit: KnownPermit;
  /** Since when a loss would show in the own presence record; undefined while it is not there. */
  readonly canarySince: number | undefined;
  /** Clusters in which controllers of the tenant were seen; the own one need not be among them. */
  readonly clusters: readonly SeenCluster[];
  /** Clusters of which a person said that nothing runs there: those that held the lease last, at that version of it. */
  readonly confirmed: readonly { readonly id: string; readonly leaseVersion: Version }[];
  /** People want nobody to act: what runs in another cluster stays there. */
  readonly isPaused: boolean;
  /** Milliseconds since the own API server last answered. */
  readonly silentMs: number;
  /** The permit of a holder stands, and other clusters have been seen. */
  readonly isLimited: boolean;
  /** Clusters that a holder must still wait for; undefined when the record knows as much. */
  readonly pending: readonly PendingCluster[] | undefined;
}

/** The lease cell as last read. */
export interface Sighting {
  readonly record: LeaseRecord;
  readonly version: Version;
  readonly incarnation: Incarnation;
  /** Age by the store's clock when the reply arrived. */
  readonly ageMs: number;
  readonly arrivedAt: number;
  /** When this version was first seen by this process. */
  readonly since: number;
}

/** A lease that this process holds. */
export interface Held {
  readonly record: LeaseRecord;
  readonly version: Version;
  readonly incarnation: Incarnation;
  /** Taken before the last acknowledged write was sent. */
  readonly sentAt: number;
  /** From here on nothing may be written. */
  readonly validUntil: number;
  /** Version of the cell that the acquisition was written over; absent: none, or it is not known. */
  readonly takenOver?: Version | undefined;
}

/** An acquisition or renewal whose reply is missing. */
export interface Try {
  readonly term: number;
  readonly incarnation: Incarnation;
  /** Taken before it was sent; what it gives counts from here. */
  readonly sentAt: number;
  /** The same moment by the wall clock. */
  readonly sentAtWall: number;
  /** The version that it was to be written over; undefined: none, or several tries differ. */
  readonly over: Version | undefined;
}

/** All that the state machine remembers. */
export interface Election {
  readonly held: Held | undefined;
  /** Why the last lease ended, for people. */
  readonly lostBecause: string | undefined;
  /** `null`: the cell was absent at the last read. */
  readonly sighting: Sighting | null | undefined;
  /** Incarnation and store time of the last read. */
  readonly lastReply:
    | { readonly incarnation: Incarnation; readonly storeTimeMs: number; readonly arrivedAt: number }
    | undefined;
  /** Absence, or a record of another incarnation: the wait counts from its first sight. Ended by a later term. */
  readonly finding: { readonly what: string; readonly since: number } | undefined;
  /** Writes were lost although the record may look well: when that was noticed last. */
  readonly lossNoticedAt: number | undefined;
  /** Highest term ever seen in the cell. */
  readonly highestTerm: number;
  readonly nextReadAt: number;
  readonly nextRenewAt: number;
  /** The last call failed, and nothing is tried before that time. */
  readonly failing: boolean;
  readonly notBefore: number;
  /** After a conflict the holder must find out whose write it was. */
  readonly mustResolveConflict: boolean;
  /** An acquisition whose reply did not arrive: of several tries for one term the first. It may have been carried out. */
  readonly tried: Try | undefined;
  readonly canaryCheckedAt: number | undefined;
  readonly permitReadAt: number | undefined;
  /** When a write was sent that the own cluster took. */
  readonly provedAt: number | undefined;
  /** The own cluster refused a write, and has taken none since: this controller does not stand, and tries again then. */
  readonly unfit: { readonly because: string; readonly until: number } | undefined;
  /** How often that was so, or a term was given up for it, since this controller last could act. */
  readonly refusals: number;
}

/** What to do next. */
export type Step =
  | { readonly do: 'wait'; readonly until: number; readonly because: string }
  | { readonly do: 'read' }
  | { readonly do: 'read permit' }
  /** Whoever leads must be able to write in its own cluster: answered reads do not show that. */
  | { readonly do: 'prove' }
  /** Absence alone proves nothing: first see whether the own presence record has gone as well. */
  | { readonly do: 'check canary' }
  | { readonly do: 'acquire' | 'renew'; readonly record: LeaseRecord; readonly expected: Version | undefined };

/** The state at the start of a process. `now`: milliseconds, monotonic. */
export function newElection(now: number): Election {
  return {
    held: undefined,
    lostBecause: undefined,
    sighting: undefined,
    lastReply: undefined,
    finding: undefined,
    lossNoticedAt: undefined,
    highestTerm: 0,
    nextReadAt: now,
    nextRenewAt: now,
    failing: false,
    notBefore: now,
    mustResolveConflict: false,
    tried: undefined,
    canaryCheckedAt: undefined,
    permitReadAt: undefined,
    provedAt: undefined,
    unfit: undefined,
    refusals: 0,
  };
}
