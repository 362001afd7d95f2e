/** A cache that hears of changes when the test lets it. */
import type { KubeObject, ResourceType } from '../../cluster/cluster-client.ts';
import type { StoreEvent } from '../../cluster/object-store.ts';
import type { ReadCache } from '../../reconcile/ports.ts';
import type { ObjectKey } from '../../reconcile/reconciler.ts';

/** Of one object; never older than what was observed. */
export class LaggingCache<T extends KubeObject> implements ReadCache<T> {
  readonly type: ResourceType;
  readonly #listeners: ((event: StoreEvent<T>) => void)[] = [];
  #object: T | undefined;

  constructor(type: ResourceType) {
    this.type = type;
  }

  subscribe(listener: (event: StoreEvent<T>) => void): () => void {
    this.#listeners.push(listener);
    return () => {};
  }

  set(object: T | undefined): void {
    const isNew = object?.metadata.resourceVersion !== this.#object?.metadata.resourceVersion;
    this.#object = object;
    if (object && isNew) for (const listener of this.#listeners) listener({ type: 'modified', object });
  }

  get({ name }: ObjectKey): T | undefined {
    return this.#object?.metadata.name === name ? this.#object : undefined;
  }

  list(): readonly T[] {
    return this.#object ? [this.#object] : [];
  }

  observe(object: T): void {
    if (object.kind !== undefined && object.kind !== this.type.kind) throw new Error(`not a ${this.type.kind}`);
    const version = Number(object.metadata.resourceVersion);
    if (version > Number(this.#object?.metadata.resourceVersion ?? 0)) this.#object = object;
  }
}
