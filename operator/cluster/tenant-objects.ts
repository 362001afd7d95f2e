/** What the election must know of the tenant's objects in this cluster, from the caches that the reconcilers use. */
import { podGraceMs } from '../api/grace.ts';
import { annotations } from '../api/group.ts';
import { isMadeByUs } from '../api/ownership.ts';
import { isPlausible, wholeNumber } from '../api/terms.ts';
import type { KubeObject } from './cluster-client.ts';
import type { StoreEvent } from './object-store.ts';
import type { Watched } from './namespaces.ts';

type Source = Pick<Watched<KubeObject>, 'list' | 'hasSynced' | 'lastError' | 'subscribe'>;

/** Kept up with each event: the guard asks before every reconcile. */
export class TenantObjects {
  readonly #sources: readonly Source[];
  readonly #known: () => number;
  readonly #maxGraceMs: number;
  #highestStamp = 0;
  /** Of all sources. */
  count = 0;
  /** Grows with each event. */
  version = 0;
  #next: PromiseWithResolvers<void> | undefined;
  /** Unknown after a deletion, which may have been that of the pod with the longest. */
  #longestGraceMs: number | undefined;

  /**
   * `known`: the highest term that this process knows by itself, or the time in seconds: stamps far above are forged. Default: 0.
   * `maxGraceMs`: no pod counts for more, whatever a webhook or whoever deletes it made of it. Default: no limit.
   */
  constructor(sources: readonly Source[], known = () => 0, maxGraceMs = Number.POSITIVE_INFINITY) {
    this.#sources = sources;
    this.#known = known;
    this.#maxGraceMs = maxGraceMs;
    for (const source of sources) {
      for (const object of source.list()) {
        this.#noteStamp(object);
        this.count += 1;
      }
      source.subscribe((event) => this.#changed(event));
    }
  }

  /**
   * Caches are warm and the API server answers. Of that the first source is the witness.
   */
  ready(): boolean {
    return this.#sources.every((source) => source.hasSynced) && this.#sources[0]?.lastError === undefined;
  }

  /** Highest plausible term ever seen stamped on a child of ours; 0 when there was none. */
  highestStamp(): number {
    return this.#highestStamp;
  }

  /** Longest termination grace among the pods, those that will be made, and one with this grace, as far as they count; milliseconds. */
  drainMs(graceMs = 0): number {
    const graces = (): readonly number[] => this.#sources.flatMap((source) => source.list().map(graceMsOf));
    this.#longestGraceMs ??= graces().reduce((longest, each) => Math.max(longest, each), 0);
    return Math.min(Math.max(this.#longestGraceMs, graceMs), this.#maxGraceMs);
  }

  /** Resolves with the next event. */
  change(): Promise<void> {
    this.#next ??= Promise.withResolvers();
    return this.#next.promise;
  }

  #changed({ type, object, old }: StoreEvent<KubeObject>): void {
    this.#noteStamp(object);
    this.version += 1;
    if (type !== 'modified') this.count += type === 'added' ? 1 : -1;
    this.#next?.resolve();
    this.#next = undefined;
    const shrinks = type === 'deleted' || (old !== undefined && graceMsOf(object) < graceMsOf(old));
    if (shrinks) this.#longestGraceMs = undefined;
    else if (this.#longestGraceMs !== undefined)
      this.#longestGraceMs = Math.max(this.#longestGraceMs, graceMsOf(object));
  }

  /** Anybody may stamp an object of their own: those of our children count. */
  #noteStamp(object: KubeObject): void {
    const stamp = isMadeByUs(object) ? (wholeNumber(object.metadata.annotations?.[annotations.term]) ?? 0) : 0;
    if (stamp > this.#highestStamp && isPlausible(stamp, this.#known())) this.#highestStamp = stamp;
  }
}

/** Milliseconds; 0 for what nobody here would stop. */
function graceMsOf(object: KubeObject): number {
  return isMadeByUs(object) ? podGraceMs(object) : 0;
}
