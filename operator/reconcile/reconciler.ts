/**
 * What the work loop and a kind's reconciler agree on. The grant is declared here, by its consumer, and satisfied
 * structurally by the guard, so that reconcilers never import leadership.
 */
import type { Scope } from '../api/scope.ts';

/** Permission to act for one reconcile, in one term. */
export interface Grant {
  /** The fencing token: stamped on everything that is written. */
  readonly term: number;
  /** Identity of the holder, for `status.controller`. */
  readonly holder: string;
  /** `multi`: several clusters share the tenant, and each run of a cron job is claimed. */
  readonly scope: Scope;
  /** Aborted when the lease is in doubt; requests under way end with it. */
  readonly signal: AbortSignal;
  /** Workloads that may still run in another cluster, by kind and name as in `WorkloadProcess default/app`: hands off. */
  readonly heldBack?: ReadonlyMap<string, unknown>;
  /** Throws `LeaseLost` when the deadline has passed. Call it in the same synchronous step as the dispatch of a write. */
  assertHeld(): void;
  /** Whether a higher term on a child is known to be one that no leader has written; absent: none is. */
  readonly isForged?: (stamp: number) => boolean;
  /**
   * Resolves when everybody who may have to wait for this cluster knows that its pods may take so long to stop, in
   * milliseconds. Wait for it before a write that starts such a pod. Where a longer time is to be announced for it,
   * `tryOut` comes first, and nothing is announced when that throws.
   */
  allowGrace(graceMs: number, tryOut?: () => Promise<void>): Promise<void>;
}

/** Which custom resource. */
export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

/** What is left to do when a reconcile has ended well. */
export interface Result {
  /** Milliseconds after which the key is looked at again, 0: when nothing more urgent waits; absent: only on events. */
  readonly requeueAfterMs?: number;
}

/** Brings one custom resource up to date. Throws what the work loop decides by; see `lib/errors.ts`. */
export interface Reconciler {
  /** Kind of the custom resource, e.g. `WorkloadProcess`. */
  readonly kind: string;
  /** Level-triggered: looks at the world, never at the event. Idempotent. */
  reconcile(key: ObjectKey, grant: Grant): Promise<Result>;
}
