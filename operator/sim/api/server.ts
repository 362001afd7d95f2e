/**
 * An API server in memory: objects of any type, with uids, versions, generations, preconditions, conflicts, finalizers,
 * graceful deletion, dry runs, the status subresource, admission and watches. Compared with the real one by
 * `server.test.ts`. Objects are never changed in place and are handed out as they are.
 */
import type { KubeObject, ObjectName, ResourceType } from '../../cluster/cluster-client.ts';
import { ApiError } from '../../cluster/cluster-client.ts';
import { applied } from './apply.ts';
import type { Json, Stored } from './json.ts';
import { asJson, isEqual, mergePatch } from './json.ts';
import { assertChangeable, generationOf, graceSeconds, hasStatus, isGraceful, withDefaults } from './rules.ts';
import type { Expected, Where } from './request.ts';
import { assertExpected, assertSameUid, compareKeys, isAt, isFree, keyOf, statusOf, withoutEmpty } from './request.ts';
import { Changes } from './watching.ts';

/** A write, as admission sees it. */
export interface Request {
  readonly type: ResourceType;
  /** Undefined: it is to be made. */
  readonly before: Stored | undefined;
  /** Undefined: it is to be deleted. */
  readonly object: Stored | undefined;
  readonly by: string;
  readonly isStatus: boolean;
}

/** Throws what the API server answers. */
export type Admission = (request: Request) => void;

/** Which server this is, and its clock. */
export interface ApiServerOptions {
  /** Part of the uids, which are never those of another server. */
  readonly id: string;
  /** Milliseconds since the epoch by its own clock. */
  readonly time: () => number;
  readonly admission?: readonly Admission[];
}

/** Who asks, and how. */
export interface Sender {
  readonly by: string;
  readonly dryRun?: boolean;
  readonly subresource?: string | undefined;
}

/** One page of a list. */
export interface Page {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly Stored[];
}

const FIRST_VERSION = 1000;

