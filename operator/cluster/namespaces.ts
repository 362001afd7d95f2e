/** The objects of one type in some namespaces, each listed and watched by itself: rights in those namespaces are enough. */
import type { KubeObject } from './cluster-client.ts';
import type { IndexFunction, StoreEvent, StoreKey } from './object-store.ts';
import type { Cache, ReflectorOptions } from './reflector.ts';
import { Reflector } from './reflector.ts';

/** What the rest of the program sees of a reflector. */
export type Watched<T extends KubeObject> = Pick<
  Reflector<T>,
  'type' | 'synced' | 'hasSynced' | 'lastError' | 'subscribe' | 'view' | 'get' | 'list' | 'observe' | 'start' | 'stop'
>;

/** Of all namespaces when none is named. */
export function watched<T extends KubeObject>(
  options: Omit<ReflectorOptions, 'namespace'>,
  namespaces: readonly string[],
): Watched<T> {
  return namespaces.length === 0 ? new Reflector<T>(options) : new NamespacedReflector<T>(options, namespaces);
}

class NamespacedReflector<T extends KubeObject> implements Watched<T> {
  readonly type: ReflectorOptions['type'];
  readonly synced: Promise<void>;
  readonly #byNamespace: ReadonlyMap<string, Reflector<T>>;

  constructor(options: Omit<ReflectorOptions, 'namespace'>, namespaces: readonly string[]) {
    this.type = options.type;
    this.#byNamespace = new Map(
      namespaces.map((namespace) => [namespace, new Reflector<T>({ ...options, namespace })]),
    );
    this.synced = Promise.all(this.#all.map((each) => each.synced)).then(() => {});
    this.synced.catch(() => {});
  }

  get hasSynced(): boolean {
    return this.#all.every((each) => each.hasSynced);
  }

  get lastError(): unknown {
    return this.#all.map((each) => each.lastError).find((error) => error !== undefined);
  }

  subscribe(listener: (event: StoreEvent<T>) => void): () => void {
    const ends = this.#all.map((each) => each.subscribe(listener));
    return () => ends.forEach((end) => end());
  }

  view(owner?: IndexFunction<T>): Cache<T> {
    const views = new Map([...this.#byNamespace].map(([namespace, each]) => [namespace, each.view(owner)]));
    return {
      get: (key) => views.get(key.namespace ?? '')?.get(key),
      list: () => [...views.values()].flatMap((each) => each.list()),
      byOwner: (key) => views.get(key.namespace ?? '')?.byOwner(key) ?? [],
      observe: (object) => this.observe(object),
    };
  }

  get(key: StoreKey): T | undefined {
    return this.#byNamespace.get(key.namespace ?? '')?.get(key);
  }

  list(): readonly T[] {
    return this.#all.flatMap((each) => each.list());
  }

  observe(object: T): void {
    this.#byNamespace.get(object.metadata.namespace ?? '')?.observe(object);
  }

  start(): void {
    for (const each of this.#all) each.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((each) => each.stop()));
  }

  get #all(): readonly Reflector<T>[] {
    return [...this.#byNamespace.values()];
  }
}
