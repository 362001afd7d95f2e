/**
 * An API server in memory, as far as reconcilers can tell: versions, uids, preconditions, merge patches, generations,
 * the status subresource, finalizers and graceful deletion. It keeps a log of writes. No watch, no validation.
 */
import type {
  ApplyOptions,
  ClusterClient,
  DeleteOptions,
  KubeObject,
  ListOptions,
  ObjectList,
  ObjectName,
  PatchOptions,
  ResourceType,
  WatchEvent,
  WriteOptions,
} from '../../cluster/cluster-client.ts';
import { ApiError } from '../../cluster/cluster-client.ts';

type Json = { [key: string]: unknown };
type Stored = KubeObject & { spec?: Json; status?: Json };

export interface Write {
  readonly verb: 'create' | 'apply' | 'patch' | 'status' | 'delete';
  readonly kind: string;
  readonly name: string;
}

export class FakeCluster implements ClusterClient {
  readonly server = 'https://fake';
  readonly writes: Write[] = [];
  readonly reads: string[] = [];
  /** Thrown by the next write of that verb, instead of doing it. */
  readonly failures = new Map<Write['verb'], Error>();
  /** Called after each write with the object as it is then. */
  onWrite: (write: Write, object: KubeObject) => void = () => {};
  /** RFC 3339 for the timestamps that an API server sets. */
  now: () => string = () => '2030-01-01T00:00:00Z';
  readonly #objects = new Map<string, Stored>();
  /** What was last applied to each object. */
  readonly #applied = new Map<string, Json>();
  #version = 100;

  /** The stored object itself is never handed out. */
  peek<T extends KubeObject>(type: ResourceType, namespace: string, name: string): T | undefined {
    const found = this.#objects.get(`${type.plural}/${namespace}/${name}`);
    return found && (structuredClone(found) as KubeObject as T);
  }

