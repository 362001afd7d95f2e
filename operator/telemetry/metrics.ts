/** The metrics of one app: its own registry, and an observer for each part of the program that has something to count. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Clock } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import type { Definitions } from './definitions.ts';
import { defineMetrics } from './definitions.ts';
import type { LeaseObserver, QueueObserver, StoreObserver, WorkerObserver } from './observers.ts';
import { leaseObserver, queueObserver, storeObserver, workerObserver } from './observers.ts';
import type { WorkloadObserver } from './workload-series.ts';
import { workloadObserver } from './workload-series.ts';

/** What the metrics need to know of the process. */
export interface MetricsOptions {
  readonly version: string;
  /** Milliseconds. */
  readonly leaseTtlMs: number;
  readonly clock?: Clock;
  /** Also the process's own: CPU, memory, event loop; true unless told. */
  readonly processMetrics?: boolean;
}

/** Observers, one for each part of the program, and the text for `/metrics`. */
export interface Metrics {
  /** The exposition format, for `/metrics`. */
  readonly exposition: { readonly contentType: string; text(): Promise<string> };
  readonly lease: LeaseObserver;
  readonly worker: WorkerObserver;
  readonly workloads: WorkloadObserver;
  store(kind: string): StoreObserver;
  /** `name` is the kind that the queue is for. */
  queue(name: string): QueueObserver;
  /** `degraded` while the store or the cluster does not answer. */
  controllerState(state: 'normal' | 'degraded'): void;
  clusterHealth(cluster: string, healthy: boolean): void;
  clusterPriority(cluster: string, priority: number): void;
  /** Two instances ran for so long. */
  overlapped(seconds: number): void;
  /** Whether the API server refuses pods without a permit. */
  fence(cluster: string, enforced: boolean): void;
}

/** Milliseconds between two looks at the event loop's delay; the library's default costs most of a percent of a core. */
const EVENT_LOOP_PRECISION_MS = 100;

/** The metrics of one process. */
export function createMetrics(options: MetricsOptions): Metrics {
  const { clock = systemClock, processMetrics = true } = options;
  const registry = new Registry();
  const metrics = defineMetrics(registry);
  if (processMetrics)
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS });
  metrics.buildInfo.set({ version: options.version }, 1);
  metrics.lockTtl.set(options.leaseTtlMs / 1000);
  setState(metrics, 'normal');
  return {
    exposition: { contentType: registry.contentType, text: () => registry.metrics() },
    lease: leaseObserver(metrics, clock),
    worker: workerObserver(metrics),
    workloads: workloadObserver(metrics),
    store: (kind) => storeObserver(metrics, kind),
    queue: (name) => queueObserver(metrics, name),
    controllerState: (state) => setState(metrics, state),
    clusterHealth: (cluster, healthy) => metrics.clusterHealth.set({ cluster }, healthy ? 1 : 0),
    overlapped: (seconds) => metrics.overlap.inc(seconds),
    clusterPriority: (cluster, priority) => metrics.clusterPriority.set({ cluster }, priority),
    fence: (cluster, enforced) => metrics.fence.set({ cluster }, enforced ? 1 : 0),
  };
}

function setState(metrics: Definitions, current: 'normal' | 'degraded'): void {
  for (const state of ['normal', 'degraded']) metrics.state.set({ state }, state === current ? 1 : 0);
}
