/** How an API server keeps objects: one under each name, with versions, and told to whoever watches. Objects are never changed in place. */
import type { KubeObject } from '../cluster/cluster-client.ts';
import { annotations } from '../api/group.ts';
import { ApiError } from '../cluster/cluster-client.ts';
import { numberAnnotation } from '../reconcile/metadata.ts';

/** One change of one object. */
export interface Change {
  readonly name: string;
  readonly uid: string | undefined;
  /** Undefined: it is gone. */
  readonly object: KubeObject | undefined;
  readonly version: number;
}

type Preconditions = Pick<Partial<KubeObject['metadata']>, 'uid' | 'resourceVersion'>;

/** The objects of one place, by name. */
export class Objects {
  readonly #place: string;
  readonly #all = new Map<string, KubeObject>();
  readonly #watchers = new Set<(change: Change) => void>();
  #version = 0;

  /** `place`: of the uids, which are never those of another cluster. */
  constructor(place: string) {
    this.#place = place;
  }

  get all(): ReadonlyMap<string, KubeObject> {
    return this.#all;
  }

  get version(): number {
    return this.#version;
  }

  watch(watcher: (change: Change) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** A new one, with a uid of its own. Throws 409 when there is one of its name. */
  make(object: KubeObject): KubeObject {
    const { name } = object.metadata;
    if (this.#all.has(name)) throw new ApiError(409, 'AlreadyExists', `${name} exists`);
    return this.put({
      ...object,
      metadata: { ...object.metadata, uid: `${this.#place}/${name}/${this.#version + 1}` },
    });
  }

  put(object: KubeObject): KubeObject {
    this.#version += 1;
    const { name } = object.metadata;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#all.set(name, stored);
    this.#tell(name, stored.metadata.uid, stored);
    return stored;
  }

  /** Removes this very one, if it is there. */
  drop({ metadata: { name, uid } }: KubeObject): void {
    if (this.#all.get(name)?.metadata.uid !== uid) return;
    this.#all.delete(name);
    this.#version += 1;
    this.#tell(name, uid, undefined);
  }

  /** Throws 404 when there is none, 409 when it is not the one that is expected. */
  find(name: string, expected: Preconditions = {}): KubeObject {
    const found = this.#all.get(name);
    if (!found) throw new ApiError(404, 'NotFound', `${name} does not exist`);
    const { uid, resourceVersion } = found.metadata;
    const hasChanged =
      (expected.uid ?? uid) !== uid || (expected.resourceVersion ?? resourceVersion) !== resourceVersion;
    if (hasChanged) throw new ApiError(409, 'Conflict', `${name} has changed`);
    return found;
  }

  #tell(name: string, uid: string | undefined, object: KubeObject | undefined): void {
    for (const watcher of this.#watchers) watcher({ name, uid, object, version: this.#version });
  }
}

/** The term on an object; 0 when it has none. */
export function termOf(object: KubeObject): number {
  return numberAnnotation(object, annotations.term) ?? 0;
}
