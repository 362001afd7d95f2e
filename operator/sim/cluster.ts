/**
 * A model of a cluster: an API server with uids, resource versions and preconditions, a kubelet that takes its time, and
 * the tenant's marker. Objects are never changed in place.
 */
import type { DeleteOptions, KubeObject } from '../cluster/cluster-client.ts';
import { ApiError } from '../cluster/cluster-client.ts';
import type { MarkerStore } from '../leadership/ports.ts';
import { annotations } from '../api/group.ts';
import { numberAnnotation } from '../reconcile/metadata.ts';
import type { Checker } from './checker.ts';
import type { Availability, Link } from './link.ts';
import type { World } from './world.ts';

export interface Change {
  readonly name: string;
  readonly uid: string | undefined;
  /** Undefined: it is gone. */
  readonly object: KubeObject | undefined;
  readonly version: number;
}

interface MergePatch {
  readonly metadata: KubeObject['metadata'];
}

export class SimCluster implements Availability {
  down = false;
  hangs = false;
  readonly id: string;
  /** Longest time that a container takes to end, milliseconds. */
  readonly graceMs: number;
  marker: { readonly drainMs: number; readonly term: number } | undefined;
  readonly #world: World;
  readonly #checker: Checker;
  readonly #objects = new Map<string, KubeObject>();
  /** Template version wanted, by workload: what the custom resources say. */
  readonly #wanted = new Map<string, number>();
  readonly #watchers = new Set<(change: Change) => void>();
  #version = 0;

  constructor(world: World, checker: Checker, options: { readonly id: string; readonly graceMs: number }) {
    this.#world = world;
    this.#checker = checker;
    this.id = options.id;
    this.graceMs = options.graceMs;
  }

  get wanted(): ReadonlyMap<string, number> {
    return this.#wanted;
  }

  get objects(): ReadonlyMap<string, KubeObject> {
    return this.#objects;
  }

  get version(): number {
    return this.#version;
  }

  want(workload: string, template: number): void {
    this.#wanted.set(workload, template);
    this.#world.note('user', `wants ${workload} version ${template}`);
  }

  watch(watcher: (change: Change) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  markerStore(link: Link): MarkerStore {
    return {
      read: (call) => link.call(() => this.marker, call),
      write: (record, call) =>
        link.call(() => void (this.marker = { drainMs: record.drainMs, term: record.term }), call),
    };
  }

  create(by: string, object: KubeObject): KubeObject {
    const { name } = object.metadata;
    if (this.#objects.has(name)) throw new ApiError(409, 'AlreadyExists', `${name} exists`);
    const made = this.#put({ ...object, metadata: { ...object.metadata, uid: `u${this.#version + 1}` } });
    this.#world.note(by, `creates ${name} in term ${termOf(made)}`);
    this.#checker.accepted(by, made, undefined);
    this.#checker.started(made);
    return made;
  }

  patch(by: string, name: string, { metadata }: MergePatch): KubeObject {
    const old = this.#find(name);
    conflictUnless(metadata.uid, old.metadata.uid, name);
    conflictUnless(metadata.resourceVersion, old.metadata.resourceVersion, name);
    const changed = this.#put({
      ...old,
      metadata: { ...old.metadata, annotations: { ...old.metadata.annotations, ...metadata.annotations } },
    });
    this.#world.note(by, `stamps ${name} with term ${termOf(changed)}`);
    this.#checker.accepted(by, changed, old);
    return changed;
  }

  delete(by: string, name: string, options: Partial<DeleteOptions>): boolean {
    const old = this.#objects.get(name);
    if (!old) return false;
    conflictUnless(options.preconditions?.uid, old.metadata.uid, name);
    conflictUnless(options.preconditions?.resourceVersion, old.metadata.resourceVersion, name);
    this.#world.note(by, `deletes ${name}`);
    if (by !== 'user') this.#checker.stopped(by, old, this.#wanted.get(name));
    const runsFor = this.#world.chance.between(0.2, 1) * this.graceMs;
    if (!old.metadata.deletionTimestamp) this.#world.after(runsFor, () => this.#ended(old));
    if (options.gracePeriodSeconds === 0) this.#drop(old);
    else this.#put({ ...old, metadata: { ...old.metadata, deletionTimestamp: 'now' } });
    return true;
  }

  /** The kubelet: its container has ended, and nothing holds the object any longer. */
  #ended(object: KubeObject): void {
    this.#checker.ended(object);
    this.#drop(object);
  }

  #drop({ metadata: { name, uid } }: KubeObject): void {
    if (this.#objects.get(name)?.metadata.uid !== uid) return;
    this.#objects.delete(name);
    this.#version += 1;
    this.#tell(name, uid, undefined);
  }

  #find(name: string): KubeObject {
    const found = this.#objects.get(name);
    if (!found) throw new ApiError(404, 'NotFound', `${name} does not exist`);
    return found;
  }

  #put(object: KubeObject): KubeObject {
    this.#version += 1;
    const { name } = object.metadata;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#objects.set(name, stored);
    this.#tell(name, stored.metadata.uid, stored);
    return stored;
  }

  #tell(name: string, uid: string | undefined, object: KubeObject | undefined): void {
    for (const watcher of this.#watchers) watcher({ name, uid, object, version: this.#version });
  }
}

export function termOf(object: KubeObject): number {
  return numberAnnotation(object, annotations.term) ?? 0;
}

function conflictUnless(expected: string | undefined, actual: string | undefined, name: string): void {
  if (expected !== undefined && expected !== actual) throw new ApiError(409, 'Conflict', `${name} has changed`);
}
