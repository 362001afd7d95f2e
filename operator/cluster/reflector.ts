/**
 * Keeps the objects of one type in memory: a list, then a watch from where the list ended, for ever. Whatever ends a
 * watch, the next one goes on from the last version seen; when the server no longer knows that, a new list is compared
 * with the store, so that no deletion is lost. Every failure backs off; none ends the loop, and only `stop` does.
 */
import { Backoff, type BackoffOptions, type Random } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { ApiError, type ClusterClient, type KubeObject, type ResourceType } from './cluster-client.ts';
import { compareVersions, type IndexFunction, ObjectStore, type StoreEvent, type StoreKey } from './object-store.ts';

/** What a reconciler may do with the objects of one type. They are shared: never change one. */
export interface Cache<T> {
  get(key: StoreKey): T | undefined;
  list(): readonly T[];
  /** The objects that belong to a workload. */
  byOwner(key: StoreKey): readonly T[];
  /** Puts the reply to a write of ours into the cache at once, if it is newer, so that the next look finds it. */
  observe(object: T): void;
}

/** For metrics. */
export interface ReflectorObserver {
  /** A whole list was taken; `objects` are in the store now. */
  listed?(objects: number): void;
  /** A watch or list failed, for this reason, and is tried again. */
  failed?(error: unknown): void;
}

/** What is watched, and by whom. */
export interface ReflectorOptions {
  readonly client: Pick<ClusterClient, 'list' | 'watch'>;
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly observer?: ReflectorObserver;
  /** Silence after which a watch is given up, milliseconds; default: 120 000. */
  readonly idleMs?: number;
  readonly backoff?: BackoffOptions;
}

const BACKOFF: BackoffOptions = { baseMs: 500, maxMs: 30_000 };
/** Longest pause while no server answers: when it is back, caches are to follow soon. */
const UNREACHABLE_MS = 5000;
const LIST_TIMEOUT_MS = 60_000;
const WATCH_SECONDS = { from: 232, to: 290 };
/** A watch that ended sooner is a failure: a server that hangs up at once must not make a hot loop. */
const SHORT_WATCH_MS = 1000;
/** So many refusals in a row without an event, and the version that we ask for is suspected. */
const FAILURES_BEFORE_LIST = 5;

/** The objects of one type in memory. Its caller starts and stops it. */
export class Reflector<T extends KubeObject> {
  readonly type: ResourceType;
  /** Resolves when the first list is in the store; rejects when stopped before. */
  readonly synced: Promise<void>;
  readonly #options: ReflectorOptions;
  readonly #store: ObjectStore<T>;
  readonly #listeners = new Set<(event: StoreEvent<T>) => void>();
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  readonly #firstList = Promise.withResolvers<void>();
  /** Where the next watch goes on; undefined: a list is needed. */
  #version: string | undefined;
  /** The latest version ever seen, to notice a server that went back in time. */
  #newest: string | undefined;
  #loop: Promise<void> | undefined;
  #hasSynced = false;
  #lastError: unknown;
  #lastContact: number | undefined;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.type = options.type;
    this.#store = new ObjectStore((event) => this.#tell(event));
    this.#backoff = new Backoff(options.backoff ?? BACKOFF, options.random);
    this.synced = this.#firstList.promise;
    this.synced.catch(() => {});
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Why lists or watches fail; undefined while the server answers them, and when but one watch has broken off. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** Monotonic milliseconds at which the server last told us something; undefined when it never did. */
  get lastContact(): number | undefined {
    return this.#lastContact;
  }

