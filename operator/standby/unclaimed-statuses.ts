/**
 * Workloads on which nobody acts: their status says so. Of all controllers in the cluster that look at the namespace the
 * first, by tenant and identity, speaks, whether it leads or not. A write fails when the workload has changed since. Whose
 * workload somebody writes it over, that tenant acts: nothing is said of its workloads any more.
 */
import type { ClusterClient, KubeObject } from '../cluster/cluster-client.ts';
import { hasCode } from '../cluster/cluster-client.ts';
import type { Watched } from '../cluster/namespaces.ts';
import type { NeighbouringController } from '../leadership/neighbours.ts';
import { RETURN_MS } from '../leadership/neighbours.ts';
import type { Clock } from '../lib/clock.ts';
import { forEach } from '../lib/each.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { StatusWriter } from '../reconcile/apply.ts';
import type { CommonStatus } from '../reconcile/status.ts';
import { timestamp } from '../reconcile/status.ts';
import type { Tenancy } from '../reconcile/tenancy.ts';
import type { Neglect } from '../reconcile/unclaimed.ts';
import { UnseenTenants } from './unseen-tenants.ts';
import { isContradicted, neglectedStatus, neglectOf } from '../reconcile/unclaimed.ts';

type Workload = KubeObject & { status?: CommonStatus };
type Source = Pick<Watched<KubeObject>, 'type' | 'subscribe' | 'get' | 'list' | 'observe'>;

/** Whose statuses are written, and from what. */
export interface UnclaimedOptions {
  readonly identity: string;
  readonly client: ClusterClient;
  readonly clock: Clock;
  readonly clusterClock: Clock;
  readonly logger: Logger;
  readonly tenancy: Tenancy;
  readonly neighbours: () => {
    /** By tenant and identity. */
    readonly controllers: readonly NeighbouringController[];
    readonly isSettled: boolean;
  };
  /** Of the kinds. */
  readonly sources: readonly Source[];
  /** Milliseconds between two looks at what has changed. */
  readonly periodMs: number;
}

/** One custom resource of which something may have to be said. */
interface Topic {
  readonly source: Source;
  readonly namespace: string;
  readonly name: string;
  /** Since when nobody has acted on it, on the monotonic clock. */
  readonly since?: number;
}

const AT_ONCE = 8;
/** Whoever is to act on a new workload, or is about to put a label on it, has so long. */
const PATIENCE_MS = 5000;

/** Writes the statuses of workloads that no tenant acts on. */
export class UnclaimedStatuses {
  readonly #options: UnclaimedOptions;
  readonly #topics = new Map<string, Topic>();
  /** What was said last of a workload, by its uid; as long as that holds. */
  readonly #said = new Map<string, string>();
  readonly #unseen = new UnseenTenants();
  #seen = '';

  constructor(options: UnclaimedOptions) {
    this.#options = options;
    for (const source of options.sources) {
      source.subscribe(({ type, object }) => {
        if (type === 'deleted') this.#said.delete(object.metadata.uid ?? '');
        this.#mark(source, object);
      });
    }
  }

  /** Until `stopping` is aborted. */
  async run(stopping: AbortSignal): Promise<void> {
    const { clock, periodMs } = this.#options;
    while (!stopping.aborted) {
      await this.report();
      await clock.sleep(periodMs, stopping).catch(() => {});
    }
  }

  /** Says what is to be said now. */
  async report(): Promise<void> {
    const { neighbours, tenancy, sources, logger } = this.#options;
    const { isSettled, controllers } = neighbours();
    if (!isSettled) return;
    const seen = JSON.stringify([controllers, tenancy.tenants.map(({ name, lives }) => [name, lives])]);
    if (seen !== this.#seen)
      for (const source of sources) for (const object of source.list()) this.#mark(source, object);
    this.#seen = seen;
    for (const { name, lives } of tenancy.tenants) if (lives) this.#unseen.forget(name);
    try {
      await forEach([...this.#topics], AT_ONCE, ([key, topic]) => this.#consider(key, topic));
    } catch (error) {
      logger.warn('Failed to write the statuses of unmanaged workloads', { error: messageOf(error) });
    }
  }

  #mark(source: Source, { metadata: { name, namespace = '' } }: KubeObject): void {
    const key = `${source.type.plural}/${namespace}/${name}`;
    if (!this.#topics.has(key)) this.#topics.set(key, { source, namespace, name });
  }

  async #consider(key: string, topic: Topic): Promise<void> {
    const { source, namespace, name, since = this.#options.clock.monotonic() } = topic;
    const workload = source.get({ namespace, name }) as Workload | undefined;
    const neglect = workload && this.#neglectOf(workload);
    if (!neglect) {
      this.#topics.delete(key);
      this.#said.delete(workload?.metadata.uid ?? '');
      return;
    }
    const may = this.#maySay(workload, neglect, since);
    if (may === 'now') await this.#say(source, workload, neglect);
    if (may === 'later') this.#topics.set(key, { ...topic, since });
    else this.#topics.delete(key);
  }

  /** `since`: when nobody acted on it for the first time. */
  #maySay(workload: Workload, { tenant }: Neglect, since: number): 'now' | 'later' | 'never' {
    const { uid = '', namespace = '' } = workload.metadata;
    if (!this.#isSpeaker(namespace)) return 'never';
    const said = this.#said.get(uid);
    if (said !== undefined && isContradicted(workload, said)) {
      if (tenant !== undefined) this.#unseen.acts(tenant);
      return 'never';
    }
    const now = this.#options.clock.monotonic();
    if (now - since < (workload.status?.controller ? RETURN_MS : PATIENCE_MS)) return 'later';
    return tenant === undefined ? 'now' : this.#unseen.maySay(tenant, uid, now);
  }

  #neglectOf(workload: Workload): Neglect | undefined {
    const { tenancy } = this.#options;
    const { deletionTimestamp, namespace = '' } = workload.metadata;
    return deletionTimestamp === undefined ? neglectOf(tenancy.owner(workload), namespace, tenancy.tenants) : undefined;
  }

  async #say(source: Source, workload: Workload, neglect: Neglect): Promise<void> {
    const { client, clusterClock, logger } = this.#options;
    const { uid = '', namespace, name } = workload.metadata;
    const next = neglectedStatus(workload, neglect, timestamp(clusterClock.wall()));
    try {
      const written = await new StatusWriter<Workload>(client, source.type).writeAsSeen(workload, next);
      this.#said.set(uid, neglect.message);
      if (!written) return;
      source.observe(written);
      logger.info('Found an unmanaged workload', { kind: source.type.kind, namespace, name, reason: neglect.reason });
    } catch (error) {
      if (!hasCode(error, 409)) throw error;
    }
  }

  #isSpeaker(namespace: string): boolean {
    const { identity, neighbours, tenancy } = this.#options;
    const first = neighbours().controllers.find(
      ({ isHere, lives, watches }) => isHere && lives && (watches?.includes(namespace) ?? true),
    );
    return first?.tenant === tenancy.tenant && first.identity === identity;
  }
}
