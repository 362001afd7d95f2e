/** Watches the pods of workloads of which one instance is to run, and says when there were two. */
import { labels } from '../api/group.ts';
import { PERSISTENT_KIND } from '../api/persistent.ts';
import { SERVICE_KIND } from '../api/service.ts';
import type { Pod } from '../api/kubernetes.ts';
import type { KubeObject } from '../cluster/cluster-client.ts';
import type { StoreEvent } from '../cluster/object-store.ts';
import type { Watched } from '../cluster/namespaces.ts';
import { OverlapMeter } from '../reconcile/overlap.ts';
import type { Base } from '../context.ts';
import { customResourceOf } from '../cluster/owners.ts';

/** Whose pods are watched, and when they count. */
export interface OverlapOptions {
  readonly base: Base;
  /** Whether this controller leads: only one is to count. */
  readonly leads: () => boolean;
  readonly pods: Watched<Pod>;
  /** Custom resources, of each kind. */
  readonly sources: readonly Watched<KubeObject>[];
}

const PERIOD_MS = 1000;

/** Until `stopping` is aborted. */
export async function watchOverlaps(
  { base, leads, pods, sources }: OverlapOptions,
  stopping: AbortSignal,
): Promise<void> {
  const { clock, clusterClock, metrics, logger } = base;
  const meter = new OverlapMeter();
  const unsubscribe = pods.subscribe((event) => look(meter, event, { sources, now: clusterClock.wall() }));
  while (!stopping.aborted) {
    for (const { workload, pods: names, seconds } of meter.take(clusterClock.wall())) {
      if (!leads()) continue;
      metrics.overlapped(seconds);
      logger.error('Detected overlapping instances of a workload', {
        ...subjectOf(workload),
        pods: names.join(),
        seconds,
      });
    }
    await clock.sleep(PERIOD_MS, stopping).catch(() => {});
  }
  unsubscribe();
}

/** Of a workload's id in the meter. */
function subjectOf(id: string) {
  const [kind, namespace, name] = id.split(/[ /]/);
  return { kind, namespace, name };
}

interface Scene {
  readonly sources: readonly Watched<KubeObject>[];
  readonly now: number;
}

function look(meter: OverlapMeter, { type, object }: StoreEvent<Pod>, { sources, now }: Scene): void {
  const workload = customResourceOf(object, sources);
  const { namespace = '', labels: own = {} } = object.metadata;
  const kind = own[labels.kind] ?? '';
  const id = `${kind} ${namespace}/${own[labels.name] ?? ''}`;
  // A deleted workload's pods end after it.
  meter.saw(id, object, now, workload && (mayOverlap(kind, workload) ? 'several' : 'one'));
  if (type === 'deleted') meter.gone(id, object, now);
}

/** More than one is asked for, or may be by an autoscaler. */
function mayOverlap(kind: string, workload: KubeObject): boolean {
  const { replicas, concurrencyPolicy } = (workload as { spec?: Spec }).spec ?? {};
  const isScaled = (kind === SERVICE_KIND || kind === PERSISTENT_KIND) && replicas !== 1;
  return isScaled || concurrencyPolicy === 'Allow';
}

interface Spec {
  readonly replicas?: number;
  readonly concurrencyPolicy?: string;
}
