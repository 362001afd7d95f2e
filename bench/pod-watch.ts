/** Learns from a watch when pods came to be. */
import { labels } from '../operator/api/group.ts';
import type { Pod } from '../operator/api/kubernetes.ts';
import { type ClusterClient, core } from '../operator/cluster/cluster-client.ts';
import { NAMESPACE } from './objects.ts';

interface Where {
  readonly namespace: string;
  readonly labelSelector: string;
}

export class PodWatch {
  #count = 0;
  readonly #waiting = new Map<number, () => void>();
  readonly #failed = Promise.withResolvers<never>();
  readonly #closing = new AbortController();

  /** Sees the pods of a tenant that come to be from now on. */
  static async open(client: ClusterClient, tenant: string): Promise<PodWatch> {
    const where = { namespace: NAMESPACE, labelSelector: `${labels.tenant}=${tenant}` };
    const { resourceVersion } = await client.list<Pod>(core.pods, where);
    const watch = new PodWatch();
    watch.#follow(client, where, resourceVersion).catch((error: unknown) => watch.#failed.reject(error));
    return watch;
  }

  private constructor() {
    this.#failed.promise.catch(() => {});
  }

  /** When the `count`th pod since the start was seen, by `performance.now()`. */
  nth(count: number): Promise<number> {
    const reached = new Promise<number>((resolve) => {
      if (this.#count >= count) resolve(performance.now());
      else this.#waiting.set(count, () => resolve(performance.now()));
    });
    return Promise.race([reached, this.#failed.promise]);
  }

  get count(): number {
    return this.#count;
  }

  close(): void {
    this.#closing.abort();
  }

  /** A server in trouble may end a watch early: the next one goes on where it ended. */
  async #follow(client: ClusterClient, where: Where, from: string): Promise<void> {
    let resourceVersion = from;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const options = { ...where, resourceVersion, timeoutSeconds: 290, idleMs: 290_000, signal };
      for await (const event of client.watch<Pod>(core.pods, options)) {
        const seen = event.type === 'BOOKMARK' ? event : event.object.metadata;
        resourceVersion = seen.resourceVersion ?? resourceVersion;
        if (event.type === 'ADDED') this.#add();
      }
    }
  }

  #add(): void {
    this.#count++;
    this.#waiting.get(this.#count)?.();
    this.#waiting.delete(this.#count);
  }
}
