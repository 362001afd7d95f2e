/**
 * Statuses in a cluster that must not run the tenant's workloads, or not yet. Where nobody leads, of its controllers the
 * first by identity speaks.
 */
import { API_VERSION } from '../api/group.ts';
import type { KubeObject, ResourceType } from '../cluster/cluster-client.ts';
import { hasCode } from '../cluster/cluster-client.ts';
import type { Watched } from '../cluster/namespaces.ts';
import { hasEnded } from '../leadership/permit.ts';
import type { LeaseRecord } from '../leadership/lease-record.ts';
import { isStandby } from '../leadership/presence.ts';
import { messageOf } from '../lib/errors.ts';
import { forEach } from '../lib/each.ts';
import { StatusWriter } from '../reconcile/apply.ts';
import { workloadName } from '../reconcile/metadata.ts';
import type { Elsewhere } from '../reconcile/standby.ts';
import type { EventSink } from '../reconcile/ports.ts';
import { standbyStatus, STOP_REFUSED } from '../reconcile/standby.ts';
import type { CommonStatus } from '../reconcile/status.ts';
import { occasionOf, readyReason } from '../reconcile/status.ts';
import type { Tenancy } from '../reconcile/tenancy.ts';
import type { Base } from '../context.ts';
import type { ClusterRef } from '../leadership/lease-record.ts';
import type { Elector } from '../leadership/elector.ts';
import type { PermitKeeper } from '../leadership/permit-keeper.ts';
import type { Presence } from '../leadership/presence.ts';
import type { WorkloadStopper } from './workload-stopper.ts';

/** What is known of the lease, and of what still runs here without it. */
export interface StandbyView {
  readonly elector: Pick<Elector, 'seen' | 'isDeparting' | 'term' | 'heldBack'>;
  readonly presence: Pick<Presence, 'peers'>;
  readonly permit: Pick<PermitKeeper, 'known'>;
  readonly stopping: Pick<WorkloadStopper, 'notGone' | 'refused'>;
}

/** Whose statuses are written, and from what. */
export interface StandbyOptions {
  readonly base: Base;
  readonly cluster: ClusterRef;
  readonly leadership: StandbyView;
  readonly tenancy: Tenancy;
  readonly events: EventSink;
  /** Of the kinds. */
  readonly sources: readonly Watched<KubeObject>[];
}

type Workload = KubeObject & { status?: CommonStatus };

/** One custom resource. */
interface Topic {
  readonly source: Watched<KubeObject>;
  readonly namespace: string;
  readonly name: string;
}

const AT_ONCE = 8;

/** Writes the statuses of the tenant's workloads while this cluster does not run them. */
export class StandbyStatuses {
  readonly #options: StandbyOptions;
  /** Of which something new may have to be said. */
  readonly #topics = new Map<string, Topic>();
  /** What was said of all last. */
  #news = '';

  constructor(options: StandbyOptions) {
    this.#options = options;
    for (const source of options.sources) source.subscribe(({ object }) => this.#mark(source, object));
  }

  /** Until `stopping` is aborted. */
  async run(stopping: AbortSignal): Promise<void> {
    const { clock, config } = this.#options.base;
    while (!stopping.aborted) {
      await this.report();
      await clock.sleep(config.lease.retryPeriodMs / 2, stopping).catch(() => {});
    }
  }

  /** Says what is to be said now. */
  async report(): Promise<void> {
    const news = this.#newsNow();
    if (news === undefined) return this.#forget();
    if (news !== this.#news) for (const source of this.#options.sources) this.#markAll(source);
    this.#news = news;
    try {
      await forEach([...this.#topics], AT_ONCE, async ([key, topic]) => {
        await this.#say(topic);
        this.#topics.delete(key);
      });
    } catch (error) {
      this.#options.base.logger.warn('Failed to write the statuses of stopped workloads', { error: messageOf(error) });
    }
  }

  /** All will be new when there is something to say again. */
  #forget(): void {
    this.#topics.clear();
    this.#news = '';
  }

  #markAll(source: Watched<KubeObject>): void {
    for (const object of source.list()) this.#mark(source, object);
  }

