/**
 * The store is a versioned cell with a clock. A driver moves bytes and compares versions; it knows nothing of leases.
 * What a driver promises is what `lease/testing/conformance.ts` asks of it; nothing else may be assumed.
 */

/** Opaque; equal exactly when nobody wrote in between. */
export type Version = string;

/** Limits of one call. */
export interface Call {
  readonly signal?: AbortSignal;
  /** Milliseconds until the call fails; a hung store never hangs a caller. */
  readonly timeoutMs: number;
}

/** A cell as it was read. */
export interface Cell {
  readonly value: string;
  readonly version: Version;
  /** Milliseconds since the last write by the store's own clock; never by the client's wall clock. */
  readonly ageMs: number;
}

/**
 * Changes when the store may have lost acknowledged writes (restart, restore, promotion of a replica). Every reply
 * carries it from the same atomic step, so that a write and the read it started from can be compared.
 */
export type Incarnation = string;

/** What a read says of the store and of the cell. */
export interface ReadReply {
  readonly incarnation: Incarnation;
  /** The store's own time, milliseconds since the epoch. Lifts the first term after a loss; never decides expiry. */
  readonly storeTimeMs: number;
  /** Absent: the store has no such cell. */
  readonly cell: Cell | undefined;
}

/** Whether the cell had the expected version and was written. Each reply names the store's incarnation. */
export type WriteReply =
  | { readonly ok: true; readonly version: Version; readonly incarnation: Incarnation }
  | { readonly ok: false; readonly incarnation: Incarnation };

/** A cell of a listing. */
export interface ListedCell extends Cell {
  readonly key: string;
}

/**
 * A store as the rest of the program sees it. Calls reject with `StoreError`, or with the reason of the call's signal.
 */
export interface CellStore {
  /** For people and metrics: `redis`, `kubernetes`, … */
  readonly kind: string;
  /** Linearizable. */
  read(key: string, call: Call): Promise<ReadReply>;
  /** One atomic step: writes when the cell's version is `expected` (`undefined`: when there is no cell). */
  write(key: string, value: string, expected: Version | undefined, call: Call): Promise<WriteReply>;
  /** Removes the cell when its version is `expected`; for presence records only. */
  remove(key: string, expected: Version, call: Call): Promise<boolean>;
  /** All cells whose key starts with `prefix`, in no order. */
  list(prefix: string, call: Call): Promise<readonly ListedCell[]>;
  /**
   * Calls `hint` soon after somebody wrote the cell, as a rule: hints may be lost, doubled or late. Returns the end of
   * the subscription.
   */
  subscribe(key: string, hint: () => void): () => void;
  /** Makes what the store needs (tables, for instance) ahead of the first call, as an account that may. Absent: nothing. */
  prepare?(call: Call): Promise<void>;
  close(): Promise<void>;
}

const ATTEMPTS = 5;

/**
 * Rewrites a cell by compare-and-set, from what it holds (`undefined`: there is none) to what `change` makes of it; again
 * when somebody else was faster. Resolves to what it holds then. Throws what the store and `change` throw, and when others
 * keep writing it.
 */
export async function changeCell(
  store: Pick<CellStore, 'read' | 'write'>,
  key: string,
  change: (value: string | undefined) => string,
  call: Call,
): Promise<string> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { cell } = await store.read(key, call);
    const next = change(cell?.value);
    if (next === cell?.value) return next;
    const { ok } = await store.write(key, next, cell?.version, call);
    if (ok) return next;
  }
  throw new Error(`gave up after ${ATTEMPTS} write conflicts on ${key}`);
}

/** Keys of a tenant's cells. The lease's name is the one that the seed's troubleshooting page tells people to look for. */
export const cellKeys = {
  lease: (tenant: string) => `highlander-leader-lock:${tenant}`,
  /** Of all tenants. */
  presences: 'highlander-presence:',
  presencePrefix: (tenant: string) => `highlander-presence:${tenant}:`,
  presence: (tenant: string, identity: string) => `highlander-presence:${tenant}:${identity}`,
  /** What people ask of the tenant's controllers. */
  orders: (tenant: string) => `highlander-orders:${tenant}`,
  /** What a process has behind it. */
  past: (tenant: string, namespace: string, name: string) => `highlander-past:${tenant}:${namespace}/${name}`,
  history: (tenant: string) => `highlander-history:${tenant}`,
  ledger: (tenant: string, namespace: string, name: string) => `highlander-ledger:${tenant}:${namespace}/${name}`,
} as const;
