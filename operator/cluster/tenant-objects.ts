/** What the election must know of the tenant's objects in this cluster, from the caches that the reconcilers use. */
import { annotations } from '../api/group.ts';
import type { KubeObject } from './cluster-client.ts';
import type { Reflector } from './reflector.ts';

interface MaybePod extends KubeObject {
  spec?: { terminationGracePeriodSeconds?: number };
}

type Source = Pick<Reflector<KubeObject>, 'list' | 'hasSynced' | 'lastError'>;

export class TenantObjects {
  readonly #sources: readonly Source[];
  /** Longest grace that a pod without one of its own gets, milliseconds. */
  readonly #defaultDrainMs: number;

  constructor(sources: readonly Source[], defaultDrainMs: number) {
    this.#sources = sources;
    this.#defaultDrainMs = defaultDrainMs;
  }

  /** Caches are warm and the API server answered last time. */
  ready(): boolean {
    return this.#sources.every((source) => source.hasSynced && source.lastError === undefined);
  }

  /** Highest term stamped on any object; 0 when there is none. */
  highestStamp(): number {
    return this.#max((object) => Number(object.metadata.annotations?.[annotations.term] ?? 0));
  }

  /** Longest termination grace among the pods, milliseconds. */
  drainMs(): number {
    return Math.max(
      this.#defaultDrainMs,
      this.#max(({ spec }: MaybePod) => (spec?.terminationGracePeriodSeconds ?? 0) * 1000),
    );
  }

  #max(value: (object: KubeObject) => number): number {
    let highest = 0;
    for (const source of this.#sources) {
      for (const object of source.list()) {
        const of = value(object);
        if (of > highest) highest = of;
      }
    }
    return highest;
  }
}
