/**
 * Children whose workload is gone, or belongs to somebody else. They are deleted without waiting for Kubernetes' garbage
 * collection, which takes tens of seconds for a kind that it has just learned of. Their names stay taken until all that
 * belongs to them is gone.
 */
import type { ChildType } from '../api/children.ts';
import { Applier } from './apply.ts';
import type { Workload, WorkloadKind } from './child-look.ts';
import type { ChildSetOptions } from './child-options.ts';
import type { AnyChild } from './child.ts';
import { controllerOf, tenantOf } from './metadata.ts';
import { assertNotLater } from './plan.ts';
import type { Grant, ObjectKey, Result } from './reconciler.ts';

const RECHECK_MS = 1000;

interface Placed {
  readonly type: ChildType;
  readonly object: AnyChild;
}

/** Removes children that no workload of the tenant wants any more. */
export class ChildRetirement {
  readonly #kind: Pick<WorkloadKind<never>, 'resource' | 'children'>;
  readonly #options: ChildSetOptions;

  constructor(kind: Pick<WorkloadKind<never>, 'resource' | 'children'>, options: ChildSetOptions) {
    this.#kind = kind;
    this.#options = options;
  }

  /** `workload` is absent, being deleted, or of another tenant. */
  async retire(key: ObjectKey, workload: Workload | undefined, grant: Grant): Promise<Result> {
    let result: Result = {};
    if (workload?.metadata.deletionTimestamp !== undefined) return result; // its end, or a finalizer's, comes first
    for (const child of this.#childrenOf(key)) {
      if (workload && controllerOf(child.object)?.uid !== workload.metadata.uid) continue;
      const done = workload ? await this.#remove(child, 'TenantChanged', grant) : await this.dispose(key, child, grant);
      if (!done || workload) result = { requeueAfterMs: RECHECK_MS }; // another tenant's comes after the last of ours
    }
    return result;
  }

  /** A child of ours was made for that very workload, and is to stay. */
  runs(key: ObjectKey, { metadata: { uid } }: Workload): boolean {
    return this.#childrenOf(key).some(
      ({ object }) => controllerOf(object)?.uid === uid && object.metadata.deletionTimestamp === undefined,
    );
  }

  /** For a child whose owner does not exist any more, as far as is known. True when nothing is left to be done. */
  async dispose(key: ObjectKey, child: Placed, grant: Grant): Promise<boolean> {
    const live = await this.#options.client.get(this.#kind.resource, key, { signal: grant.signal });
    if (live !== undefined && live.metadata.uid === controllerOf(child.object)?.uid) return false;
    return this.#remove(child, 'OwnerGone', grant);
  }

  /** Ours, and not left alone on purpose: what has no controller is an object like any other. */
  #childrenOf(key: ObjectKey): readonly Placed[] {
    const { caches, tenant } = this.#options;
    return caches
      .filter(({ type }) => this.#kind.children.some(({ plural }) => plural === type.plural))
      .flatMap(({ type, cache }) => cache.byOwner(key).map((object) => ({ type, object })))
      .filter(({ object }) => tenantOf(object) === tenant && controllerOf(object)?.kind === this.#kind.resource.kind);
  }

  async #remove({ type, object }: Placed, reason: string, grant: Grant): Promise<boolean> {
    assertNotLater(object, grant.term, grant.isForged);
    if (object.metadata.deletionTimestamp !== undefined) return true;
    const applier = new Applier<AnyChild>(this.#options.client, type);
    const { live, changed } = await applier.apply({ type: 'stop', live: object, awaited: true, reason }, grant);
    const cache = this.#options.caches.find((each) => each.type.plural === type.plural)?.cache;
    if (live) cache?.observe(live);
    if (!changed) this.#log(object, type, reason);
    return !changed;
  }

  #log({ metadata: { namespace, name } }: AnyChild, type: ChildType, reason: string): void {
    this.#options.logger.info('Changed child', { child: type.kind, namespace, name, action: 'stop', reason });
  }
}
