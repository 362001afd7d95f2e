/**
 * A controller from its parts: caches, leadership, reconcilers, and what speaks where nobody leads. What reaches outside
 * of the process (store, API server, clocks, randomness) is passed in, so that the simulator composes the same.
 */
import { GROUP } from '../api/group.ts';
import type { KubeObject } from '../cluster/cluster-client.ts';
import { EventRecorder } from '../cluster/events.ts';
import type { Watched } from '../cluster/namespaces.ts';
import { TenantObjects } from '../cluster/tenant-objects.ts';
import type { Config } from '../config/config.ts';
import type { ControllerDeps } from '../controller/controller.ts';
import type { Controllers } from '../controller/controllers.ts';
import type { HealthChecks } from '../http/health.ts';
import { LedgerStore } from '../ledger/ledger.ts';
import { ProcessLedger } from '../ledger/process-ledger.ts';
import type { CellStore } from '../lease/cell-store.ts';
import type { Watchdog } from '../leadership/watchdog.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { NamespaceDefaults } from '../reconcile/namespace-defaults.ts';
import { Tenancy } from '../reconcile/tenancy.ts';
import { countWorkloads, healthChecks, watchVitals } from '../vitals/vitals.ts';
import type { Base } from '../context.ts';
import type { ClusterRef } from '../leadership/lease-record.ts';
import { timeFailover } from '../vitals/failover-timer.ts';
import { allCaches, type Caches, childCaches, kinds, openCaches } from './kinds.ts';
import { lead, type Leadership } from './leading.ts';
import type { OverlapOptions } from '../vitals/overlap-watch.ts';
import { watchOverlaps } from '../vitals/overlap-watch.ts';
import { StandbyStatuses } from '../standby/standby-statuses.ts';
import { UnclaimedStatuses } from '../standby/unclaimed-statuses.ts';

/** The loop over all kinds. */
type Operator = Pick<
  Controllers,
  'manage' | 'start' | 'synced' | 'onElected' | 'onDemoted' | 'reconsider' | 'quiesce' | 'shutdown'
>;

/** What reaches outside of the process. */
export interface Surroundings {
  readonly cluster: ClusterRef;
  /** Closed when the controller has ended. */
  readonly store: CellStore;
  readonly watchdog: Watchdog;
  readonly operate: (deps: ControllerDeps) => Operator;
}

/** A controller that can be run, and what others may see of it. */
export interface Composed {
  readonly health: HealthChecks;
  readonly leadership: Leadership;
  readonly caches: Caches;
  readonly objects: TenantObjects;
  /** Until `stopping` is aborted; then the workers end first and the lease last. */
  run(stopping: AbortSignal): Promise<void>;
}

/** Composes a controller; nothing is started before `run`. */
export function compose(base: Base, surroundings: Surroundings): Composed {
  const { config, clock, logger, metrics, client, random } = base;
  const { cluster, store, watchdog } = surroundings;
  const caches = openCaches({ ...config, client, clock, logger, random });
  countWorkloads(caches.workloads, metrics);
  metrics.clusterPriority(cluster.name, config.failover.priority);
  const knownTerm = () => Math.max(leadership.elector.highestTerm, Math.floor(base.clusterClock.wall() / 1000));
  const objects = new TenantObjects(childCaches(caches), knownTerm, config.maxGracePeriodMs);
  const sources = Object.values(caches.workloads) as readonly Watched<KubeObject>[];
  const tenancy: Tenancy = tenancyOf(config, () => leadership.presence.neighbours);
  const timer = { base, tenancy, sources, term: () => leadership.elector.term?.number };
  const leadership: Leadership = lead(base, {
    cluster,
    store,
    watchdog,
    objects,
    knownTerm,
    pods: caches.children.pods,
    sources,
    reconsider: () => operator.reconsider(),
    elected(term, gapMs) {
      operator.onElected();
      if (gapMs !== undefined) void timeFailover(timer, term, gapMs);
    },
    lost: () => operator.onDemoted(),
  });
  const leads = () => leadership.elector.term !== undefined;
  const reporting = { reportingController: `${GROUP}/controller`, reportingInstance: base.identity };
  const recorder = { client, clock: base.clusterClock, logger, ...reporting };
  const events = new EventRecorder({ ...recorder, enabled: leads });
  const notices = new EventRecorder(recorder);
  const operator = manage(base, surroundings, { caches, leadership, events, tenancy });
  const overlap = { base, leads, pods: caches.children.pods, sources };
  const standby = new StandbyStatuses({ base, cluster, leadership, tenancy, events: notices, sources });
  const unclaimed = unclaimedStatuses(base, { leadership, tenancy, sources });
  return {
    health: healthChecks(allCaches(caches), leadership.elector),
    leadership,
    caches,
    objects,
    run: (stopping) =>
      conduct(
        base,
        { cluster, store, objects, leadership, events: [events, notices], operator, standby, unclaimed, overlap },
        stopping,
      ),
  };
}

