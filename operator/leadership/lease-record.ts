/** What stands in a tenant's lease cell: JSON, one line, readable by people and by later versions. */
import type { Scope } from '../api/scope.ts';
import { MAX_NUMBER } from '../api/terms.ts';
import { messageOf } from '../lib/errors.ts';
import type { Shape } from '../lib/shape.ts';
import {
  decodeAs,
  encodeAs,
  isDuration,
  isListOf,
  isName,
  isOneOf,
  isOptional,
  isShaped,
  isWhole,
} from '../lib/shape.ts';

/** Which cluster. */
export interface ClusterRef {
  /** UID of namespace kube-system, or `cluster.id`. Decisions compare this. */
  readonly id: string;
  /** A label for people; `default` in every cluster unless configured. */
  readonly name: string;
}

/**
 * none: held. adopt: workloads go on, a standby of the same cluster takes them over. stopped: verified that nothing runs.
 * parked: all has been told to stop, and some of it has not in the time that it may take.
 */
export type Release = 'none' | 'adopt' | 'stopped' | 'parked';

/** Nothing is left there to be adopted: another cluster may take over at once. */
export function isGivenAway({ release }: Pick<LeaseRecord, 'release'>): boolean {
  return release === 'stopped' || release === 'parked';
}

/** A cluster in which something may still run; `drainMs`: how long its pods may take to stop, milliseconds. */
export interface PendingCluster {
  readonly cluster: ClusterRef;
  readonly drainMs: number;
}

/** What the lease says. */
export interface LeaseRecord {
  /** Identity of the holder; null once released. */
  readonly holder: string | null;
  /** Cluster of the holder, or of the last one. */
  readonly cluster: ClusterRef;
  /** Fencing token: grows by at least one each time the lease changes hands, never reused. */
  readonly term: number;
  readonly scope: Scope;
  readonly ttlMs: number;
  /** Longest time that this tenant's pods may take to stop. */
  readonly drainMs: number;
  /** Incarnation of the store under which the term began. */
  readonly incarnation: string;
  readonly release: Release;
  /** Identity that a planned hand-over names. */
  readonly successor?: string;
  /** Clusters not yet known to be parked. */
  readonly pending: readonly PendingCluster[];
}

/** Whose the lease is, for people. */
export function standingOf({ holder, successor, term }: LeaseRecord): string {
  return holder !== null
    ? `held by ${holder}, term ${term}`
    : `released${successor ? ` to ${successor}` : ''}, term ${term}`;
}

const REF: Shape<ClusterRef> = { id: isName, name: isName };
const PENDING: Shape<PendingCluster> = { cluster: isShaped(REF), drainMs: isDuration };

/** More clusters than a tenant will have. */
const MAX_PENDING = 1000;

const SHAPE: Shape<LeaseRecord> = {
  holder: (value) => value === null || isName(value),
  cluster: isShaped(REF),
  term: isWhole(MAX_NUMBER),
  scope: isOneOf('single', 'multi'),
  ttlMs: isDuration,
  drainMs: isDuration,
  incarnation: isName,
  release: isOneOf('none', 'adopt', 'stopped', 'parked'),
  successor: isOptional(isName),
  pending: isListOf(isShaped(PENDING), MAX_PENDING),
};

/** Whether a value is a reference to a cluster, as records hold it. */
export const isClusterRef = isShaped(REF);

/** Throws on a record that nobody could read: it must not be written. */
export function encodeRecord(record: LeaseRecord): string {
  return encodeAs(SHAPE, record);
}

/** Throws when the text is not a lease record: then nobody can tell who holds the lease, and nobody may take it. */
export function decodeRecord(text: string, key = 'of the lease'): LeaseRecord {
  try {
    return decodeAs(SHAPE, text);
  } catch (cause) {
    throw new Error(
      `key ${key}: expected a lease record, found other data (${messageOf(cause)}); is another application using this key? If not, see highlander storage repair`,
      { cause },
    );
  }
}
