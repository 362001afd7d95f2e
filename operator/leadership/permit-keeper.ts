/** Remembers the cluster's permit, and writes it when it must say more. */
import type { Call } from '../lease/cell-store.ts';
import { HigherTermSeen } from '../lib/errors.ts';
import type { LeaseRecord } from './lease-record.ts';
import type { KnownPermit, Permit } from './permit.ts';
import type { PermitStore } from './ports.ts';

/** Controllers of one cluster may write at one time. */
const ATTEMPTS = 3;
const NOTHING: Permit = { scope: 'single', term: 0, clusterId: '', drainMs: 0, renewedAt: 0, ttlMs: 0 };

export class PermitKeeper {
  readonly #store: PermitStore;
  #known: KnownPermit = 'unknown';
  #version: string | undefined;

  constructor(store: PermitStore) {
    this.#store = store;
  }

  get known(): KnownPermit {
    return this.#known;
  }

  /** Highest term of which this cluster is known to have heard; 0 when that is none. */
  get term(): number {
    return typeof this.#known === 'object' ? this.#known.term : 0;
  }

  async read(call: Call): Promise<void> {
    const found = await this.#store.read(call);
    this.#version = found?.version;
    this.#known = found?.permit ?? 'none';
  }

  /** Resolves once the cluster remembers the record's term and scope, and how long the tenant's pods may take to stop. */
  async ensure(record: LeaseRecord, call: Call): Promise<void> {
    await this.#change((permit) => remembering(permit, record), call);
  }

  /**
   * Lets the workloads run for another `ttl` from `renewedAt`, the API server's time before the renewal was sent that the
   * store has acknowledged. Throws `HigherTermSeen` when the cluster knows a later term.
   */
  async renew(record: LeaseRecord, renewedAt: number, call: Call): Promise<void> {
    await this.#change((permit) => {
      if (permit.term > record.term) throw new HigherTermSeen(permit.term, 'the permit');
      const newer = Math.max(permit.renewedAt, renewedAt);
      return { ...remembering(permit, record), scope: 'multi', renewedAt: newer, ttlMs: record.ttlMs };
    }, call);
  }

  /** Ends it, so that nothing that is still on its way can start anything; not when it was made good meanwhile. */
  async end(hasEnded: (permit: Permit) => boolean, call: Call): Promise<void> {
    await this.#change((permit) => (hasEnded(permit) ? { ...permit, renewedAt: 0 } : permit), call);
  }

  async #change(change: (permit: Permit) => Permit, call: Call): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (this.#known === 'unknown') await this.read(call);
      const before = typeof this.#known === 'object' ? this.#known : NOTHING;
      const after = change(before);
      if (isSame(before, after)) return;
      const version = await this.#store.write(after, this.#version, call);
      if (version !== undefined) {
        this.#known = after;
        this.#version = version;
        return;
      }
      this.#known = 'unknown';
    }
    throw new Error('the permit kept changing while it was written');
  }
}

function remembering(permit: Permit, record: LeaseRecord): Permit {
  return {
    ...permit,
    scope: permit.scope === 'multi' ? 'multi' : record.scope,
    term: Math.max(permit.term, record.term),
    clusterId: record.term >= permit.term ? record.cluster.id : permit.clusterId,
    drainMs: Math.max(permit.drainMs, record.drainMs),
    ttlMs: permit.ttlMs || record.ttlMs,
  };
}

function isSame(a: Permit, b: Permit): boolean {
  return (Object.keys(a) as (keyof Permit)[]).every((field) => a[field] === b[field]);
}
