/**
 * Cells as Lease objects of one namespace: no store besides the API server. Kubernetes has no clock to ask, so an age is
 * the time since this process first saw the version: never more than the true one, which only ever delays a take-over.
 */
import { systemClock, type Clock } from '../lib/clock.ts';
import type { Call, CellStore, Incarnation, ListedCell, ReadReply, Version, WriteReply } from './cell-store.ts';
import { watchLease } from './kubernetes-hints.ts';
import { keyOf, leaseName, leaseOf, selectorFor, type LeaseMeta, type LeaseObject } from './kubernetes-lease.ts';
import { SeenLeases } from './kubernetes-seen.ts';
import { asStoreError, ifCode, leases, namespaces, type LeaseClient } from './lease-client.ts';
import { StoreError } from './store-error.ts';
import { within } from './within.ts';

export type { LeaseClient } from './lease-client.ts';

/** Where the cells are, and by whom they are reached. */
export interface KubernetesOptions {
  readonly client: LeaseClient;
  /** Where the Lease objects live. */
  readonly namespace: string;
  /** Milliseconds since the epoch by the API server (its `Date` header); the local wall clock until it is known. */
  readonly serverTime?: () => number | undefined;
}

/** The store that every cluster has. */
export class KubernetesStore implements CellStore {
  readonly kind = 'kubernetes';
  readonly #client: LeaseClient;
  readonly #namespace: string;
  readonly #clock: Clock;
  readonly #serverTime: () => number | undefined;
  readonly #seen: SeenLeases;
  readonly #closed = new AbortController();
  #incarnation: Incarnation | undefined;

  /** The client stays the caller's to close. */
  constructor(options: KubernetesOptions, clock: Clock = systemClock) {
    this.#client = options.client;
    this.#namespace = options.namespace;
    this.#serverTime = options.serverTime ?? (() => undefined);
    this.#clock = clock;
    this.#seen = new SeenLeases(clock);
  }

  read(key: string, call: Call): Promise<ReadReply> {
    return this.#run(call, async (options) => {
      const incarnation = await this.#knownIncarnation(options);
      const lease = await this.#get(key, options);
      return {
        incarnation,
        storeTimeMs: this.#serverTime() ?? this.#clock.wall(),
        cell: lease && this.#seen.observe(key, lease),
      };
    });
  }

  /** The age of a cell that this process wrote counts from the reply: later than the write, as for everybody else. */
  write(key: string, value: string, expected: Version | undefined, call: Call): Promise<WriteReply> {
    return this.#run(call, async (options) => {
      const incarnation = await this.#knownIncarnation(options);
      const before =
        expected === undefined
          ? { name: leaseName(key), namespace: this.#namespace }
          : await this.#metaOf(key, expected, options);
      if (!before) return { ok: false, incarnation };
      const body = leaseOf(key, value, new Date(this.#clock.wall()), before);
      const verb = expected === undefined ? 'create' : 'replace';
      const written = await this.#client[verb](leases, body, options).catch(ifCode([404, 409], undefined));
      if (!written || (before.uid && written.metadata.uid !== before.uid)) return { ok: false, incarnation };
      return { ok: true, incarnation, version: this.#seen.observe(key, written).version };
    });
  }

  remove(key: string, expected: Version, call: Call): Promise<boolean> {
    return this.#run(call, async (options) => {
      const [uid = '', resourceVersion = ''] = expected.split('/');
      if (!resourceVersion) return false;
      const at = { name: leaseName(key), namespace: this.#namespace };
      const removed = await this.#client
        .delete(leases, at, { ...options, preconditions: { uid, resourceVersion } })
        .catch(ifCode([404, 409], false));
      if (removed) this.#seen.forget(key);
      return removed;
    });
  }

  list(prefix: string, call: Call): Promise<readonly ListedCell[]> {
    return this.#run(call, async (options) => {
      const found = await this.#client.list(leases, {
        ...options,
        namespace: this.#namespace,
        labelSelector: selectorFor(prefix),
      });
      const cells = found.items.flatMap((lease) => {
        const key = keyOf(lease);
        return key?.startsWith(prefix) ? [{ key, ...this.#seen.observe(key, lease) }] : [];
      });
      this.#seen.keepOnly(prefix, new Set(cells.map((cell) => cell.key)));
      return cells;
    });
  }

  subscribe(key: string, hint: () => void): () => void {
    const ended = new AbortController();
    const signal = AbortSignal.any([ended.signal, this.#closed.signal]);
    const watched = { client: this.#client, namespace: this.#namespace, name: leaseName(key), signal };
    void watchLease(watched, this.#clock, hint).catch(() => {});
    return () => ended.abort();
  }

  async close(): Promise<void> {
    this.#closed.abort(new StoreError('unreachable', 'The store was closed'));
    this.#seen.clear();
  }

  #run<T>(call: Call, work: (options: Call & { readonly signal: AbortSignal }) => Promise<T>): Promise<T> {
    return within(call, this.#clock, 'The API server', async (signal) => {
      this.#closed.signal.throwIfAborted();
      try {
        return await work({ timeoutMs: call.timeoutMs, signal });
      } catch (error) {
        throw asStoreError(error);
      }
    });
  }

  /**
   * Names the cluster. An API server that is restored from a backup keeps it: what was lost then shows as a version that
   * does not match or as an absent cell, and in the canary of presence, not here. Asked once: it never changes.
   */
  async #knownIncarnation(options: Call): Promise<Incarnation> {
    const uid = async (name: string) => (await this.#client.get(namespaces, { name }, options))?.metadata.uid;
    this.#incarnation ??= (await uid('kube-system').catch(ifCode([403], undefined))) ?? (await uid(this.#namespace));
    if (!this.#incarnation) throw new StoreError('other', `Namespace ${this.#namespace} does not exist`);
    return this.#incarnation;
  }

  async #get(key: string, options: Call): Promise<LeaseObject | undefined> {
    const lease = await this.#client.get(leases, { name: leaseName(key), namespace: this.#namespace }, options);
    if (!lease) this.#seen.forget(key);
    else if (keyOf(lease) !== key)
      throw new StoreError(
        'other',
        `Lease ${lease.metadata.name} was created by another application: rename or delete it`,
      );
    return lease;
  }

  /** The object's metadata at that version, so that a write keeps what others added; undefined when it has moved on. */
  async #metaOf(key: string, version: Version, options: Call): Promise<LeaseMeta | undefined> {
    const known = this.#seen.metaAt(key, version);
    if (known) return known;
    const lease = await this.#get(key, options);
    if (lease) this.#seen.observe(key, lease);
    return this.#seen.metaAt(key, version);
  }
}
