/**
 * Pods that have no object any more, and may run on: by what this controller and its colleagues have seen, and by what
 * was noted while they ran. Their nodes are heard, and what is known of them is noted in the cluster.
 */
import { childTypes } from '../api/children.ts';
import type { Pod } from '../api/kubernetes.ts';
import type { CallOptions, ClusterClient, KubeObject } from '../cluster/cluster-client.ts';
import { core, hasCode } from '../cluster/cluster-client.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { workloadNamed } from './parking.ts';
import type { Noted, UnconfirmedNotesOptions } from './unconfirmed-notes.ts';
import { isOvertaken, leftOut, textOf, unconfirmedName, UnconfirmedNotes } from './unconfirmed-notes.ts';
import type { VanishedPods } from './vanished.ts';
import { mayVanishUnseen } from './vanished.ts';

/** Whose pods are awaited, and where they are noted. */
export interface AwaitedPodsOptions extends UnconfirmedNotesOptions {
  readonly client: ClusterClient;
  /** Of the tenant's pods. */
  readonly vanished: VanishedPods;
  /** The tenant's pods, as the cache has them. */
  readonly pods: { readonly hasSynced: boolean; list(): readonly Pod[] };
  /** Whether several clusters share the tenant: then others wait for what may run on here. */
  readonly isShared: () => boolean;
  /** The uid that a person has written on a pod's workload, to say that the pod has stopped. */
  readonly confirmed: (pod: Pod) => string | undefined;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
}

/** Where kubelets say that they live. */
const NODE_LEASES = 'kube-node-lease';

interface NodeLease extends KubeObject {
  readonly spec?: { readonly renewTime?: string };
}

/** Knows which pods may run on although their objects are gone. */
export class AwaitedPods {
  readonly #options: AwaitedPodsOptions;
  readonly #notes: UnconfirmedNotes;
  /** What is noted of pods that run, as far as is known here. */
  #known: string | undefined;

  constructor(options: AwaitedPodsOptions) {
    this.#options = options;
    this.#notes = new UnconfirmedNotes(options);
  }

  /** Whether other pods may vanish unseen than are noted. */
  get hasNews(): boolean {
    const { pods, isShared } = this.#options;
    return isShared() && pods.hasSynced && textOf(pods.list().filter(mayVanishUnseen)) !== this.#known;
  }

  /** Throws what the client throws. */
  noted(call: CallOptions): Promise<Noted> {
    return this.#notes.read(call);
  }

  /**
   * Names of the workloads. `live`: the tenant's pods that have an object, as they were seen after `noted` was read; undefined: not known.
   * Throws what the client throws.
   */
  async look(noted: Noted, live: readonly Pod[] | undefined, call: CallOptions): Promise<readonly string[]> {
    const { vanished } = this.#options;
    vanished.noted(noted.pods, live);
    if (live) vanished.noted(noted.running, live);
    this.#hearPeople(noted);
    await this.#hearNodes(call);
    await this.#note(noted, live, call);
    return vanished.pods.map((object) => workloadNamed({ type: childTypes.pods, object }));
  }

  #hearPeople({ confirmed: said }: Noted): void {
    const { vanished, confirmed } = this.#options;
    for (const pod of vanished.pods) {
      const { uid = '' } = pod.metadata;
      if (confirmed(pod) === uid || said.has(uid)) vanished.confirmed(pod);
    }
  }

  async #hearNodes(call: CallOptions): Promise<void> {
    const { vanished, client, clock } = this.#options;
    for (const node of vanished.nodes) {
      const sign = await signOf(node, client, call);
      if (sign !== 'forbidden') vanished.heard(node, sign.renewedAt, clock.monotonic());
    }
  }

  async #note(noted: Noted, live: readonly Pod[] | undefined, call: CallOptions): Promise<void> {
    const { vanished, isShared } = this.#options;
    const running = live && isShared() ? live.filter(mayVanishUnseen) : noted.running;
    try {
      await this.#notes.write(noted, { pods: vanished.pods, running }, call);
      if (textOf(running) !== this.#known) this.#sayWhatIsLeftOut(running);
      this.#known = textOf(running);
    } catch (error) {
      if (!isOvertaken(error)) throw error;
    }
  }

  #sayWhatIsLeftOut(running: readonly Pod[]): void {
    const left = leftOut(running);
    if (left === 0) return;
    const { logger, tenant } = this.#options;
    const lease = unconfirmedName(tenant);
    logger.warn('Recorded only some of the running pods: the others are unknown after a restart', {
      unrecorded: left,
      lease,
    });
  }
}

/** What a node's Lease says; `forbidden`: it may not be read, so that only a person can tell. */
async function signOf(
  node: string,
  client: ClusterClient,
  call: CallOptions,
): Promise<{ readonly renewedAt: string | undefined } | 'forbidden'> {
  try {
    const lease = await client.get<NodeLease>(core.leases, { name: node, namespace: NODE_LEASES }, call);
    return { renewedAt: lease?.spec?.renewTime };
  } catch (error) {
    if (hasCode(error, 403)) return 'forbidden';
    throw error;
  }
}
