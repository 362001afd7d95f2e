/**
 * All workloads of a tenant in the own cluster, as far as stopping them goes. Looks are lists of their own, never a cache:
 * what one of our own writes made a moment ago must not be missed.
 */
import type { ChildType } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import { labels } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';
import type { ClusterClient, KubeObject } from '../cluster/cluster-client.ts';
import { core, hasCode } from '../cluster/cluster-client.ts';
import type { Clock } from '../lib/clock.ts';
import { forEach } from '../lib/each.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { Applier } from './apply.ts';
import type { AnyChild } from './child.ts';
import type { Found } from './parking.ts';
import { mayRun, parkedTypes, parkingOf, workloadNamed } from './parking.ts';
import { isOvertaken, UnconfirmedNotes } from './unconfirmed-notes.ts';
import type { VanishedPods } from './vanished.ts';

/** Of each request. */
interface Call {
  readonly signal?: AbortSignal;
  readonly timeoutMs: number;
}

export interface TenantWorkloadsOptions {
  readonly client: ClusterClient;
  readonly tenant: string;
  /** Of the permit. */
  readonly namespace: string;
  /** All when there is none. */
  readonly watchNamespaces: readonly string[];
  /** Resolves when the API server is known to start nothing more of the tenant's, its permit having ended. */
  readonly fenced: (call: Call) => Promise<void>;
  /** Of the tenant's pods. */
  readonly vanished: VanishedPods;
  /** The uid that a person has written on a pod's workload, to say that the pod has stopped. */
  readonly confirmed: (pod: Pod) => string | undefined;
  /** It was asked to stop, and the API server refused; for people. */
  readonly onRefused?: (found: Found, because: string) => void;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
}

const AT_ONCE = 16;
/** Where kubelets say that they live. */
const NODE_LEASES = 'kube-node-lease';

interface NodeLease extends KubeObject {
  readonly spec?: { readonly renewTime?: string };
}

export class TenantWorkloads {
  readonly #options: TenantWorkloadsOptions;

  readonly #notes: UnconfirmedNotes;

  constructor(options: TenantWorkloadsOptions) {
    this.#options = options;
    this.#notes = new UnconfirmedNotes(options);
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
    const makers = parkedTypes.filter((type) => type !== childTypes.pods);
    const made = (await Promise.all(makers.map((type) => this.#list(type, call)))).flat();
    const pods = await this.#list(childTypes.pods, call);
    const found = [...made, ...pods];
    // A name that is not set free yet does not change what runs.
    await this.#parkAll(pods.filter((each) => !mayRun(each))).catch((error: unknown) => {
      this.#options.logger.warn('A name of a pod that has ended was not set free', { error: messageOf(error) });
    });
    const awaited = await this.awaited(call);
    return [...new Set([...found.filter(mayRun).map(workloadNamed), ...awaited])].toSorted();
  }

  async #list(type: ChildType, call: Call): Promise<readonly Found[]> {
    const { client, tenant, watchNamespaces } = this.#options;
    const options = { ...call, labelSelector: `${labels.tenant}=${tenant}` };
    const places = watchNamespaces.length === 0 ? [{}] : watchNamespaces.map((namespace) => ({ namespace }));
    const lists = await Promise.all(places.map((place) => client.list<AnyChild>(type, { ...options, ...place })));
    return lists.flatMap(({ items }) => items.map((object) => ({ type, object })));
  }

  /**
   * Workloads of pods that have no object any more, and may run on, by what this controller and its colleagues have seen.
   * Their nodes are heard, and what is known of them is noted in the cluster.
   */
  async awaited(call: Call): Promise<readonly string[]> {
    const { vanished, confirmed, client, clock } = this.#options;
    const noted = await this.#notes.read(call);
    vanished.noted(noted.pods);
    for (const pod of vanished.pods) {
      const { uid = '' } = pod.metadata;
      if (confirmed(pod) === uid || noted.confirmed.has(uid)) vanished.confirmed(pod);
    }
    for (const node of vanished.nodes) {
      const sign = await signOf(node, client, call);
      if (sign !== 'forbidden') vanished.heard(node, sign.renewedAt, clock.monotonic());
    }
    await this.#notes.write(noted, vanished.pods, call).catch((error: unknown) => {
      if (!isOvertaken(error)) throw error;
    });
    return vanished.pods.map((object) => workloadNamed({ type: childTypes.pods, object }));
  }

  async #parkAll(all: readonly Found[]): Promise<void> {
    await forEach(all, AT_ONCE, async (found) => {
      const action = parkingOf(found);
      if (!action) return;
      const { client, logger } = this.#options;
      const { name, namespace } = found.object.metadata;
      const fields = { child: found.type.kind, namespace, name, action: action.type };
      try {
        const { changed } = await new Applier<AnyChild>(client, found.type).apply(action);
        if (!changed) logger.info('Parked', fields);
      } catch (error) {
        logger.warn('Could not be stopped', { ...fields, error: messageOf(error) });
        this.#options.onRefused?.(found, messageOf(error));
        throw error;
      }
    });
  }
}

/** What a node's Lease says; `forbidden`: it may not be read, so that only a person can tell. */
async function signOf(
  node: string,
  client: ClusterClient,
  call: Call,
): Promise<{ readonly renewedAt: string | undefined } | 'forbidden'> {
  try {
    const lease = await client.get<NodeLease>(core.leases, { name: node, namespace: NODE_LEASES }, call);
    return { renewedAt: lease?.spec?.renewTime };
  } catch (error) {
    if (hasCode(error, 403)) return 'forbidden';
    throw error;
  }
}