  /** Hears of each change. What it throws is logged and goes no further. Returns the end of the subscription. */
  subscribe(listener: (event: StoreEvent<T>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Typed access for one kind of workload; `owner` tells which workload an object belongs to. */
  view(owner: IndexFunction<T> = () => undefined): Cache<T> {
    return {
      get: (key) => this.#store.get(key),
      list: () => this.#store.list(),
      byOwner: (key) => this.#store.byIndex(owner, key),
      observe: (object) => this.observe(object),
    };
  }

  get(key: StoreKey): T | undefined {
    return this.#store.get(key);
  }

  list(): readonly T[] {
    return this.#store.list();
  }

  /** See `Cache.observe`. An object whose deletion was already seen does not come back. */
  observe(object: T): void {
    this.#store.upsert(slim(object));
  }

  /** Starts the loop; once. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** Ends the loop, also in the middle of a call or a back-off; resolves when nothing of it is left. */
  async stop(): Promise<void> {
    const reason = new Error(`The reflector of ${this.type.plural} was stopped`);
    this.#stopping.abort(reason);
    this.#firstList.reject(reason);
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) await this.#list(signal);
        await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#recover(error, signal).catch(() => {});
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, type, observer } = this.#options;
    const list = await client.list<T>(type, { ...this.#where(), signal, timeoutMs: LIST_TIMEOUT_MS });
    signal.throwIfAborted();
    const wentBack = this.#newest !== undefined && compareVersions(list.resourceVersion, this.#newest) < 0;
    this.#store.replace(list.items.map(slim), list.resourceVersion, wentBack);
    this.#advance(list.resourceVersion);
    this.#hasSynced = true;
    this.#firstList.resolve();
    observer?.listed?.(this.#store.size);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, type, clock, random, idleMs = 120_000 } = this.#options;
    const timeoutSeconds = Math.round(WATCH_SECONDS.from + random() * (WATCH_SECONDS.to - WATCH_SECONDS.from));
    const started = clock.monotonic();
    const onOpen = (): void => this.#heard();
    const options = { ...this.#where(), resourceVersion: this.#version ?? '', timeoutSeconds, idleMs, signal, onOpen };
    for await (const event of client.watch<T>(type, options)) {
      signal.throwIfAborted();
      this.#backoff.reset();
      if (event.type === 'BOOKMARK') this.#advance(event.resourceVersion);
      else this.#take(event.type, slim(event.object));
    }
    signal.throwIfAborted();
    const lasted = clock.monotonic() - started;
    if (lasted < SHORT_WATCH_MS) throw new Error(`The watch ended after ${Math.round(lasted)} ms`);
    this.#backoff.reset();
  }

  #where(): { namespace?: string; labelSelector?: string; fieldSelector?: string } {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    return {
      ...(namespace && { namespace }),
      ...(labelSelector && { labelSelector }),
      ...(fieldSelector && { fieldSelector }),
    };
  }

  #take(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void {
    if (type === 'DELETED') this.#store.delete(object);
    else this.#store.upsert(object);
    this.#advance(object.metadata.resourceVersion);
  }

  /** Also a watch that has nothing to tell yet: the next event or bookmark of a quiet type may be a minute away. */
  #heard(): void {
    this.#lastContact = this.#options.clock.monotonic();
    this.#lastError = undefined;
  }

  #advance(version: string | undefined): void {
    this.#heard();
    if (!version) return;
    this.#version = version;
    this.#newest = version;
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, logger, observer } = this.#options;
    const answer = error instanceof ApiError ? error : undefined;
    const expired = answer !== undefined && isExpired(answer);
    const next = this.#backoff.next();
    this.#doubt(error);
    // A server that is not there is not kept from working by being asked.
    const delay = answer ? Math.max(next, answer.retryAfterMs ?? 0) : Math.min(next, UNREACHABLE_MS);
    const refused = answer !== undefined && answer.code !== 429;
    if (expired || (refused && this.#backoff.attempts >= FAILURES_BEFORE_LIST)) this.#version = undefined;
    const fields = { resource: this.type.plural, error: messageOf(error), retryInMs: Math.round(delay) };
    if (expired) logger.debug('Watch expired, will list again', fields);
    else logger.warn('Watch failed, will retry', fields);
    observer?.failed?.(error);
    await clock.sleep(delay, signal);
  }

  /** Connections end all the time: what the attempt after that meets tells whether the server is there. */
  #doubt(error: unknown): void {
    const isFirst = this.#hasSynced && this.#backoff.attempts <= 1;
    if (!isFirst) this.#lastError = error;
  }

  #tell(event: StoreEvent<T>): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#options.logger.error('Handler of a cache event failed', {
          resource: this.type.plural,
          error: messageOf(error),
        });
      }
    }
  }
}

function isExpired({ code, reason }: ApiError): boolean {
  return code === 410 || reason === 'Expired' || reason === 'Gone';
}

/** Without `managedFields`, often half of an object: nobody here reads it, and the server takes its absence as "keep". */
function slim<T extends KubeObject>(object: T): T {
  if (!('managedFields' in object.metadata)) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
