/** Who is to lead next, where somebody asks for a hand-over. Pure. */
import { isCalled } from './identity.ts';
import type { ClusterRef } from './lease-record.ts';
import type { Peer } from './presence.ts';
import { isStandby } from './presence.ts';

/** Nobody could lead next, or not who was asked for. */
export class NoHeir extends Error {
  override readonly name = 'NoHeir';
}

/** Whom a person wants to lead next; nothing: anybody else. */
export interface Wish {
  /** Identity, or the `id` of its configuration. */
  readonly to?: string | undefined;
  /** Name or identity. */
  readonly toCluster?: string | undefined;
}

/** Who leads, who else is there, and what is wanted. */
export interface Choice {
  readonly leader: { readonly identity: string; readonly cluster: ClusterRef };
  readonly peers: readonly Peer[];
  readonly wish: Wish;
  readonly ttlMs: number;
}

/** The one that is meant: of several a standby of the leader's own cluster, which restarts nothing. Throws when there is none. */
export function heirOf({ leader, peers, wish, ttlMs }: Choice): Peer {
  const others = peers.filter(({ identity }) => identity !== leader.identity);
  const meant = others.filter((peer) => isMeant(peer, wish));
  const ready = meant.filter((peer) => isStandby(peer, ttlMs)).toSorted(byIdentity);
  const heir = ready.find(({ cluster }) => cluster.id === leader.cluster.id) ?? ready[0];
  if (heir) return heir;
  const who = wish.to ?? (wish.toCluster === undefined ? 'a controller' : `a controller in cluster ${wish.toCluster}`);
  if (wish.to !== undefined && isCalled(leader.identity, wish.to)) throw new NoHeir(`${who} is already the leader`);
  const known = others
    .filter((peer) => isStandby(peer, ttlMs))
    .map(({ identity, cluster }) => `${identity} (${cluster.name})`);
  const hint =
    known.length === 0 ? 'no other controller is ready to lead' : `ready to lead: ${known.toSorted().join(', ')}`;
  throw new NoHeir(`${who} ${meant.length === 0 ? 'is unknown' : 'is not ready to lead'}; ${hint}`);
}

function isMeant({ identity, cluster }: Peer, { to, toCluster }: Wish): boolean {
  return (
    (to === undefined || isCalled(identity, to)) &&
    (toCluster === undefined || [cluster.id, cluster.name].includes(toCluster))
  );
}

function byIdentity(a: Peer, b: Peer): number {
  return a.identity < b.identity ? -1 : 1;
}
