/**
 * The composition root: the only file that names concrete drivers and reconcilers. Starts the parts in the order in which
 * they depend on each other, and ends them in the reverse one: workers first, the lease last.
 */
import { randomBytes } from 'node:crypto';
import { GROUP } from './api/group.ts';
import { allCaches, type Caches, childCaches, kinds, openCaches } from './app/kinds.ts';
import { outsideStore } from './app/store.ts';
import { EventRecorder } from './cluster/events.ts';
import { HttpClusterClient } from './cluster/http-client.ts';
import { clusterIdentity } from './cluster/identity.ts';
import { PooledKubeConfig } from './cluster/kube-config.ts';
import { PermitLease } from './cluster/permit-lease.ts';
import { TenantObjects } from './cluster/tenant-objects.ts';
import type { Config } from './config/config.ts';
import { HighlanderOperator } from './controller/operator.ts';
import { eventLoopCheck } from './http/event-loop.ts';
import type { HealthCheck, HealthChecks } from './http/health.ts';
import { listen } from './http/listen.ts';
import { createHttpApp } from './http/server.ts';
import { Elector } from './leadership/elector.ts';
import { LeadershipGuard } from './leadership/guard.ts';
import { PermitKeeper } from './leadership/permit-keeper.ts';
import { Presence } from './leadership/presence.ts';
import { startWatchdog } from './leadership/watchdog.ts';
import type { CellStore } from './lease/cell-store.ts';
import { observed } from './lease/observed.ts';
import type { StoreOptions } from './lease/open.ts';
import { openStore } from './lease/open.ts';
import { LedgerStore } from './ledger/ledger.ts';
import type { Clock } from './lib/clock.ts';
import { systemClock } from './lib/clock.ts';
import { messageOf } from './lib/errors.ts';
import type { Logger } from './lib/logger.ts';
import { Tenancy } from './reconcile/tenancy.ts';
import { createLogger } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { version } from './version.ts';
import { countWorkloads, healthChecks, watchVitals } from './vitals.ts';

/** Grace of a pod that names none, milliseconds. */
const DEFAULT_GRACE_MS = 30_000;

interface Base {
  readonly config: Config;
  /** Unique per start of a process. */
  readonly identity: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly kubeConfig: PooledKubeConfig;
  readonly client: HttpClusterClient;
}

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
  const identity = `${config.id}-${randomBytes(4).toString('hex')}`;
  const { kubeconfig } = config.cluster;
  const kubeConfig = PooledKubeConfig.load(kubeconfig === undefined ? {} : { path: kubeconfig });
  const client = new HttpClusterClient({ config: kubeConfig, clock, userAgent: `highlander/${version} (${identity})` });
  const metrics = createMetrics({ version, leaseTtlMs: config.lease.ttlMs, clock });
  return { config, identity, clock, logger: logger.child({ identity }), metrics, kubeConfig, client };
}

/** Answers probes from the first moment on; everything else starts when the API server has said which cluster this is. */
async function serve(base: Base, stopping: AbortSignal): Promise<void> {
  const { config, clock, logger, metrics, client, kubeConfig } = base;
  const eventLoop = eventLoopCheck({ clock });
  const ready: HealthCheck[] = [{ name: 'started', check: () => 'the API server has not answered yet' }];
  const live: HealthCheck[] = [eventLoop];
  const health: HealthChecks = { live, ready };
  const server = await listen(createHttpApp({ health, metrics: metrics.exposition, logger }), config.port);
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
  run(stopping: AbortSignal): Promise<void>;
}

async function compose(base: Base, cluster: { readonly id: string; readonly name: string }): Promise<Controller> {
  const { config, clock, logger, metrics, client } = base;
  const store = observed(await openStore(storeOptions(base)), metrics.store(config.storageType), clock);
  const caches = openCaches({
    client,
    clock,
    logger,
    tenant: config.tenant,
    watchNamespaces: config.watchNamespaces,
    random: Math.random,
  });
  countWorkloads(caches.workloads, metrics);
  const objects = new TenantObjects(childCaches(caches), DEFAULT_GRACE_MS);
  const leadership = lead(base, {
    cluster,
    store,
    objects,
    reconsider: () => operator.reconsider(),
    elected: () => operator.onElected(),
    lost: () => operator.onDemoted(),
  });
  const events = new EventRecorder({
    client,
    clock,
    logger,
    reportingController: `${GROUP}/controller`,
    reportingInstance: base.identity,
    enabled: () => leadership.elector.term !== undefined,
  });
  const operator = manage(base, { caches, leadership, events, cluster, store });
  return {
    health: healthChecks(allCaches(caches), leadership.elector),
    run: (stopping) => conduct(base, { cluster, store, objects, leadership, events, operator }, stopping),
  };
}

