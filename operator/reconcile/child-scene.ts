/**
 * The objects of one workload during one reconcile: what the caches have, and over it what the API server answered since,
 * also about objects that the caches' selectors do not match.
 */
import type { ChildType } from '../api/children.ts';
import type { ChildCache } from './child-options.ts';
import type { AnyChild, Live } from './child.ts';
import { belongsTo, workloadOf } from './metadata.ts';
import type { OwnedCache } from './ports.ts';
import type { Child } from './plan.ts';
import type { ObjectKey } from './reconciler.ts';

/** The newest known state of each object. */
export class ChildScene implements Live {
  readonly #caches: readonly ChildCache[];
  readonly #key: ObjectKey;
  readonly #kind: string;
  readonly #tenant: string;
  readonly #answers = new Map<string, AnyChild | undefined>();

  constructor(caches: readonly ChildCache[], key: ObjectKey, kind: string, tenant: string) {
    this.#caches = caches;
    this.#key = key;
    this.#kind = kind;
    this.#tenant = tenant;
  }

  get<T extends Child>(type: ChildType, name: string): T | undefined {
    const id = `${type.plural}/${name}`;
    const found = this.#answers.has(id)
      ? this.#answers.get(id)
      : this.#cacheOf(type)?.get({ namespace: this.#key.namespace, name });
    return found as T | undefined;
  }

  list<T extends Child>(type: ChildType): readonly T[] {
    const cached = this.#cacheOf(type)?.byOwner(this.#key) ?? [];
    return cached.filter(
      ({ metadata: { name } }) => this.get(type, name) !== undefined,
    ) as readonly Child[] as readonly T[];
  }

  /** Takes what the API server holds now under this name. */
  put(type: ChildType, name: string, live: AnyChild | undefined): void {
    this.#answers.set(`${type.plural}/${name}`, live);
    // A cache would never hear of the end of an object that its selector does not match.
    if (live && workloadOf(live, this.#kind) && belongsTo(live, this.#tenant)) this.#cacheOf(type)?.observe(live);
  }

  #cacheOf({ plural }: ChildType): OwnedCache<AnyChild> | undefined {
    return this.#caches.find(({ type }) => type.plural === plural)?.cache;
  }
}
