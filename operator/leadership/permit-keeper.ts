/**
 * Remembers the cluster's permit, and writes it when it must say more. Several parts of a process read and write it at one
 * time: what is known never goes back to what an earlier call brought late.
 */
import type { Call } from '../lease/cell-store.ts';
import { HigherTermSeen } from '../lib/errors.ts';
import type { LeaseRecord } from './lease-record.ts';
import type { KnownPermit, Permit } from './permit.ts';
import type { PermitStore } from './ports.ts';

/** Whether a higher term is known to be one that no leader has written; absent: none is. */
type IsForged = (term: number) => boolean;

/** Controllers of one cluster may write at one time. */
const ATTEMPTS = 3;
const NOTHING: Permit = { scope: 'single', term: 0, clusterId: '', drainMs: 0, renewedAt: 0, ttlMs: 0 };

/** The permit as this process knows it. Calls reject as those of the `PermitStore` do. */
export class PermitKeeper {
  readonly #store: PermitStore;
  #known: KnownPermit = 'unknown';
  #version: string | undefined;
  /** Calls are numbered as they are sent. */
  #sent = 0;
  /** Number of the latest call whose answer is known. */
  #counted = 0;
  #tries = 0;

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

  /** Resolves when what is known is no older than this call. */
  async read(call: Call): Promise<void> {
    const number = ++this.#sent;
    const found = await this.#store.read(call);
    if (number > this.#counted) this.#know(found?.permit ?? this.#remembered, found?.version, number);
  }

  /** Whoever deletes it makes nobody forget what was known of it. */
  get #remembered(): Permit | 'none' {
    return typeof this.#known === 'object' ? this.#known : 'none';
  }

  /** Somebody has deleted it. */
  get isMissing(): boolean {
    return typeof this.#known === 'object' && this.#version === undefined;
  }

  /** Resolves once it is there again, when it is missing. */
  async restore(call: Call): Promise<void> {
    if (this.isMissing) await this.#change((permit) => permit, call);
  }

  /** Resolves once the cluster remembers the record's term and scope, and how long the tenant's pods may take to stop. */
  async ensure(record: LeaseRecord, call: Call): Promise<void> {
    await this.#change((permit) => remembering(permit, record), call);
  }

  /**
   * Lets the workloads run for another `ttl` from `renewedAt`, the API server's time before the renewal was sent that the
   * store has acknowledged. Throws `HigherTermSeen` when the cluster knows a later term, unless it is a forged one.
   */
  async renew(record: LeaseRecord, renewedAt: number, call: Call, isForged?: IsForged): Promise<void> {
    await this.#change((found) => {
      const permit = ofLeader(found, record, isForged);
      const newer = Math.max(permit.renewedAt, renewedAt);
      return { ...remembering(permit, record), scope: 'multi', renewedAt: newer, ttlMs: record.ttlMs };
    }, call);
  }

  /** Says that it limits nothing, which it has never done as far as the holder knows. Throws as `renew`. */
  async unlimit(record: LeaseRecord, call: Call, isForged?: IsForged): Promise<void> {
    await this.#change((found) => {
      const permit = ofLeader(found, record, isForged);
      return { ...remembering(permit, record), scope: 'single', renewedAt: 0 };
    }, call);
  }

  /** Ends it, so that nothing that is still on its way can start anything; not when it was made good meanwhile. */
  async end(hasEnded: (permit: Permit) => boolean, call: Call): Promise<void> {
    await this.#change((permit) => (hasEnded(permit) ? { ...permit, renewedAt: 0 } : permit), call);
  }

  /**
   * Resolves when the cluster has taken a write that changes nothing that anybody goes by: reads may be answered by a server
   * that refuses all writes. A cluster that has never heard of the tenant, nor does now, is not asked: a permit is its memory.
   */
  async prove(by: string, record: LeaseRecord | undefined, call: Call): Promise<void> {
    if (this.#known === 'unknown') await this.read(call);
    if (this.#known === 'none' && !record) return;
    this.#tries += 1;
    const triedBy = `${by} ${this.#tries}`;
    await this.#change((permit) => ({ ...(record ? remembering(permit, record) : permit), triedBy }), call);
  }

  async #change(change: (permit: Permit) => Permit, call: Call): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt > 0 || this.#known === 'unknown') await this.read(call);
      const before = typeof this.#known === 'object' ? this.#known : NOTHING;
      const after = change(before);
      if (!this.isMissing && isSame(before, after)) return;
      const expected = this.#version;
      const number = ++this.#sent;
      const version = await this.#store.write(after, expected, call);
      if (version === undefined) continue;
      // Unless a read that was sent meanwhile has seen this write already, or what somebody else wrote over it.
      if (this.#version === expected) this.#know(after, version, number);
      return;
    }
    throw new Error('the permit kept changing while it was written');
  }

  #know(permit: Permit | 'none', version: string | undefined, number: number): void {
    this.#known = permit;
    this.#version = version;
    this.#counted = Math.max(this.#counted, number);
  }
}

function ofLeader(permit: Permit, { term }: LeaseRecord, isForged: IsForged = () => false): Permit {
  if (permit.term <= term) return permit;
  if (!isForged(permit.term)) throw new HigherTermSeen(permit.term, 'the permit');
  return { ...permit, term: 0 };
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
  const fields = Object.keys({ ...a, ...b }) as (keyof Permit)[];
  return fields.every((field) => a[field] === b[field]);
}
