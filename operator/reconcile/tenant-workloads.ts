/**
 * All workloads of a tenant in the own cluster, as far as stopping them goes. Looks are lists of their own, never a cache:
 * what one of our own writes made a moment ago must not be missed.
 */
import type { ChildType } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import { labels } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';
import type { ClusterClient } from '../cluster/cluster-client.ts';
import { forEach } from '../lib/each.ts';
import { messageOf } from '../lib/errors.ts';
import { Applier } from './apply.ts';
import type { AwaitedPodsOptions } from './awaited-pods.ts';
import { AwaitedPods } from './awaited-pods.ts';
import type { AnyChild } from './child.ts';
import type { Found } from './parking.ts';
import { mayRun, parkedTypes, parkingOf, workloadNamed } from './parking.ts';

/** Of each request. */
interface Call {
  readonly signal?: AbortSignal;
  readonly timeoutMs: number;
}

/** Whose workloads are stopped, and who hears of it. */
export interface TenantWorkloadsOptions extends AwaitedPodsOptions {
  readonly client: ClusterClient;
  /** All when there is none. */
  readonly watchNamespaces: readonly string[];
  /** Resolves when the API server is known to start nothing more of the tenant's, its permit having ended. */
  readonly fenced: (call: Call) => Promise<void>;
  /** Longest that a pod gets to stop. Milliseconds; without end unless told. */
  readonly maxGraceMs?: number;
  /** It was asked to stop, and the API server refused; for people. */
  readonly onRefused?: (found: Found, because: string) => void;
}

const AT_ONCE = 16;

/** Stops the workloads, and knows whether they have ended. */
export class TenantWorkloads {
  readonly #options: TenantWorkloadsOptions;
  readonly #awaited: AwaitedPods;

  constructor(options: TenantWorkloadsOptions) {
    this.#options = options;
    this.#awaited = new AwaitedPods(options);
  }

  /** Asks everything to stop, whatever its stamp. Throws what the client throws, when the rest has been asked. */
  async park(call: Call): Promise<void> {
    const found = await Promise.all(parkedTypes.map((type) => this.#list(type, call)));
    await this.#parkAll(found.flat());
  }

  /**
   * The workloads of which something runs or may still start, by kind and name. Makers are looked at before their pods.
   * Names of pods that have ended are set free.
   */
  async running(call: Call): Promise<readonly string[]> {
    await this.#options.fenced(call);
    const noted = await this.#awaited.noted(call);
    const makers = parkedTypes.filter((type) => type !== childTypes.pods);
    const made = (await Promise.all(makers.map((type) => this.#list(type, call)))).flat();
    const pods = await this.#list(childTypes.pods, call);
    const found = [...made, ...pods];
    // A name that is not set free yet does not change what runs.
    await this.#parkAll(pods.filter((each) => !mayRun(each))).catch((error: unknown) => {
      this.#options.logger.warn('Failed to release the name of an ended pod', { error: messageOf(error) });
    });
    const live = pods.map(({ object }) => object as Pod);
    this.#options.vanished.found(live);
    const awaited = await this.#awaited.look(noted, live, call);
    return [...new Set([...found.filter(mayRun).map(workloadNamed), ...awaited])].toSorted();
  }

  async #list(type: ChildType, call: Call): Promise<readonly Found[]> {
    const { client, tenant, watchNamespaces } = this.#options;
    const options = { ...call, labelSelector: `${labels.tenant}=${tenant}` };
    const places = watchNamespaces.length === 0 ? [{}] : watchNamespaces.map((namespace) => ({ namespace }));
    const lists = await Promise.all(places.map((place) => client.list<AnyChild>(type, { ...options, ...place })));
    return lists.flatMap(({ items }) => items.map((object) => ({ type, object })));
  }

  /** Workloads of pods that have no object any more, and may run on. */
  async awaited(call: Call): Promise<readonly string[]> {
    const noted = await this.#awaited.noted(call);
    const { pods } = this.#options;
    return this.#awaited.look(noted, pods.hasSynced ? pods.list() : undefined, call);
  }

  /** Whether other pods may vanish unseen than are noted. */
  get hasNews(): boolean {
    return this.#awaited.hasNews;
  }

  async #parkAll(all: readonly Found[]): Promise<void> {
    await forEach(all, AT_ONCE, async (found) => {
      const action = parkingOf(found, this.#options.maxGraceMs);
      if (!action) return;
      const { client, logger } = this.#options;
      const { name, namespace } = found.object.metadata;
      const fields = { child: found.type.kind, namespace, name, action: action.type };
      try {
        const { changed } = await new Applier<AnyChild>(client, found.type).apply(action);
        if (!changed) logger.info('Stopped child', fields);
      } catch (error) {
        logger.warn('Failed to stop child', { ...fields, error: messageOf(error) });
        this.#options.onRefused?.(found, messageOf(error));
        throw error;
      }
    });
  }
}