interface Parts {
  readonly cluster: { readonly name: string };
  readonly store: CellStore;
  readonly objects: TenantObjects;
  readonly leadership: ReturnType<typeof lead>;
  readonly events: EventRecorder;
  readonly operator: HighlanderOperator;
}

/** Until `stopping` is aborted; then the workers end first and the lease last. */
async function conduct(
  { config, clock, logger, metrics }: Base,
  { cluster, store, objects, leadership, events, operator }: Parts,
  stopping: AbortSignal,
): Promise<void> {
  await operator.start();
  void operator.synced().then(
    () => leadership.elector.reconsider(),
    () => {},
  );
  const healthy = () => objects.ready();
  void watchVitals({ clock, metrics, clusterName: cluster.name, healthy, elector: leadership.elector }, stopping);
  const running = Promise.all([leadership.elector.run(), leadership.presence.run()]);
  await Promise.race([running, aborted(stopping)]);
  logger.info('Stopping', { because: messageOf(stopping.reason) });
  await within(clock, config.terminationGracePeriodMs, operator.shutdown());
  leadership.presence.stop();
  leadership.elector.leave();
  await running;
  await events.close();
  await Promise.all([leadership.watchdog.close(), store.close()]);
}

interface Leading {
  readonly cluster: { readonly id: string; readonly name: string };
  readonly store: CellStore;
  readonly objects: TenantObjects;
  /** Whose the workloads are may have changed. */
  readonly reconsider: () => void;
  readonly elected: () => void;
  readonly lost: () => void;
}

function lead(
  { config, identity, clock, logger, metrics, client }: Base,
  { cluster, store, objects, reconsider, elected, lost }: Leading,
) {
  const { tenant, lease: timing, namespace, remainsFollower } = config;
  const permit = new PermitKeeper(new PermitLease({ client, namespace, tenant }));
  const presence = new Presence({
    tenant,
    identity,
    cluster,
    store,
    clock,
    logger,
    periodMs: timing.renewDeadlineMs / 2,
    highestStamp: () => Math.max(objects.highestStamp(), permit.term),
    claims: config.watchNamespaces,
    onClaims: reconsider,
    onLoss: () => elector.canaryLost(),
  });
  const watchdog = startWatchdog();
  const elector: Elector = new Elector({
    tenant,
    candidate: { identity, cluster, timing },
    remainsFollower,
    store,
    permit,
    presence,
    cluster: {
      ready: () => objects.ready(),
      highestStamp: () => objects.highestStamp(),
      drainMs: (graceMs) => objects.drainMs(graceMs),
      serverTime: (monotonic) => client.serverClock.at(monotonic),
    },
    listener: {
      ...metrics.lease,
      elected(term) {
        metrics.lease.elected(term);
        elected();
      },
      lost(term, because, heldMs) {
        metrics.lease.lost(term, because, heldMs);
        lost();
      },
    },
    watchdog,
    clock,
    logger,
  });
  return { presence, elector, watchdog, guard: new LeadershipGuard(elector, timing.retryPeriodMs) };
}

interface Managed {
  readonly caches: Caches;
  readonly leadership: ReturnType<typeof lead>;
  readonly events: EventRecorder;
  readonly cluster: { readonly id: string; readonly name: string };
  readonly store: CellStore;
}

function manage(
  { config, clock, logger, metrics, client, kubeConfig }: Base,
  { caches, leadership, events, cluster, store }: Managed,
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
  const shared = { caches, client, events, clock, tenant, workers, logger, declarations };
  const ledger = new LedgerStore(store, tenant);
  const tenancy = new Tenancy({ ...config, claimedBy: (namespace) => leadership.presence.claimedBy(namespace) });
  const kindDeps = { ...shared, ledger, tenancy, clusterName: cluster.name, clusterId: cluster.id };
  for (const registration of kinds(kindDeps)) operator.manage(registration);
  return operator;
}

function storeOptions({ config, client }: Base): StoreOptions {
  const kubernetes = { client, namespace: config.namespace, serverTime: () => client.serverClock.at() };
  return outsideStore(config) ?? { kind: 'kubernetes', kubernetes };
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
