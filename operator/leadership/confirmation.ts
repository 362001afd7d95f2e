/**
 * A person's word that nothing of the tenant runs in a cluster: of which clusters it is taken, what it is bound to, and how
 * long it counts. Pure.
 */
import type { ParkingReport } from './activation.ts';
import type { ClusterRef, LeaseRecord } from './lease-record.ts';
import type { Peer } from './presence.ts';

/** The lease cell as whoever speaks sees it. */
export interface SeenLease {
  readonly record: LeaseRecord;
  readonly version: string;
  /** Milliseconds since its last write, by the store's clock. */
  readonly ageMs: number;
}

/** A confirmation that counts, as the report that it stands for. */
export interface Confirmation {
  readonly cluster: ClusterRef;
  readonly report: ParkingReport;
}

/** Somebody in that cluster has shown a sign of life within the last ttl. */
export class StillAlive extends Error {
  override readonly name = 'StillAlive';
  /** Whoever showed itself, with what changes when it does so again. */
  readonly signs: ReadonlyMap<string, string>;
  readonly ttlMs: number;

  constructor(message: string, signs: ReadonlyMap<string, string>, ttlMs: number) {
    super(message);
    this.signs = signs;
    this.ttlMs = ttlMs;
  }

  /** Whether somebody has shown itself once more since. */
  hasMovedSince(before: StillAlive): boolean {
    return [...this.signs].some(([who, sign]) => before.signs.has(who) && before.signs.get(who) !== sign);
  }
}

/** Milliseconds after which a word counts no more: who takes over by it is there, or about to be. */
export const CONFIRMATION_MS = 600_000;

/** The word about the cluster with this identity or name. Throws where it cannot be taken. */
export function confirmationOf(
  cluster: string,
  { lease, peers }: { readonly lease: SeenLease | undefined; readonly peers: readonly Peer[] },
): Confirmation {
  const waitedFor = lease ? clustersWaitedFor(lease.record) : [];
  const meant = lease && meantBy(cluster, waitedFor, lease);
  if (!meant) {
    const known = waitedFor.map(inFull).join(', ');
    throw new Error(`cluster ${cluster} does not need a confirmation; those that do: ${known || 'none'}`);
  }
  refuseLiving(meant, lease, peers);
  const { term, cluster: last } = lease.record;
  const isLast = meant.id === last.id;
  const report = { term, notGone: [], byPerson: true, ...(isLast && { leaseVersion: lease.version }) };
  return { cluster: meant, report };
}

/** Clusters that held the lease last and of which a person has said so, with the version of the lease that was seen. */
export function confirmedBy(peers: readonly Peer[]): readonly { id: string; leaseVersion: string }[] {
  return peers.flatMap(({ cluster: { id }, report, ageMs }) =>
    report?.byPerson === true && report.leaseVersion !== undefined && ageMs < CONFIRMATION_MS
      ? [{ id, leaseVersion: report.leaseVersion }]
      : [],
  );
}

function clustersWaitedFor({ cluster, release, pending }: LeaseRecord): readonly ClusterRef[] {
  return [...(release === 'stopped' ? [] : [cluster]), ...pending.map((entry) => entry.cluster)];
}

function meantBy(cluster: string, clusters: readonly ClusterRef[], lease: SeenLease): ClusterRef | undefined {
  const exact = clusters.find(({ id }) => id === cluster);
  if (exact) return exact;
  const named = clusters.filter(({ name }) => name === cluster);
  // Nobody waits for whoever leads.
  const silent = named.filter((each) => !leads(each, lease));
  if (silent.length > 1) {
    const ids = silent.map(({ id }) => id).join(', ');
    throw new Error(`${silent.length} clusters are named ${cluster}: use one of the ids ${ids}`);
  }
  return silent[0] ?? named[0];
}

function leads({ id }: ClusterRef, { record, ageMs }: SeenLease): boolean {
  return record.holder !== null && record.cluster.id === id && ageMs <= record.ttlMs;
}

function refuseLiving(cluster: ClusterRef, lease: SeenLease, peers: readonly Peer[]): void {
  const { record, version, ageMs } = lease;
  const { holder, term, ttlMs } = record;
  const isLeader = leads(cluster, lease);
  const here = peers.filter((peer) => peer.cluster.id === cluster.id && peer.report?.byPerson !== true);
  const living = here.filter((peer) => peer.ageMs <= ttlMs);
  if (!isLeader && living.length === 0) return;
  const signs = new Map(living.map(({ identity, beat }) => [identity, String(beat)]));
  if (isLeader) signs.set('the lease', version);
  const why = isLeader
    ? `it is the leader: ${holder ?? ''} renewed the lease ${ago(ageMs)}, term ${term}`
    : `its controllers are alive, and report when nothing runs any more: ${living.map((peer) => `${peer.identity} (${ago(peer.ageMs)})`).join(', ')}`;
  throw new StillAlive(
    `cluster ${inFull(cluster)} cannot be confirmed as stopped: ${why}; stop its controllers and try again ${ttlMs / 1000} s later`,
    signs,
    ttlMs,
  );
}

function inFull({ id, name }: ClusterRef): string {
  return `${name} (${id})`;
}

function ago(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s ago`;
}
