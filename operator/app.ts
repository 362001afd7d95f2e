/**
 * The composition root: the only file that names concrete drivers and reconcilers. Starts the parts in the order in which
 * they depend on each other, and ends them in the reverse one: workers first, the lease last.
 */
import type { Base } from './context.ts';
import { connectTo } from './app/client.ts';
import { compose } from './app/compose.ts';
import { httpDesk } from './app/desk.ts';
import { firstContact } from './app/start.ts';
import { storeOptions } from './app/store.ts';
import { clusterTime } from './cluster/cluster-time.ts';
import type { PooledKubeConfig } from './cluster/kube-config.ts';
import type { Config } from './config/config.ts';
import { HighlanderOperator } from './controller/operator.ts';
import { eventLoopCheck } from './http/event-loop.ts';
import type { HealthCheck, HealthChecks } from './http/health.ts';
import type { LeadershipDesk } from './http/leadership.ts';
import { listen } from './http/listen.ts';
import { createHttpApp } from './http/server.ts';
import { observed } from './lease/observed.ts';
import { openStore } from './lease/open.ts';
import { newIdentity } from './leadership/identity.ts';
import { startWatchdog } from './leadership/watchdog.ts';
import { systemClock } from './lib/clock.ts';
import type { Logger } from './lib/logger.ts';
import { newRedactor } from './lib/redactor.ts';
import { createLogger } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { version } from './version.ts';

/** Runs a controller until `stopping` is aborted, then ends it in order. Rejects when it cannot be started. */
export async function run(config: Config, stopping: AbortSignal): Promise<void> {
  const logger = createLogger({
    level: config.logLevel,
    format: config.logFormat,
    redact: newRedactor(config.secrets),
  });
  try {
    for (const notice of config.notices) logger.warn('Configuration notice', { notice });
    const { base, kubeConfig } = connect(config, logger);
    for (const notice of kubeConfig.exposure) logger.warn('Configuration notice', { notice });
    await serve(base, kubeConfig, stopping);
  } finally {
    await logger.close();
  }
}

function connect(config: Config, logger: Logger): { readonly base: Base; readonly kubeConfig: PooledKubeConfig } {
  const clock = systemClock;
  const identity = newIdentity(config.id);
  const { kubeConfig, client } = connectTo(config, identity);
  const metrics = createMetrics({ version, leaseTtlMs: config.lease.ttlMs, clock });
  const clusterClock = clusterTime(clock, client.serverClock);
  const named = logger.child({ identity });
  const base = { config, identity, clock, clusterClock, logger: named, metrics, random: Math.random, client };
  return { base, kubeConfig };
}

/** Answers probes from the first moment on; everything else starts when the API server has said which cluster this is. */
async function serve(base: Base, kubeConfig: PooledKubeConfig, stopping: AbortSignal): Promise<void> {
  const { config, clock, logger, metrics, client } = base;
  const eventLoop = eventLoopCheck({ clock });
  const ready: HealthCheck[] = [{ name: 'started', check: () => 'the API server has not answered yet' }];
  const live: HealthCheck[] = [eventLoop];
  const health: HealthChecks = { live, ready };
  let leadership: LeadershipDesk | undefined;
  const app = createHttpApp({ health, metrics: metrics.exposition, leadership: () => leadership, logger });
  const ended = new AsyncDisposableStack();
  ended.defer(() => client.close());
  ended.defer(() => eventLoop.stop());
  try {
    const server = await listen(app, config.port);
    ended.defer(() => server.close());
    logListening(base, server.port);
    const store = observed(await openStore(storeOptions(config, client)), metrics.store(config.storageType), clock);
    ended.defer(() => store.close());
    const id = await firstContact(base, store, stopping);
    const controller = compose(base, {
      cluster: { id, name: config.cluster.name },
      store,
      watchdog: startWatchdog(),
      operate: (deps) => new HighlanderOperator({ ...deps, kubeConfig, client }),
    });
    ready.splice(0, 1, ...controller.health.ready);
    live.push(...controller.health.live);
    leadership = httpDesk(config, store);
    await controller.run(stopping);
  } catch (error) {
    if (!stopping.aborted) throw error;
  } finally {
    await ended.disposeAsync();
    logger.info('Stopped', { server: kubeConfig.server });
  }
}

function logListening({ config, client, logger }: Base, port: number): void {
  const { tenant, storageType } = config;
  logger.info('Listening', { port, version, tenant, cluster: client.server, store: storageType });
}