function tenancyOf(config: Config, neighbours: () => Leadership['presence']['neighbours']): Tenancy {
  return new Tenancy({ ...config, others: () => neighbours().others, isSettled: () => neighbours().isSettled });
}

interface Seen {
  readonly leadership: Leadership;
  readonly tenancy: Tenancy;
  readonly sources: readonly Watched<KubeObject>[];
}

function unclaimedStatuses(base: Base, { leadership, tenancy, sources }: Seen): UnclaimedStatuses {
  const neighbours = () => leadership.presence.neighbours;
  return new UnclaimedStatuses({ ...base, tenancy, sources, neighbours, periodMs: base.config.lease.retryPeriodMs });
}

interface Parts {
  readonly cluster: ClusterRef;
  readonly store: CellStore;
  readonly objects: TenantObjects;
  readonly leadership: Leadership;
  readonly events: readonly EventRecorder[];
  readonly operator: Operator;
  readonly standby: StandbyStatuses;
  readonly unclaimed: UnclaimedStatuses;
  readonly overlap: OverlapOptions;
}

/** Until `stopping` is aborted; then the workers end first and the lease last. */
async function conduct(
  { config, clock, logger, metrics }: Base,
  { cluster, store, objects, leadership, events, operator, standby, unclaimed, overlap }: Parts,
  stopping: AbortSignal,
): Promise<void> {
  await operator.start();
  void operator.synced().then(
    () => leadership.warm(),
    () => {},
  );
  const healthy = () => objects.ready() && leadership.elector.unfitBecause === undefined;
  void watchVitals({ clock, metrics, clusterName: cluster.name, healthy, elector: leadership.elector }, stopping);
  void standby.run(stopping);
  void unclaimed.run(stopping);
  void watchOverlaps(overlap, stopping);
  try {
    const running = leadership.run(stopping);
    await Promise.race([running, aborted(stopping)]);
    logger.info('Stopping', { reason: messageOf(stopping.reason) });
    await within(clock, config.terminationGracePeriodMs, operator.quiesce());
    leadership.leave();
    await running;
    await standby.report();
  } finally {
    await operator.shutdown();
    await Promise.all(events.map((each) => each.close()));
    await store.close();
  }
}

interface Managed {
  readonly caches: Caches;
  readonly leadership: Leadership;
  readonly events: EventRecorder;
  readonly tenancy: Tenancy;
}

function manage(
  { config, clock, clusterClock, logger, metrics, client, random }: Base,
  { cluster, store, operate }: Surroundings,
  { caches, leadership, events, tenancy }: Managed,
): Operator {
  const { tenant, workers, workloads: declarations } = config;
  const operator = operate({
    guard: leadership.guard,
    dispute: (error) => void leadership.elector.dispute(error),
    clock,
    random,
    logger,
    queueObserver: (kind) => metrics.queue(kind),
    workerObserver: metrics.worker,
  });
  const shared = { caches, client, events, clock: clusterClock, tenant, workers, logger, declarations };
  const ledger = new LedgerStore(store, tenant);
  const pasts = new ProcessLedger(store, tenant);
  const podDefaults = new NamespaceDefaults({ client, clock, logger, podDefaults: config.podDefaults });
  const { maxGracePeriodMs: maxGraceMs } = config;
  const place = { clusterName: cluster.name, clusterId: cluster.id, podDefaults, maxGraceMs };
  const kindDeps = { ...shared, ledger, pasts, tenancy, ...place };
  for (const registration of kinds(kindDeps)) operator.manage(registration);
  return operator;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Waits for `work`, but no longer than `ms`: what is under way then ends with its grant. */
async function within(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  const limit = new AbortController();
  await Promise.race([work, clock.sleep(ms, limit.signal).catch(() => {})]);
  limit.abort();
}
