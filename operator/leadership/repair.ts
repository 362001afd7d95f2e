/**
 * A lease that no controller can go on from: what is wrong with it, and the record from which all of them can. Whoever
 * repairs knows less than the record said, so what is written makes the next controllers wait as after a loss. Pure.
 */
import { isPlausible, MAX_LIFT } from '../api/terms.ts';
import type { ReadReply } from '../lease/cell-store.ts';
import { messageOf } from '../lib/errors.ts';
import type { ClusterRef, LeaseRecord } from './lease-record.ts';
import { decodeRecord, encodeRecord, isClusterRef } from './lease-record.ts';
import type { Peer } from './presence.ts';

/** `broken`: `because` says why no controller can go on from it. */
export type Finding =
  | { readonly is: 'absent' }
  | { readonly is: 'sound'; readonly record: LeaseRecord }
  | { readonly is: 'broken'; readonly because: string; readonly record?: LeaseRecord };

/** What a person says of it. */
export interface Advice {
  readonly term?: number | undefined;
  /** Name or identity of the cluster in which it was held last. */
  readonly cluster?: string | undefined;
  /** Longest time that pods of other clusters may take to stop, milliseconds. */
  readonly drainMs?: number | undefined;
}

/** What is known besides the lease. */
export interface Surroundings {
  readonly peers: readonly Pick<Peer, 'cluster' | 'highestStamp' | 'report'>[];
  /** The store's own time, milliseconds since the epoch. */
  readonly storeTimeMs: number;
  readonly ttlMs: number;
  /** The longest that any pod may take to stop, where nobody knows better. Milliseconds. */
  readonly maxDrainMs: number;
}

/** It cannot be repaired as asked for. */
export class RepairRefused extends Error {
  override readonly name = 'RepairRefused';
}

/** In no store's incarnation did this term begin: the next controllers wait `ttl + drain` before they act. */
const REPAIRED = 'repaired';

/** Whether there is a lease, and whether controllers can go on from it. */
export function examine({ cell, storeTimeMs }: ReadReply): Finding {
  if (!cell) return { is: 'absent' };
  try {
    const record = decodeRecord(cell.value);
    if (isPlausible(record.term, secondsOf(storeTimeMs))) return { is: 'sound', record };
    const because = `term ${record.term} is more than ${MAX_LIFT} above the store's time in seconds, where terms begin`;
    return { is: 'broken', because, record };
  } catch (error) {
    return { is: 'broken', because: messageOf(error) };
  }
}

/** The record to go on from in place of `text`. Throws `RepairRefused` that names the flag that is missing or wrong. */
export function repaired(text: string, advice: Advice, around: Surroundings): LeaseRecord {
  const old = remainsOf(text);
  const clusters = new Map(around.peers.map(({ cluster }) => [cluster.id, cluster]));
  if (old.cluster) clusters.set(old.cluster.id, old.cluster);
  const cluster = lastCluster(advice.cluster, old.cluster, [...clusters.values()]);
  const others = [...clusters.values()].filter(({ id }) => id !== cluster.id);
  const isShared = old.scope === 'multi' || others.length > 0;
  // Whoever goes on in this cluster knows its own pods; nobody there knows those of others.
  const drainMs = advice.drainMs ?? old.drainMs ?? (isShared ? around.maxDrainMs : 0);
  const record: LeaseRecord = {
    holder: null,
    cluster,
    term: termOf(advice.term, old.term, around),
    scope: isShared ? 'multi' : 'single',
    ttlMs: around.ttlMs,
    drainMs,
    incarnation: REPAIRED,
    release: 'none',
    pending: others.map((other) => ({ cluster: other, drainMs })),
  };
  encodeRecord(record);
  return record;
}

function termOf(asked: number | undefined, old: number | undefined, { peers, storeTimeMs }: Surroundings): number {
  const seconds = secondsOf(storeTimeMs);
  const seen = [old ?? 0, ...peers.flatMap(({ highestStamp, report }) => [highestStamp, report?.term ?? 0])];
  const least = Math.max(seconds, ...seen.filter((term) => isPlausible(term, seconds)));
  if (asked === undefined) return least;
  if (asked >= least && isPlausible(asked, seconds)) return asked;
  throw new RepairRefused(
    `--term ${asked}: must be a whole number from ${least}, the highest term that is known, to ${seconds + MAX_LIFT}`,
  );
}

function lastCluster(asked: string | undefined, old: ClusterRef | undefined, known: readonly ClusterRef[]): ClusterRef {
  const list = known.map(({ id, name }) => `${name} (${id})`).join(', ') || 'none is known: start a controller first';
  if (asked === undefined) {
    const only = old ?? (known.length === 1 ? known[0] : undefined);
    if (only) return only;
    throw new RepairRefused(`missing --cluster: name the cluster in which the tenant ran last: ${list}`);
  }
  const [found, second] = known.filter(({ id, name }) => id === asked || name === asked);
  if (found && !second) return found;
  throw new RepairRefused(
    `--cluster ${asked}: ${found ? 'several clusters have this name, use an id' : 'unknown cluster'}: ${list}`,
  );
}

type Remains = Partial<Pick<LeaseRecord, 'cluster' | 'scope' | 'term' | 'drainMs'>>;

/** Field by field, what is sound in a text that as a whole is not, or is not to be gone on from. */
function remainsOf(text: string): Remains {
  const fields = objectIn(text);
  const { cluster, scope, term, drainMs } = fields;
  const isTime = typeof drainMs === 'number' && drainMs >= 0 && drainMs <= 86_400_000;
  return {
    ...(isClusterRef(cluster) && { cluster: cluster as ClusterRef }),
    ...((scope === 'single' || scope === 'multi') && { scope }),
    ...(Number.isSafeInteger(term) && { term: term as number }),
    ...(isTime && { drainMs }),
  };
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

function secondsOf(storeTimeMs: number): number {
  return Math.floor(storeTimeMs / 1000);
}
