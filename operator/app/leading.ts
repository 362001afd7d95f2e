/** The half of a controller that decides whether it may act: election, presence, permit, and the warden of its cluster. */
import type { Pod } from '../api/kubernetes.ts';
import type { KubeObject } from '../cluster/cluster-client.ts';
import type { Watched } from '../cluster/namespaces.ts';
import type { PermitBounds } from '../cluster/permit-lease.ts';
import { PermitLease } from '../cluster/permit-lease.ts';
import type { TenantObjects } from '../cluster/tenant-objects.ts';
import { Chronicle } from '../leadership/chronicle.ts';
import { assertDistinct } from '../leadership/clusters.ts';
import type { Candidate } from '../leadership/election.ts';
import { Elector } from '../leadership/elector.ts';
import { Failback } from '../leadership/failback.ts';
import { LeadershipGuard } from '../leadership/guard.ts';
import { History } from '../leadership/history.ts';
import type { LeaseRecord } from '../leadership/lease-record.ts';
import { PermitKeeper } from '../leadership/permit-keeper.ts';
import { stopMarginMs } from '../leadership/permit.ts';
import type { ClusterView, LeadershipListener, Wishes } from '../leadership/ports.ts';
import { Obedience } from '../leadership/obedience.ts';
import { OrderBook } from '../leadership/orders.ts';
import { Presence } from '../leadership/presence.ts';
import { isShared } from '../leadership/shared.ts';
import { Warden } from '../leadership/warden.ts';
import type { Watchdog } from '../leadership/watchdog.ts';
import type { CellStore } from '../lease/cell-store.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Base } from '../context.ts';
import type { ClusterRef } from '../leadership/lease-record.ts';
import type { WorkloadStopper } from '../standby/workload-stopper.ts';
import { workloadStopper } from '../standby/workload-stopper.ts';

/** What leadership needs of the controller. */
export interface Leading {
  readonly cluster: ClusterRef;
  readonly store: CellStore;
  readonly watchdog: Watchdog;
  readonly objects: TenantObjects;
  /** The highest term that this process knows by itself, or the time in seconds. */
  readonly knownTerm: () => number;
  readonly pods: Watched<Pod>;
  /** Custom resources, of each kind. */
  readonly sources: readonly Watched<KubeObject>[];
  /** Whose the workloads are, or what they need, may have changed. */
  readonly reconsider: () => void;
  /** `gapMs`: since the last sign of the leader before; undefined when there was none, or it goes on after a pause. */
  readonly elected: (term: number, gapMs: number | undefined) => void;
  readonly lost: () => void;
}

/** What the controller needs of leadership. */
export interface Leadership {
  readonly elector: Elector;
  readonly guard: LeadershipGuard;
  readonly presence: Presence;
  readonly permit: Pick<PermitKeeper, 'known'>;
  /** How far the workloads here have been stopped, the permit having ended. */
  readonly stopping: Pick<WorkloadStopper, 'notGone' | 'refused'>;
  /** Caches are warm: it could lead. */
  warm(): void;
  /** Until `leave`, and until nothing is left to be done then. Rejects when this cluster is not what its name says. */
  run(stopping: AbortSignal): Promise<void>;
  /** Gives the lease up, in the way that lets the next one start soonest. */
  leave(): void;
}

/** Composes leadership; nothing is started yet. */
export function lead(base: Base, leading: Leading): Leadership {
  const { config, logger } = base;
  const obedience: Obedience = obeying(base, leading, { elector: () => elector, presence: () => presence });
  const chronicle = chronicleOf(base, leading);
  const parts = common(base, leading, { elector: () => elector, wishes: obedience });
  const { watchdog } = leading;
  const elector: Elector = new Elector({
    ...parts,
    tenant: config.tenant,
    remainsFollower: config.remainsFollower,
    store: leading.store,
    listener: listenerFor(base, leading, { wishes: obedience, chronicle }),
    watchdog,
  });
  const warden = new Warden({ ...parts, lease: elector });
  const { presence, permit, workloads } = parts;
  return {
    elector,
    presence,
    permit,
    stopping: workloads,
    guard: new LeadershipGuard(elector, config.lease.retryPeriodMs, obedience),
    warm() {
      elector.reconsider();
      announce(presence, logger);
    },
    async run(stopping) {
      // What runs here is seen to even where the store cannot be reached.
      const guarding = warden.run();
      try {
        await presence.join(stopping);
        assertDistinct(leading.cluster, presence.peers, config.lease.ttlMs);
        await obedience.look();
        void obedience.run(stopping);
        void workloads.watch(stopping);
        const announcing = presence.run();
        await elector.run();
        presence.stop();
        await announcing;
      } finally {
        warden.stop();
        await guarding;
        await Promise.all([chronicle.settled(), watchdog.close()]);
      }
    },
    leave: () => elector.leave(),
  };
}

