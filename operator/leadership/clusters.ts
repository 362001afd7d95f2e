/** Whether the clusters of a tenant are what their names say. Pure. */
import type { ClusterRef } from './lease-record.ts';

/** The name of a cluster to which nobody gave one. */
const UNNAMED = 'default';

interface Seen {
  readonly identity: string;
  readonly cluster: ClusterRef;
  readonly ageMs: number;
}

/** Throws when a living controller knows another cluster by this name, or this cluster by another one. */
export function assertDistinct(own: ClusterRef, peers: readonly Seen[], ttlMs: number): void {
  if (own.name === UNNAMED) return;
  for (const { identity, cluster, ageMs } of peers) {
    if (ageMs > ttlMs || cluster.name === UNNAMED) continue;
    if ((cluster.id === own.id) === (cluster.name === own.name)) continue;
    const which =
      cluster.id === own.id
        ? `this cluster (${own.id}) is "${own.name}" here and "${cluster.name}" there`
        : `"${own.name}" is ${own.id} here and ${cluster.id} there`;
    throw new Error(
      `cluster.name: "${own.name}" conflicts with controller ${identity}: ${which}; give each cluster of the tenant one name of its own, or check cluster.kubeconfig`,
    );
  }
}
