/**
 * The composition root: the only file that names concrete drivers and reconcilers. Starts the parts in the order in which
 * they depend on each other, and ends them in the reverse one: workers first, the lease last.
 */
import { GROUP } from './api/group.ts';
import type { Base, Place } from './app/base.ts';
import { timeFailover } from './app/failover-timer.ts';
import { allCaches, type Caches, childCaches, kinds, openCaches } from './app/kinds.ts';
import { connectTo } from './app/client.ts';
import { httpDesk } from './app/desk.ts';
import type { Leadership } from './app/leading.ts';
import { lead } from './app/leading.ts';
import { StandbyStatuses } from './app/standby.ts';
import type { OverlapOptions } from './app/overlap.ts';
import { watchOverlaps } from './app/overlap.ts';
import { storeOptions } from './app/store.ts';
import type { KubeObject } from './cluster/cluster-client.ts';
import { clusterTime } from './cluster/cluster-time.ts';
import { EventRecorder } from './cluster/events.ts';
import { clusterIdentity } from './cluster/identity.ts';
import type { Watched } from './cluster/namespaces.ts';
import { TenantObjects } from './cluster/tenant-objects.ts';
import type { Config } from './config/config.ts';
import { HighlanderOperator } from './controller/operator.ts';
import { eventLoopCheck } from './http/event-loop.ts';
import type { HealthCheck, HealthChecks } from './http/health.ts';
import type { LeadershipDesk } from './http/leadership.ts';
import { listen } from './http/listen.ts';
import { createHttpApp } from './http/server.ts';
import type { CellStore } from './lease/cell-store.ts';
import { observed } from './lease/observed.ts';
import { openStore } from './lease/open.ts';
import { LedgerStore } from './ledger/ledger.ts';
import { ProcessLedger } from './ledger/process-ledger.ts';
import { newIdentity } from './leadership/identity.ts';
import type { Clock } from './lib/clock.ts';
import { systemClock } from './lib/clock.ts';
import { messageOf } from './lib/errors.ts';
import type { Logger } from './lib/logger.ts';
import { Tenancy } from './reconcile/tenancy.ts';
import { createLogger } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { version } from './version.ts';
import { countWorkloads, healthChecks, watchVitals } from './vitals.ts';

/** Runs a controller until `stopping` is aborted, then ends it in order. Rejects when it cannot be started. */
export async function run(config: Config, stopping: AbortSignal): Promise<void> {
  const logger = createLogger({ level: config.logLevel, format: config.logFormat });
  try {
    for (const notice of config.notices) logger.warn('Configuration notice', { notice });
    const base = connect(config, logger);
    await serve(base, stopping);
  } finally {
    await logger.close();
  }
}

function connect(config: Config, logger: Logger): Base {
  const clock = systemClock;
  const identity = newIdentity(config.id);
  const { kubeConfig, client } = connectTo(config, identity);
  const metrics = createMetrics({ version, leaseTtlMs: config.lease.ttlMs, clock });
  const clusterClock = clusterTime(clock, client.serverClock);
  return { config, identity, clock, clusterClock, logger: logger.child({ identity }), metrics, kubeConfig, client };
}

/** Answers probes from the first moment on; everything else starts when the API server has said which cluster this is. */
async function serve(base: Base, stopping: AbortSignal): Promise<void> {
  const { config, clock, logger, metrics, client, kubeConfig } = base;
  const eventLoop = eventLoopCheck({ clock });
  const ready: HealthCheck[] = [{ name: 'started', check: () => 'the API server has not answered yet' }];
  const live: HealthCheck[] = [eventLoop];
  const health: HealthChecks = { live, ready };
  let leadership: LeadershipDesk | undefined;
  const app = createHttpApp({ health, metrics: metrics.exposition, leadership: () => leadership, logger });
  const server = await listen(app, config.port);
  logger.info('Listening', {
    port: server.port,
    version,
    tenant: config.tenant,
    cluster: client.server,
    store: config.storageType,
  });
  try {
    const id = config.cluster.id ?? (await clusterIdentity({ client, clock, logger, signal: stopping }));
    const controller = await compose(base, { id, name: config.cluster.name });
    ready.splice(0, 1, ...controller.health.ready);
    live.push(...controller.health.live);
    leadership = controller.desk;
    await controller.run(stopping);
  } catch (error) {
    if (!stopping.aborted) throw error;
  } finally {
    eventLoop.stop();
    await server.close();
    await client.close();
    logger.info('Stopped', { server: kubeConfig.server });
  }
}