function chronicleOf(base: Base, { cluster, store }: Leading): Chronicle {
  return new Chronicle({ ...base, cluster, history: new History(store, base.config.tenant) });
}

/** What elector and warden share. */
function common(base: Base, leading: Leading, { elector, wishes }: Pick<Said, 'elector' | 'wishes'>) {
  const { config, identity, clock, logger, client } = base;
  const { objects, cluster } = leading;
  const { takeover, priority, apiDeadlineMs } = config.failover;
  const candidate: Candidate = { identity, cluster, timing: config.lease, takeover, priority, apiDeadlineMs };
  const bounds = () => permitBounds(base, objects, elector().record);
  const permit = new PermitKeeper(new PermitLease({ ...config, client, known: leading.knownTerm, bounds }));
  const presence = makePresence(base, leading, { elector, wishes, stamp: () => permit.term });
  const shared = () => isShared({ candidate, permit, presence });
  const view: ClusterView = {
    ready: () => objects.ready(),
    highestStamp: () => objects.highestStamp(),
    drainMs: (graceMs) => objects.drainMs(graceMs) + (shared() ? stopMarginMs(objects.count) : 0),
    silentMs: () => client.serverClock.silentMs,
    serverTime: (monotonic) => client.serverClock.at(monotonic),
  };
  return {
    candidate,
    permit,
    presence,
    cluster: view,
    workloads: workloadStopper(base, leading, shared),
    wishes,
    clock,
    logger,
  };
}

/** Where controllers are configured otherwise, the lease says how long they take. */
function permitBounds(
  { config, client }: Base,
  { count }: Pick<TenantObjects, 'count'>,
  record: Pick<LeaseRecord, 'drainMs' | 'ttlMs'> | undefined,
): PermitBounds {
  return {
    drainMs: Math.max(config.maxGracePeriodMs + stopMarginMs(count), record?.drainMs ?? 0),
    ttlMs: Math.max(config.lease.ttlMs, record?.ttlMs ?? 0),
    now: client.serverClock.at(),
  };
}

function listenerFor(
  { metrics }: Base,
  { elected, lost, reconsider }: Leading,
  { wishes, chronicle }: { readonly wishes: Wishes; readonly chronicle: Chronicle },
): LeadershipListener {
  return {
    ...metrics.lease,
    reconsider,
    elected(term, gapMs) {
      metrics.lease.elected(term, gapMs);
      chronicle.elected(term, gapMs);
      if (!wishes.isPaused) elected(term, gapMs);
    },
    lost(term, because, heldMs) {
      metrics.lease.lost(term, because, heldMs);
      chronicle.lost(term, because);
      lost();
    },
  };
}

interface Later {
  readonly elector: () => Elector;
  readonly presence: () => Presence;
}

function obeying({ config, clock, logger }: Base, { store, cluster, elected, lost }: Leading, later: Later): Obedience {
  const { lease, failover, tenant } = config;
  const { priority, failback, failbackDelayMs: delayMs } = failover;
  const better = new Failback({ clusterId: cluster.id, priority, ttlMs: lease.ttlMs, delayMs });
  return new Obedience({
    book: new OrderBook(store, tenant),
    leader: () => later.elector(),
    peers: () => later.presence().peers,
    ...(failback === 'auto' && { failback: better }),
    onPause(paused) {
      const { term } = later.elector();
      if (term && paused) lost();
      else if (term) elected(term.number, undefined);
      later.elector().reconsider();
      announce(later.presence(), logger);
    },
    periodMs: lease.renewDeadlineMs / 2,
    clock,
    logger,
  });
}

function announce(presence: Presence, logger: Logger): void {
  presence
    .announce()
    .catch((error: unknown) => logger.debug('Presence announcement failed, will retry', { error: messageOf(error) }));
}

/** What presence says and hears besides what is configured. */
interface Said {
  readonly elector: () => Elector;
  readonly wishes: Wishes;
  readonly stamp: () => number;
}

function makePresence(
  { config, identity, clock, logger }: Base,
  { cluster, store, objects, reconsider }: Leading,
  { elector, wishes, stamp }: Said,
): Presence {
  const { tenant, lease, failover, ownNamespaces, watchNamespaces, remainsFollower } = config;
  return new Presence({
    tenant,
    identity,
    cluster,
    store,
    clock,
    logger,
    periodMs: lease.renewDeadlineMs / 2,
    highestStamp: () => Math.max(objects.highestStamp(), stamp()),
    mayLead: () => !remainsFollower && objects.ready() && elector().unfitBecause === undefined,
    priority: failover.priority,
    isPaused: () => wishes.isPaused,
    claims: ownNamespaces,
    ...(watchNamespaces.length > 0 && { watches: watchNamespaces }),
    onNeighbours: reconsider,
    onLoss: () => elector().canaryLost(),
  });
}