  #mark(source: Watched<KubeObject>, { metadata: { name, namespace = '' } }: KubeObject): void {
    this.#topics.set(`${source.type.plural}/${namespace}/${name}`, { source, namespace, name });
  }

  async #say({ source, namespace, name }: Topic): Promise<void> {
    const { base, tenancy } = this.#options;
    const elsewhere = this.#elsewhere(workloadName(source.type.kind, { namespace, name }));
    const workload = source.get({ namespace, name }) as Workload | undefined;
    if (!elsewhere || !workload || workload.metadata.deletionTimestamp !== undefined) return;
    const ownership = tenancy.of(workload);
    if (ownership !== 'ours' && ownership !== 'claimable') return;
    const { clusterClock, config, logger } = base;
    const { holder, term, stillRuns } = elsewhere;
    const at = { now: clusterClock.wall(), tenant: config.tenant, holder: holder ?? '', term };
    const next = standbyStatus(workload.status, elsewhere, occasionOf(workload, at));
    const written = await this.#write(source.type, workload, { next, isClaim: ownership === 'claimable' });
    if (!written) return;
    source.observe(written);
    const reason = readyReason(written.status);
    if (reason === readyReason(workload.status)) return;
    logger.info('Entered standby', { kind: source.type.kind, namespace, name, stillRunning: stillRuns });
    if (reason === STOP_REFUSED) this.#warn(source.type.kind, written);
  }

  #warn(kind: string, { metadata: { namespace = '', name, uid = '' }, status }: Workload): void {
    this.#options.events.record({
      regarding: { apiVersion: API_VERSION, kind, namespace, name, uid },
      type: 'Warning',
      reason: STOP_REFUSED,
      action: 'Stop',
      note: status?.lastError ?? '',
    });
  }

  /** What nobody has yet may have been taken, or changed: then there will be news of it. */
  async #write(
    type: ResourceType,
    workload: Workload,
    { next, isClaim }: { readonly next: CommonStatus; readonly isClaim: boolean },
  ): Promise<Workload | undefined> {
    const statuses = new StatusWriter<Workload>(this.#options.base.client, type);
    if (!isClaim) return statuses.write(workload, next);
    try {
      return await statuses.writeAsSeen(workload, next);
    } catch (error) {
      if (hasCode(error, 409)) return undefined;
      throw error;
    }
  }

  /** Where the workload is, if it is not for the reconcilers to say. */
  #elsewhere(workload: string): (Elsewhere & { readonly term: number }) | undefined {
    const { base, cluster, leadership } = this.#options;
    const record = this.#whoeverRunsThem();
    const stillRuns = leadership.stopping.notGone?.includes(workload) ?? false;
    const refusedBecause = leadership.stopping.refused.get(workload);
    if (record) {
      const { holder, term } = record;
      return { clusterName: record.cluster.name, holder, term, stillRuns, refusedBecause };
    }
    const { term, heldBack } = leadership.elector;
    const endsIn = heldBack.get(workload)?.cluster.name;
    if (!term || endsIn === undefined) return undefined;
    return { clusterName: cluster.name, holder: base.identity, term: term.number, stillRuns: false, endsIn };
  }

  /** The same while there is nothing new to say of anything; undefined: nothing at all. */
  #newsNow(): string | undefined {
    const record = this.#whoeverRunsThem();
    const { elector, stopping } = this.#options.leadership;
    const { notGone, refused } = stopping;
    // Asked once: its deadline may pass between two questions.
    const { term, heldBack } = elector;
    if (!record && term && heldBack.size > 0) return JSON.stringify([term.number, ...heldBack.keys()]);
    return record && notGone && JSON.stringify([record.holder, record.term, notGone, ...refused]);
  }

  /** The lease, when it is not for this cluster to run anything, and for this controller to say so. */
  #whoeverRunsThem(): LeaseRecord | undefined {
    const { base, cluster, leadership } = this.#options;
    const { seen, isDeparting } = leadership.elector;
    const now = base.client.serverClock.at();
    if (!seen || now === undefined || !hasEnded(leadership.permit.known, now)) return undefined;
    if (seen.holder === base.identity && isDeparting) return seen;
    if (seen.holder !== null && seen.cluster.id === cluster.id) return undefined;
    return this.#isSpeaker() ? seen : undefined;
  }

  #isSpeaker(): boolean {
    const { base, cluster, leadership } = this.#options;
    const here = leadership.presence.peers.filter(
      (peer) => peer.cluster.id === cluster.id && isStandby(peer, base.config.lease.ttlMs),
    );
    return here.every(({ identity }) => base.identity <= identity);
  }
}
