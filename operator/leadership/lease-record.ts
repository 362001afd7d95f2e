/** What stands in a tenant's lease cell: JSON, one line, readable by people and by later versions. */
import type { Scope } from '../api/scope.ts';

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

export interface PendingCluster {
  readonly cluster: ClusterRef;
  readonly drainMs: number;
}

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
  return holder !== null ? `held by ${holder}, term ${term}` : `released to ${successor ?? 'nobody'}, term ${term}`;
}

export function encodeRecord(record: LeaseRecord): string {
  return JSON.stringify(record);
}

/** Throws when the text is no lease record: then nobody can tell who holds the lease, and nobody may take it. */
export function decodeRecord(text: string): LeaseRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error('the lease cell does not hold JSON: somebody else uses this key', { cause: error });
  }
  if (!isRecord(value)) throw new Error('the lease cell does not hold a lease record: somebody else uses this key');
  return value;
}

const isText = (value: unknown): value is string => typeof value === 'string';

/** What each field must be. Fields that this version does not know are left to later ones. */
const fields: { readonly [K in keyof Required<LeaseRecord>]: (value: unknown) => boolean } = {
  holder: (value) => value === null || isText(value),
  cluster: (value) =>
    typeof value === 'object' &&
    value !== null &&
    isText((value as Partial<ClusterRef>).id) &&
    isText((value as Partial<ClusterRef>).name),
  term: Number.isSafeInteger,
  scope: (value) => value === 'single' || value === 'multi',
  ttlMs: isDuration,
  drainMs: isDuration,
  incarnation: isText,
  release: (value) => ['none', 'adopt', 'stopped', 'parked'].includes(String(value)),
  successor: (value) => value === undefined || isText(value),
  pending: Array.isArray,
};

function isRecord(value: unknown): value is LeaseRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Readonly<Record<string, unknown>>;
  return Object.entries(fields).every(([name, holds]) => holds(record[name]));
}

function isDuration(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
