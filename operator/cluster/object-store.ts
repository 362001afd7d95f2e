/**
 * The objects of one type as far as they were seen, from three sources that overtake each other: lists, watch events and
 * the replies to our own writes. Versions decide: of one object (one uid) the numerically larger resourceVersion is the
 * newer, which is how Kubernetes orders the objects of one resource. Objects are handed out as they are: read only.
 */
import type { KubeObject } from './cluster-client.ts';

/** Namespace ('' or absent for cluster-scoped objects) and name of an object. */
export interface StoreKey {
  readonly namespace?: string;
  readonly name: string;
}

/** What a change did to the store. */
export interface StoreEvent<T> {
  readonly type: 'added' | 'modified' | 'deleted';
  /** The object as it is now; for `deleted`, as it was last seen. */
  readonly object: T;
  /** The object as it was before; for `modified` only. */
  readonly old?: T;
}

type Listener<T> = (event: StoreEvent<T>) => void;

/** Which objects belong to a key; undefined: to none. */
export type IndexFunction<T> = (object: T) => StoreKey | undefined;

/** Deletions remembered, against a reply of ours that arrives after the deletion was seen. */
const TOMBSTONES = 1000;

/** A key as one text, `namespace/name`. */
export function keyString(key: StoreKey): string {
  return `${key.namespace ?? ''}/${key.name}`;
}

/** The objects of one type, by key and by index. */
export class ObjectStore<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<IndexFunction<T>, Map<string, Map<string, T>>>();
  /** Uid → version at which that object was known to be gone. */
  readonly #tombstones = new Map<string, string | undefined>();
  readonly #emit: Listener<T>;

  /** `emit` hears of each change after it was made; it must not throw. */
  constructor(emit: Listener<T>) {
    this.#emit = emit;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: StoreKey): T | undefined {
    return this.#objects.get(keyString(key));
  }

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  /** The objects that `index` maps to `key`. The index is built at its first use and kept up from then on. */
  byIndex(index: IndexFunction<T>, key: StoreKey): readonly T[] {
    return [...(this.#indexOf(index).get(keyString(key))?.values() ?? [])];
  }

  /** Takes an object from a watch event or a reply. False when the store knew as much or more. */
  upsert(object: T): boolean {
    const key = keyString(object.metadata);
    const old = this.#objects.get(key);
    if (this.#isFromBeforeItsDeletion(object)) return false;
    if (old && old.metadata.uid === object.metadata.uid) {
      if (!isNewer(object, old)) return false;
      this.#put(key, object);
      this.#emit({ type: 'modified', object, old });
      return true;
    }
    if (old && !isNewer(object, old)) return false;
    if (old) this.#drop(key, old, object.metadata.resourceVersion);
    this.#put(key, object);
    this.#emit({ type: 'added', object });
    return true;
  }

  /**
   * Takes a DELETED event, with the object's last state. It may also mean that the object no longer fits the watch's
   * selector, so a later version of the same object may come back.
   */
  delete(object: T): void {
    const key = keyString(object.metadata);
    const old = this.#objects.get(key);
    const ours = old !== undefined && old.metadata.uid === object.metadata.uid && compare(object, old) >= 0;
    if (ours) this.#drop(key, object, object.metadata.resourceVersion);
    else this.#bury(object, object.metadata.resourceVersion);
  }

  /**
   * Takes a whole list, made at `version`. What is not in it was deleted while nobody watched, unless we wrote it later
   * than that. `trusted`: the list is right whatever the versions say, as after the server was restored from a backup.
   */
  replace(items: readonly T[], version: string, trusted: boolean): void {
    const present = new Set(items.map((item) => keyString(item.metadata)));
    for (const [key, object] of this.#objects) {
      const later = !trusted && compareVersions(object.metadata.resourceVersion, version) > 0;
      if (!present.has(key) && !later) this.#drop(key, object, version);
    }
    if (trusted) this.#tombstones.clear();
    for (const item of items) {
      const old = this.get(item.metadata);
      if (trusted && old && old.metadata.uid === item.metadata.uid && compare(item, old) < 0) this.#force(item, old);
      else this.upsert(item);
    }
  }

  #force(object: T, old: T): void {
    this.#put(keyString(object.metadata), object);
    this.#emit({ type: 'modified', object, old });
  }

  #drop(key: string, last: T, version: string | undefined): void {
    const old = this.#objects.get(key);
    this.#objects.delete(key);
    if (old) for (const [index, groups] of this.#indexes) unlink(groups, index(old), key);
    this.#bury(last, version);
    this.#emit({ type: 'deleted', object: last });
  }

  #isFromBeforeItsDeletion({ metadata }: T): boolean {
    if (metadata.uid === undefined || !this.#tombstones.has(metadata.uid)) return false;
    return compareVersions(metadata.resourceVersion, this.#tombstones.get(metadata.uid)) <= 0;
  }

  #bury(object: T, version: string | undefined): void {
    if (object.metadata.uid === undefined) return;
    this.#tombstones.set(object.metadata.uid, version);
    if (this.#tombstones.size <= TOMBSTONES) return;
    for (const oldest of this.#tombstones.keys()) {
      this.#tombstones.delete(oldest);
      return;
    }
  }

  #put(key: string, object: T): void {
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const [index, groups] of this.#indexes) {
      if (old) unlink(groups, index(old), key);
      link(groups, index(object), key, object);
    }
  }

  #indexOf(index: IndexFunction<T>): Map<string, Map<string, T>> {
    let groups = this.#indexes.get(index);
    if (groups) return groups;
    groups = new Map();
    for (const [key, object] of this.#objects) link(groups, index(object), key, object);
    this.#indexes.set(index, groups);
    return groups;
  }
}

function link<T>(groups: Map<string, Map<string, T>>, owner: StoreKey | undefined, key: string, object: T): void {
  if (!owner) return;
  const name = keyString(owner);
  const group = groups.get(name) ?? new Map<string, T>();
  groups.set(name, group.set(key, object));
}

function unlink<T>(groups: Map<string, Map<string, T>>, owner: StoreKey | undefined, key: string): void {
  if (!owner) return;
  const name = keyString(owner);
  const group = groups.get(name);
  group?.delete(key);
  if (group?.size === 0) groups.delete(name);
}

const compare = (a: KubeObject, b: KubeObject): number =>
  compareVersions(a.metadata.resourceVersion, b.metadata.resourceVersion);
const isNewer = (a: KubeObject, b: KubeObject): boolean => compare(a, b) > 0;

/** Below zero, zero or above: as numbers when both are; otherwise any difference counts as newer. */
export function compareVersions(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (!a || !b || !/^\d+$/.test(a) || !/^\d+$/.test(b)) return 1;
  return a.length === b.length ? (a < b ? -1 : 1) : a.length - b.length;
}