  all<T extends KubeObject>(type: ResourceType): T[] {
    const found = [...this.#objects].filter(([key]) => key.startsWith(`${type.plural}/`)).map(([, object]) => object);
    return structuredClone(found) as KubeObject[] as T[];
  }

  /** Changes an object as somebody else would; a new spec is a new generation. */
  edit<T extends KubeObject>(type: ResourceType, object: T): T {
    const key = keyOf(type, object.metadata);
    const old = this.#objects.get(key);
    return structuredClone(this.#store(key, object, old)) as T;
  }

  remove(type: ResourceType, namespace: string, name: string): void {
    this.#applied.delete(`${type.plural}/${namespace}/${name}`);
    this.#objects.delete(`${type.plural}/${namespace}/${name}`);
  }

  get<T extends KubeObject>(type: ResourceType, at: ObjectName): Promise<T | undefined> {
    this.reads.push(`${type.kind} ${at.name}`);
    return Promise.resolve(this.peek<T>(type, at.namespace ?? '', at.name));
  }

  list<T extends KubeObject>(type: ResourceType, _options?: ListOptions): Promise<ObjectList<T>> {
    return Promise.resolve({ resourceVersion: String(this.#version), items: this.all<T>(type) });
  }

  // oxlint-disable-next-line require-yield
  async *watch<T extends KubeObject>(): AsyncIterable<WatchEvent<T>> {
    throw new Error('no watch here');
  }

  async create<T extends KubeObject>(type: ResourceType, body: T, options: WriteOptions = {}): Promise<T> {
    this.#enter('create', type, body.metadata.name, options);
    const key = keyOf(type, body.metadata);
    if (options.dryRun) return body;
    if (this.#objects.has(key))
      throw new ApiError(409, 'AlreadyExists', `${type.plural} "${body.metadata.name}" already exists`);
    const created = this.#store(key, structuredClone(body), undefined);
    return this.#done({ verb: 'create', kind: type.kind, name: body.metadata.name }, created) as KubeObject as T;
  }

  replace<T extends KubeObject>(): Promise<T> {
    throw new Error('not used');
  }

  /** By one manager: what it set before and leaves out now goes, what others set stays. Lists count as one value. */
  async apply<T extends KubeObject>(type: ResourceType, body: T, options: ApplyOptions): Promise<T> {
    this.#enter('apply', type, body.metadata.name, options);
    const key = keyOf(type, body.metadata);
    const old = this.#objects.get(key);
    if (old) checkVersion(old, body.metadata);
    else if (body.metadata.uid) throw new ApiError(409, 'Conflict', 'uid mismatch');
    if (options.dryRun) return body;
    const { uid: _, resourceVersion: __, ...metadata } = body.metadata;
    const wanted = structuredClone({ ...body, metadata }) as unknown as Json;
    const kept = without((old ?? {}) as unknown as Json, this.#applied.get(key) ?? {}, wanted);
    this.#applied.set(key, wanted);
    const stored = this.#store(key, merge(kept, wanted) as unknown as Stored, old);
    return this.#done({ verb: 'apply', kind: type.kind, name: body.metadata.name }, stored) as KubeObject as T;
  }

  async patch<T extends KubeObject>(
    type: ResourceType,
    at: ObjectName,
    patch: unknown,
    options: PatchOptions,
  ): Promise<T> {
    const verb = options.subresource === 'status' ? 'status' : 'patch';
    this.#enter(verb, type, at.name, options);
    const key = `${type.plural}/${at.namespace ?? ''}/${at.name}`;
    const old = this.#objects.get(key);
    if (!old) throw new ApiError(404, 'NotFound', `${type.plural} "${at.name}" not found`);
    if (options.type !== 'merge') throw new Error('only merge patches here');
    const merged = merge(old as unknown as Json, patch as Json) as unknown as Stored;
    checkVersion(old, merged.metadata);
    const changed =
      verb === 'status'
        ? { ...old, status: merged.status ?? {} }
        : { ...merged, ...(old.status ? { status: old.status } : {}) };
    const stored = this.#store(key, changed, old);
    if (isFree(stored)) this.#objects.delete(key);
    return this.#done({ verb, kind: type.kind, name: at.name }, stored) as KubeObject as T;
  }

  async delete(type: ResourceType, at: ObjectName, options: DeleteOptions): Promise<boolean> {
    this.#enter('delete', type, at.name, options);
    const key = `${type.plural}/${at.namespace ?? ''}/${at.name}`;
    const old = this.#objects.get(key);
    if (!old) return false;
    checkVersion(old, options.preconditions);
    this.markDeleted(type, at, options.gracePeriodSeconds);
    this.#done({ verb: 'delete', kind: type.kind, name: at.name }, this.#objects.get(key) ?? old);
    return true;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** As `kubectl delete` does it: with the pod's own grace; without any for a pod that nobody runs. */
  markDeleted(type: ResourceType, { name, namespace = '' }: ObjectName, graceSeconds?: number): void {
    const key = `${type.plural}/${namespace}/${name}`;
    const old = this.#objects.get(key);
    if (!old) return;
    const idle = !old.spec?.['nodeName'] || /Succeeded|Failed/.test(String(old.status?.['phase']));
    const grace = idle ? 0 : (graceSeconds ?? Number(old.spec?.['terminationGracePeriodSeconds'] ?? 30));
    const until = new Date(Date.parse(this.now()) + grace * 1000).toISOString().replace('.000Z', 'Z');
    const metadata = { ...old.metadata, deletionTimestamp: until, deletionGracePeriodSeconds: grace };
    const stored = this.#store(key, { ...old, metadata }, old);
    if (isFree(stored)) this.#objects.delete(key);
  }

  /** The kubelet's last word: everything has ended, the object may go. */
  finishDeletion(type: ResourceType, { name, namespace = '' }: ObjectName): void {
    const key = `${type.plural}/${namespace}/${name}`;
    const old = this.#objects.get(key);
    if (!old) return;
    const metadata = { ...old.metadata, deletionTimestamp: this.now(), deletionGracePeriodSeconds: 0 };
    const stored = this.#store(key, { ...old, metadata }, old);
    if (isFree(stored)) this.#objects.delete(key);
  }

  #enter(verb: Write['verb'], type: ResourceType, name: string, options: WriteOptions): void {
    options.beforeSend?.();
    const failure = this.failures.get(verb);
    this.failures.delete(verb);
    if (failure) throw failure;
    if (!options.dryRun) this.writes.push({ verb, kind: type.kind, name });
  }

  #done(write: Write, object: KubeObject): KubeObject {
    this.onWrite(write, structuredClone(object));
    return structuredClone(object);
  }

  #store(key: string, object: KubeObject, old: Stored | undefined): Stored {
    const version = ++this.#version;
    const specChanged = JSON.stringify((object as Stored).spec) !== JSON.stringify(old?.spec);
    const stored = {
      ...object,
      metadata: {
        creationTimestamp: this.now(),
        ...object.metadata,
        uid: object.metadata.uid ?? `uid-${version}`,
        resourceVersion: String(version),
        generation: (old?.metadata.generation ?? 0) + (specChanged ? 1 : 0),
      },
    } as Stored;
    this.#objects.set(key, stored);
    return stored;
  }
}

function keyOf({ plural }: ResourceType, { namespace = '', name }: KubeObject['metadata']): string {
  return `${plural}/${namespace}/${name}`;
}

function checkVersion(old: KubeObject, expected: { uid?: string; resourceVersion?: string }): void {
  const { uid, resourceVersion } = old.metadata;
  const differs = (mine: string | undefined, theirs: string | undefined) => mine !== undefined && mine !== theirs;
  if (differs(expected.uid, uid) || differs(expected.resourceVersion, resourceVersion)) {
    throw new ApiError(409, 'Conflict', 'the object has been modified');
  }
}

function isFree({ metadata }: KubeObject): boolean {
  return (
    metadata.deletionTimestamp !== undefined &&
    metadata.deletionGracePeriodSeconds === 0 &&
    !metadata.finalizers?.length
  );
}

function merge(target: Json, patch: Json): Json {
  const result = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (typeof value === 'object' && !Array.isArray(value))
      result[key] = merge(asObject(result[key]), value as Json);
    else result[key] = value;
  }
  return result;
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** `target` without what `before` set and `now` does not. */
function without(target: Json, before: Json, now: Json): Json {
  const entries = Object.entries(target).flatMap(([key, value]): [string, unknown][] => {
    if (!(key in before)) return [[key, value]];
    if (!(key in now)) return [];
    const parts = [value, before[key], now[key]];
    const [mine, theirs, next] = parts.map(asObject);
    return mine && theirs && next && isPlain(value) ? [[key, without(mine, theirs, next)]] : [[key, value]];
  });
  return Object.fromEntries(entries);
}

function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
