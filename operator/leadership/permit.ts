/**
 * A cluster's permit: until when it may run the tenant's workloads. The same object is the cluster's memory that the
 * tenant has existed. Times are the API server's own, milliseconds since the epoch. Pure.
 */
import type { Scope } from '../api/scope.ts';

/** What a permit says. */
export interface Permit {
  /** `single`: it limits nothing. */
  readonly scope: Scope;
  /** Highest term of which this cluster has heard; terms never go back. */
  readonly term: number;
  /** Identity of the cluster that held that term. */
  readonly clusterId: string;
  /** Longest time that the tenant's pods may take to stop. */
  readonly drainMs: number;
  /** When the renewal was sent that it goes back to; 0: it has been ended. */
  readonly renewedAt: number;
  readonly ttlMs: number;
  /** Who tried last whether this cluster takes writes: nobody goes by it, but it makes each try a change. */
  readonly triedBy?: string;
}

/** What is known of the permit: `none` when this cluster has never seen a record of the tenant. */
export type KnownPermit = 'unknown' | 'none' | Permit;

/** So long may a standby of the same cluster take to adopt what runs, before it is parked. */
export const ADOPT_GRACE_MS = 3000;

/** What parking takes besides the graces of the pods: the wait for a standby, and slow calls to the API server. */
export const STOP_MARGIN_MS = ADOPT_GRACE_MS + 5000;

/** Kubernetes' controllers delete 20 pods a second, by the default of `--kube-api-qps`; ours are faster. Milliseconds. */
const PER_OBJECT_MS = 50;
/** So many are within the margin of a small tenant. */
const FEW = 100;
/** The margin grows in steps: a longer one is acknowledged by all before what needs it is started. */
const STEP = 200;

/** The same for a tenant of so many objects that make pods, and pods. */
export function stopMarginMs(objects: number): number {
  if (objects <= FEW) return STOP_MARGIN_MS;
  return ADOPT_GRACE_MS + Math.ceil((objects + FEW) / STEP) * STEP * PER_OBJECT_MS;
}

/**
 * Whether the permit says that nothing may run any more. `serverTime`: of the API server, milliseconds since the epoch.
 */
export function hasEnded(permit: KnownPermit, serverTime: number): boolean {
  return typeof permit === 'object' && permit.scope === 'multi' && serverTime > permit.renewedAt + permit.ttlMs;
}
