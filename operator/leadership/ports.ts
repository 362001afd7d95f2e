/** What the elector needs from the rest of the program, in the smallest form. */
import type { Call } from '../lease/cell-store.ts';
import type { Permit } from './permit.ts';

/**
 * Where a cluster keeps its permit: an object beside the store of the lease, so that an empty store is not taken for a
 * new tenant.
 */
export interface PermitStore {
  /** `undefined`: this cluster has never seen a record of the tenant. Throws when that cannot be told. */
  read(call: Call): Promise<{ readonly permit: Permit; readonly version: string } | undefined>;
  /** The new version; `undefined` when it is no longer the `expected` one, or there is one although none was expected. */
  write(permit: Permit, expected: string | undefined, call: Call): Promise<string | undefined>;
}

/** The tenant's workloads in the own cluster, as far as stopping them goes. */
export interface Workloads {
  /** Asks everything to stop, whatever its stamp. Needs no term; repeating it is harmless. */
  park(call: Call): Promise<void>;
  /** A look that started after the call: the workloads whose pods are not known to be gone. */
  running(call: Call): Promise<readonly string[]>;
  /** Whether anything of the tenant's has changed since the last look began, as far as has been heard. */
  hasChanged(): boolean;
  /** Resolves when it is known, and said, whether the API server refuses what starts after the permit has ended. */
  probe?(call: Call): Promise<void>;
  /** Resolves when another look may be worth while before `ms` milliseconds have passed, else then; never rejects. */
  change(ms: number): Promise<void>;
}

/** What people have asked for. */
export interface Wishes {
  /** Nobody is to act; what runs goes on. */
  readonly isPaused: boolean;
}

/** What this process knows of its own cluster. */
export interface ClusterView {
  /** Caches are warm and the API server answers. */
  ready(): boolean;
  /** Highest term on any object of the tenant; 0 when there is none. */
  highestStamp(): number;
  /**
   * Longest time that the tenant's pods may take to stop, from the moment in which the permit ends, if there are or will
   * be some with this grace; milliseconds.
   */
  drainMs(graceMs: number): number;
  /** Milliseconds since the API server last answered. */
  silentMs(): number;
  /** The API server's time, milliseconds since the epoch, at a time of the monotonic clock; never later than the true one. */
  serverTime(monotonic?: number): number | undefined;
}

/** Hears what becomes of the lease. */
export interface LeadershipListener {
  /**
   * The lease is held and everything is in place to act. `gapMs`: milliseconds since the last sign of the controller that
   * led before; undefined: none is known.
   */
  elected(term: number, gapMs: number | undefined): void;
  /** Grants of `term` have ended; `heldMs` is how long it was held. */
  lost(term: number, because: string, heldMs: number): void;
  /** A renewal was acknowledged `ms` after it was sent. */
  renewed(ms: number): void;
  /** Another controller won, or the store refused. */
  refused(): void;
  /** All is to be looked at again: several clusters share the tenant from now on, or less is held back. */
  reconsider(): void;
}