interface Controller {
  readonly health: HealthChecks;
  readonly desk: LeadershipDesk;
  run(stopping: AbortSignal): Promise<void>;
}

async function compose(base: Base, cluster: Place): Promise<Controller> {
  const { config, clock, logger, metrics, client } = base;
  const store = observed(await openStore(storeOptions(config, client)), metrics.store(config.storageType), clock);
  const { tenant, watchNamespaces } = config;
  const caches = openCaches({ client, clock, logger, tenant, watchNamespaces, random: Math.random });
  countWorkloads(caches.workloads, metrics);
  metrics.clusterPriority(cluster.name, config.failover.priority);
  const objects = new TenantObjects(childCaches(caches));
  const sources = Object.values(caches.workloads) as readonly Watched<KubeObject>[];
  const tenancy: Tenancy = new Tenancy({
    ...config,
    claimedBy: (namespace) => leadership.presence.claimedBy(namespace),
  });
  const timer = { base, tenancy, sources, term: () => leadership.elector.term?.number };
  const leadership: Leadership = lead(base, {
    cluster,
    store,
    objects,
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
  const events = new EventRecorder({
    client,
    clock: base.clusterClock,
    logger,
    reportingController: `${GROUP}/controller`,
    reportingInstance: base.identity,
    enabled: leads,
  });
  const operator = manage(base, { caches, leadership, events, cluster, store, tenancy });
  const overlap = { base, leads, pods: caches.children.pods, sources };
  const standby = new StandbyStatuses({ base, cluster, leadership, tenancy, sources });
  return {
    health: healthChecks(allCaches(caches), leadership.elector),
    desk: httpDesk(config, store),
    run: (stopping) =>
      conduct(base, { cluster, store, objects, leadership, events, operator, standby, overlap }, stopping),
  };
}

interface Parts {
  readonly cluster: Place;
  readonly store: CellStore;
  readonly objects: TenantObjects;
  readonly leadership: Leadership;
  readonly events: EventRecorder;
  readonly operator: HighlanderOperator;
  readonly standby: StandbyStatuses;
  readonly overlap: OverlapOptions;
}

/** Until `stopping` is aborted; then the workers end first and the lease last. */
async function conduct(
  { config, clock, logger, metrics }: Base,
  { cluster, store, objects, leadership, events, operator, standby, overlap }: Parts,
  stopping: AbortSignal,
): Promise<void> {
  await operator.start();
  void operator.synced().then(
    () => leadership.warm(),
    () => {},
  );
  const healthy = () => objects.ready();
  void watchVitals({ clock, metrics, clusterName: cluster.name, healthy, elector: leadership.elector }, stopping);
  void standby.run(stopping);
  void watchOverlaps(overlap, stopping);
  try {
    const running = leadership.run(stopping);
    await Promise.race([running, aborted(stopping)]);
    logger.info('Stopping', { because: messageOf(stopping.reason) });
    await within(clock, config.terminationGracePeriodMs, operator.quiesce());
    leadership.leave();
    await running;
    await standby.report();
  } finally {
    await operator.shutdown();
    await events.close();
    await store.close();
  }
}

interface Managed {
  readonly caches: Caches;
  readonly leadership: Leadership;
  readonly events: EventRecorder;
  readonly cluster: Place;
  readonly store: CellStore;
  readonly tenancy: Tenancy;
}

function manage(
  { config, clock, clusterClock, logger, metrics, client, kubeConfig }: Base,
  { caches, leadership, events, cluster, store, tenancy }: Managed,
): HighlanderOperator {
  const { tenant, workers, workloads: declarations } = config;
  const operator = new HighlanderOperator({
    kubeConfig,
    client,
    guard: leadership.guard,
    demote: (reason) => leadership.elector.demote(reason),
    clock,
    random: Math.random,
    logger,
    queueObserver: (kind) => metrics.queue(kind),
    workerObserver: metrics.worker,
  });
  const shared = { caches, client, events, clock: clusterClock, tenant, workers, logger, declarations };
  const ledger = new LedgerStore(store, tenant);
  const pasts = new ProcessLedger(store, tenant);
  const kindDeps = { ...shared, ledger, pasts, tenancy, clusterName: cluster.name, clusterId: cluster.id };
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
