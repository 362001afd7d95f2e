/**
 * A tenant as people reach it: through its store alone, from wherever that can be reached. What they ask for is written
 * where the controllers look; what becomes of it is read from where they write.
 */
import type { Call, CellStore } from '../lease/cell-store.ts';
import { cellKeys } from '../lease/cell-store.ts';
import type { Clock } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import type { Confirmation, SeenLease } from './confirmation.ts';
import { confirmationOf } from './confirmation.ts';
import { heirOf } from './heir.ts';
import type { Wish } from './heir.ts';
import type { ClusterRef, LeaseRecord } from './lease-record.ts';
import { decodeRecord } from './lease-record.ts';
import type { Orders } from './orders.ts';
import { OrderBook } from './orders.ts';
import type { Peer } from './presence.ts';
import { peersIn } from './presence.ts';
import type { PresenceRecord } from './presence-record.ts';
import { encodePresence } from './presence-record.ts';
import { RecordAges } from './record-ages.ts';

/** It is not as the request took it to be. */
export class Outdated extends Error {
  override readonly name = 'Outdated';
}

/** What whoever asks believes of the leader; it is refused when that is not so. */
export interface Expectation {
  /** Identity. */
  readonly leader?: string | undefined;
  readonly term?: number | undefined;
}

/** Who leads, by the lease. */
export interface Leader {
  readonly identity: string;
  readonly record: LeaseRecord;
}

/** The lease may change hands while somebody confirms. */
const ATTEMPTS = 3;

/** Takes what people ask of a tenant. Calls reject as those of the `CellStore` do. */
export class TenantDesk {
  readonly #store: CellStore;
  readonly #tenant: string;
  readonly #call: Call;
  readonly #book: OrderBook;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #peerAges = new RecordAges();
  readonly #leaseAges = new RecordAges();

  constructor(store: CellStore, tenant: string, call: Call, clock: Pick<Clock, 'monotonic'> = systemClock) {
    this.#clock = clock;
    this.#store = store;
    this.#tenant = tenant;
    this.#call = call;
    this.#book = new OrderBook(store, tenant);
  }

  async record(): Promise<LeaseRecord | undefined> {
    return (await this.#lease())?.record;
  }

  async peers(): Promise<readonly Peer[]> {
    const askedAt = this.#clock.monotonic();
    const cells = await this.#store.list(cellKeys.presencePrefix(this.#tenant), this.#call);
    return peersIn(this.#peerAges.aged(cells, { askedAt, now: this.#clock.monotonic() }), this.#tenant);
  }

  /**
   * Asks the leader to hand over; resolves to who leads and who is to, when it is written down. Throws `Outdated` when
   * somebody else leads than is expected, or nobody; `NoHeir` when there is nobody to lead next.
   */
  async handOver(
    wish: Wish,
    by: string,
    expected: Expectation = {},
  ): Promise<{ readonly leader: Leader; readonly heir: Peer }> {
    const record = await this.record();
    const identity = record?.holder ?? undefined;
    if (!record || identity === undefined) throw new Outdated('there is no leader');
    const isOther = expected.leader !== undefined && expected.leader !== identity;
    if (isOther || (expected.term !== undefined && expected.term !== record.term))
      throw new Outdated(`${identity} is the leader in term ${record.term}`);
    const leader = { identity, cluster: record.cluster };
    const heir = heirOf({ leader, peers: await this.peers(), wish, ttlMs: record.ttlMs });
    const handOver = { term: record.term, to: heir.identity, by };
    await this.#change((orders) => ({ ...orders, handOver }));
    return { leader: { identity, record }, heir };
  }

  /** `by`: who asks, for people; `since`: RFC 3339. */
  pause(by: string, since: string): Promise<Orders> {
    return this.#change((orders) => ({ ...orders, paused: orders.paused ?? { by, since } }));
  }

  resume(): Promise<Orders> {
    return this.#change(({ paused: _, ...orders }) => orders);
  }

  /**
   * Says for a person that nothing of the tenant runs in a cluster, by its identity or its name: whoever waits for it goes
   * on. It counts for what is seen of the lease now, and for nothing later. Throws `StillAlive` while that cluster leads or
   * is heard from, and when no such cluster is waited for, or several of that name are.
   */
  async confirmStopped(cluster: string): Promise<ClusterRef> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const said = confirmationOf(cluster, { lease: await this.#lease(), peers: await this.peers() });
      await this.#confirm(said);
      if (await this.#stands(said)) return said.cluster;
    }
    throw new Error(
      'the leader kept changing: check who leads (highlander storage show), and confirm again if it is still needed',
    );
  }

  async #confirm({ cluster, report }: Confirmation): Promise<void> {
    const identity = `confirmed-${cluster.id}`;
    const key = cellKeys.presence(this.#tenant, identity);
    const { cell } = await this.#store.read(key, this.#call);
    const said: PresenceRecord = { identity, cluster, highestStamp: 0, beat: 1, mayLead: false, leaving: true, report };
    const { ok } = await this.#store.write(key, encodePresence(said), cell?.version, this.#call);
    if (!ok) throw new Error('another confirmation was written at the same time: repeat the command');
  }

  /** Whether the lease is still what it was when the person looked. */
  async #stands({ report }: Confirmation): Promise<boolean> {
    const lease = await this.#lease();
    if (report.leaseVersion !== undefined) return lease?.version === report.leaseVersion;
    return lease?.record.term === report.term;
  }

  async #lease(): Promise<SeenLease | undefined> {
    const key = cellKeys.lease(this.#tenant);
    const askedAt = this.#clock.monotonic();
    const { cell } = await this.#store.read(key, this.#call);
    const now = this.#clock.monotonic();
    const [seen] = this.#leaseAges.aged(cell ? [{ ...cell, key }] : [], { askedAt, now });
    return seen && { record: decodeRecord(seen.value, key), version: seen.version, ageMs: seen.ageMs };
  }

  #change(change: (orders: Orders) => Orders): Promise<Orders> {
    return this.#book.change(change, this.#call);
  }
}
