/** What the elector needs from the rest of the program, in the smallest form. */
import type { Call } from '../lease/cell-store.ts';
import type { LeaseRecord } from './lease-record.ts';

/**
 * The cluster's memory that the tenant has existed: an object beside the store, so that an empty store is not taken for
 * a new tenant.
 */
export interface MarkerStore {
  /** `undefined`: this cluster has never seen a record of the tenant. Throws when that cannot be told. */
  read(call: Call): Promise<{ readonly drainMs: number; readonly term: number } | undefined>;
  write(record: LeaseRecord, call: Call): Promise<void>;
}

/** What this process knows of its own cluster. */
export interface ClusterView {
  /** Caches are warm and the API server answers. */
  ready(): boolean;
  /** Highest term on any object of the tenant; 0 when there is none. */
  highestStamp(): number;
  /** Longest termination grace among the tenant's pods, milliseconds. */
  drainMs(): number;
}

export interface LeadershipListener {
  /** The lease is held and everything is in place to act. */
  elected(term: number): void;
  /** Grants of `term` have ended; `heldMs` is how long it was held. */
  lost(term: number, because: string, heldMs: number): void;
  /** A renewal was acknowledged `ms` after it was sent. */
  renewed(ms: number): void;
  /** Another controller won, or the store refused. */
  refused(): void;
  /** Called with `elected` when another controller led before; `seconds` since its last write to the lease. */
  tookOver(seconds: number): void;
}