/** A simulated API server. Its calls throw `ApiError` as a real one answers. */
export class SimApiServer {
  readonly changes = new Changes(FIRST_VERSION);
  readonly admission: Admission[];
  readonly #options: ApiServerOptions;
  readonly #objects = new Map<string, Map<string, Stored>>();
  /** What each manager applied last, by object. */
  readonly #applied = new Map<string, Json>();
  #version = FIRST_VERSION;

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.admission = [...(options.admission ?? [])];
  }

  get version(): number {
    return this.#version;
  }

  /** RFC 3339, whole seconds. */
  get now(): string {
    return new Date(this.#options.time()).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  get(type: ResourceType, at: ObjectName): Stored | undefined {
    return this.#all(type).get(keyOf(at));
  }

  all(type: ResourceType): readonly Stored[] {
    return [...this.#all(type).values()];
  }

  /** `after`: where the page before ended, as its `continue` says. All pages show the same moment only if nothing changes. */
  list(type: ResourceType, where: Where, { limit, after }: { limit?: number; after?: string } = {}): Page {
    const [version = String(this.#version), last = ''] = after?.split('|') ?? [];
    const found = this.all(type)
      .filter((object) => isAt(where, object))
      .toSorted((a, b) => compareKeys(a, b))
      .filter((object) => last === '' || keyOf(object.metadata) > last);
    const items = found.slice(0, limit ?? found.length);
    const end = items.at(-1);
    const more = end && items.length < found.length ? { continue: `${version}|${keyOf(end.metadata)}` } : {};
    return { metadata: { resourceVersion: version, ...more }, items };
  }

  create(type: ResourceType, body: KubeObject, sender: Sender): Stored {
    const key = keyOf(body.metadata);
    if (this.#all(type).has(key)) {
      if (sender.dryRun)
        this.#admit({ type, before: undefined, object: this.#fresh(type, body), by: sender.by, isStatus: false });
      throw new ApiError(409, 'AlreadyExists', `${type.plural} "${body.metadata.name}" already exists`);
    }
    const object = this.#fresh(type, body);
    this.#admit({ type, before: undefined, object, by: sender.by, isStatus: false });
    return sender.dryRun ? object : this.#put(type, object, undefined, sender.by);
  }

  replace(type: ResourceType, body: KubeObject, sender: Sender): Stored {
    return this.#update(type, body.metadata, sender, () => body);
  }

  patch(type: ResourceType, at: ObjectName, patch: unknown, sender: Sender): Stored {
    return this.#update(type, at, sender, (before) => mergePatch(before, patch) as Stored);
  }

  /** `manager`: by whom. It takes over what others have set. */
  apply(type: ResourceType, body: KubeObject, manager: string, sender: Sender): Stored {
    const key = `${type.group}/${type.plural}/${keyOf(body.metadata)} ${manager} ${sender.subresource ?? ''}`;
    const { uid, resourceVersion, ...metadata } = body.metadata;
    const wanted = { ...body, metadata } as unknown as Json;
    const before = this.get(type, body.metadata);
    if (!before && uid !== undefined)
      throw new ApiError(
        409,
        'Conflict',
        `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
      );
    const answer = before
      ? this.#update(type, body.metadata, sender, () => ({
          ...(applied(asJson(before), this.#applied.get(key) ?? {}, wanted) as unknown as Stored),
          metadata: {
            ...(applied(
              asJson(before.metadata),
              asJson(this.#applied.get(key)?.['metadata']),
              asJson(metadata),
            ) as unknown as Stored['metadata']),
            ...(uid !== undefined && { uid }),
            ...(resourceVersion !== undefined && { resourceVersion }),
          },
        }))
      : this.create(type, wanted as unknown as KubeObject, sender);
    if (!sender.dryRun) this.#applied.set(key, wanted);
    return answer;
  }

  /** False when there was none. */
  delete(
    type: ResourceType,
    at: ObjectName,
    options: {
      readonly preconditions?: Expected;
      readonly gracePeriodSeconds?: number;
      readonly propagationPolicy?: string;
    },
    sender: Sender,
  ): boolean {
    const before = this.get(type, at);
    if (!before) return false;
    assertExpected(type, before, options.preconditions ?? {});
    this.#admit({ type, before, object: undefined, by: sender.by, isStatus: false });
    const { deletionTimestamp, deletionGracePeriodSeconds: left = 0 } = before.metadata;
    const grace = graceSeconds(type, before, options.gracePeriodSeconds);
    if (deletionTimestamp !== undefined && grace >= left) return this.#finish(type, before, sender.by);
    const isForeground = options.propagationPolicy === 'Foreground';
    const marked = { ...before, metadata: this.#marked(before.metadata, grace, isForeground) };
    if (!isFree(marked)) this.#put(type, marked, before, sender.by);
    else if (isGraceful(type) && deletionTimestamp !== undefined)
      this.#drop(type, this.#put(type, marked, before, sender.by), sender.by);
    else this.#drop(type, isGraceful(type) ? marked : before, sender.by);
    return true;
  }

  #marked(metadata: Stored['metadata'], grace: number, isForeground: boolean): Stored['metadata'] {
    const finalizers = [...(metadata.finalizers ?? []), ...(isForeground ? ['foregroundDeletion'] : [])];
    const until = new Date(Date.parse(this.now) + grace * 1000).toISOString().replace('.000Z', 'Z');
    const end = { deletionTimestamp: until, deletionGracePeriodSeconds: grace };
    return { ...metadata, ...end, ...(finalizers.length > 0 && { finalizers }) };
  }

  #finish(type: ResourceType, object: Stored, by: string): true {
    if (isFree(object)) this.#drop(type, object, by);
    return true;
  }

  #update(type: ResourceType, at: ObjectName, sender: Sender, change: (before: Stored) => KubeObject): Stored {
    const before = this.get(type, at);
    if (!before) throw new ApiError(404, 'NotFound', `${type.plural} "${at.name}" not found`);
    const asked = change(before) as Stored;
    assertExpected(type, before, { resourceVersion: asked.metadata.resourceVersion });
    assertSameUid(type, before, asked.metadata);
    const isStatus = sender.subresource === 'status';
    const object = isStatus ? statusOf(before, asked) : this.#asWritten(type, before, asked);
    if (!isStatus) assertChangeable(type, object, before);
    this.#admit({ type, before, object, by: sender.by, isStatus });
    if (sender.dryRun || isEqual(object, before)) return sender.dryRun ? object : before;
    if (!isFree(object)) return this.#put(type, object, before, sender.by);
    this.#drop(type, before, sender.by);
    return object;
  }

  /** What only the API server itself sets stays; the status has a request of its own. */
  #asWritten(type: ResourceType, before: Stored, asked: Stored): Stored {
    const { uid, resourceVersion, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds } =
      before.metadata;
    const own = { uid, resourceVersion, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds };
    const given = Object.entries(own).filter(([, value]) => value !== undefined);
    const metadata = { ...asked.metadata, ...Object.fromEntries(given) };
    const { status: _, ...rest } = withDefaults(type, asked);
    const status = hasStatus(type) ? before.status : asked.status;
    const written = { ...rest, metadata: withoutEmpty(metadata), ...(status && { status }) };
    const next = generationOf(type, written, before);
    return next === undefined || next === before.metadata.generation
      ? written
      : { ...written, metadata: { ...written.metadata, generation: next } };
  }

  #fresh(type: ResourceType, body: KubeObject): Stored {
    const { uid: _, resourceVersion: __, generation: ___, ...metadata } = body.metadata;
    const { status, ...rest } = body as Stored;
    const object = withDefaults(type, { ...rest, ...(!hasStatus(type) && status && { status }), metadata } as Stored);
    const generation = generationOf(type, object, undefined);
    return {
      ...object,
      apiVersion: body.apiVersion ?? (type.group ? `${type.group}/${type.version}` : type.version),
      kind: body.kind ?? type.kind,
      metadata: withoutEmpty({
        ...metadata,
        uid: `${this.#options.id}-${this.#version + 1}`,
        creationTimestamp: this.now,
        ...(generation !== undefined && { generation }),
      }),
    };
  }

  #admit(request: Request): void {
    for (const admit of this.admission) admit(request);
  }

  #put(type: ResourceType, object: Stored, before: Stored | undefined, by: string): Stored {
    const version = ++this.#version;
    const generation = before && !before.metadata.deletionTimestamp ? generationOf(type, object, before) : undefined;
    const metadata = {
      ...object.metadata,
      resourceVersion: String(version),
      ...(generation !== undefined && { generation }),
    };
    const stored = { ...object, metadata };
    this.#all(type).set(keyOf(metadata), stored);
    this.changes.add({ type, version, by, before, object: stored, isGone: false });
    return stored;
  }

  #drop(type: ResourceType, object: Stored, by: string): Stored {
    const before = this.get(type, object.metadata);
    this.#all(type).delete(keyOf(object.metadata));
    const own = `${type.group}/${type.plural}/${keyOf(object.metadata)} `;
    for (const key of this.#applied.keys()) if (key.startsWith(own)) this.#applied.delete(key);
    const version = ++this.#version;
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    this.changes.add({ type, version, by, before, object: last, isGone: true });
    return last;
  }

  #all({ group, plural }: ResourceType): Map<string, Stored> {
    const key = `${group}/${plural}`;
    let all = this.#objects.get(key);
    if (!all) this.#objects.set(key, (all = new Map<string, Stored>()));
    return all;
  }
}
