/** What probes and gauges say of a running controller. */
import type { KubeObject } from '../cluster/cluster-client.ts';
import { hasCode } from '../cluster/cluster-client.ts';
import type { Watched } from '../cluster/namespaces.ts';
import type { HealthChecks } from '../http/health.ts';
import type { Elector } from '../leadership/elector.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Metrics } from '../telemetry/metrics.ts';

type Cache = Pick<Watched<KubeObject>, 'type' | 'hasSynced' | 'lastError'>;

const PERIOD_MS = 1000;

/** A standby is ready: it could lead. Nothing that a restart would not mend makes a controller not live. */
export function healthChecks(
  caches: readonly Cache[],
  elector: Pick<Elector, 'isStuck' | 'hasSeenStore' | 'unfitBecause'>,
): HealthChecks {
  return {
    live: [{ name: 'lease', check: () => (elector.isStuck ? 'the lease has ended, but its term has not' : undefined) }],
    ready: [
      { name: 'caches', check: () => caches.map(incomplete).find((reason) => reason !== undefined) },
      { name: 'store', check: () => (elector.hasSeenStore ? undefined : 'the store has not answered yet') },
      {
        name: 'writes',
        check: () => elector.unfitBecause && `the cluster does not accept writes: ${elector.unfitBecause}`,
      },
    ],
  };
}

function incomplete({ type, hasSynced, lastError }: Cache): string | undefined {
  if (hasSynced) return undefined;
  if (hasCode(lastError, 404)) return `the API server does not serve ${type.plural}: run kubectl apply -f crds/`;
  return `${type.plural} could not be listed yet${lastError === undefined ? '' : `: ${messageOf(lastError)}`}`;
}

type Workload = KubeObject & { status?: { active?: boolean | undefined } };

/** Status of single workloads, the same on every replica. Keys are the types by which metrics call the kinds. */
export function countWorkloads(
  caches: Readonly<Record<string, Pick<Watched<Workload>, 'subscribe'>>>,
  { workloads }: Metrics,
): void {
  for (const [type, cache] of Object.entries(caches)) {
    cache.subscribe((event) => {
      const { name, namespace = '' } = event.object.metadata;
      const workload = { type, name, namespace };
      if (event.type === 'deleted') workloads.forget(workload);
      else workloads.status(workload, event.object.status?.active ?? false);
    });
  }
}

/** What the state of a controller is read from. */
export interface Vitals {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly clusterName: string;
  /** Caches are warm and the API server answers. */
  readonly healthy: () => boolean;
  readonly elector: Pick<Elector, 'isInDoubt'>;
}

/** Gauges of what nobody announces, until `stopping` is aborted. */
export async function watchVitals(vitals: Vitals, stopping: AbortSignal): Promise<void> {
  const { clock, metrics, clusterName, elector } = vitals;
  while (!stopping.aborted) {
    const healthy = vitals.healthy();
    metrics.clusterHealth(clusterName, healthy);
    metrics.controllerState(healthy && !elector.isInDoubt ? 'normal' : 'degraded');
    await clock.sleep(PERIOD_MS, stopping).catch(() => {});
  }
}
