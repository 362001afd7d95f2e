/**
 * What happens in the program, as counts and durations. Each function returns a small object that fits the interface
 * which its consumer declares; consumers never see a metrics library.
 */
import type { Clock } from '../lib/clock.ts';
import type { Definitions } from './definitions.ts';

/** Fits the listener of the elector. Durations are milliseconds, as the elector has them. */
export interface LeaseObserver {
  /** `gapMs`: since the last sign of the leader before; undefined when there was none. */
  elected(term: number, gapMs: number | undefined): void;
  lost(term: number, because: string, heldMs: number): void;
  renewed(ms: number): void;
  refused(): void;
  /** All workloads are ready again; seconds since the last sign of the leader before. */
  tookOver(seconds: number): void;
}

/** Counts what happens to the lease. */
export function leaseObserver(metrics: Definitions, clock: Clock): LeaseObserver {
  const turned = (leads: boolean) => {
    metrics.isLeader.set(leads ? 1 : 0);
    metrics.transitions.inc();
    metrics.lastTransition.set(clock.wall() / 1000);
  };
  return {
    elected(term, gapMs) {
      if (gapMs !== undefined) metrics.failovers.inc();
      turned(true);
      metrics.acquisitions.inc();
      metrics.term.set(term);
    },
    lost(_term, _because, heldMs) {
      turned(false);
      metrics.losses.inc();
      metrics.duration.observe(heldMs / 1000);
    },
    renewed: (ms) => metrics.renewDuration.observe(ms / 1000),
    refused: () => metrics.failedAttempts.inc(),
    tookOver: (seconds) => metrics.failoverDuration.observe(seconds),
  };
}

/** Hears of each call to the store. */
export interface StoreObserver {
  /** Once per call; `outcome` is `ok` or the kind of failure. */
  operation(name: string, seconds: number, outcome: string): void;
}

const STORE_OPERATIONS = ['read', 'write', 'remove', 'list'];

/** `kind` is the store's own name; Redis is counted under its own metric as well, as the original's docs promise. */
export function storeObserver(metrics: Definitions, kind: string): StoreObserver {
  const counters = kind === 'redis' ? [metrics.storeOperations, metrics.redisOperations] : [metrics.storeOperations];
  for (const operation of STORE_OPERATIONS) for (const counter of counters) counter.inc({ operation }, 0);
  return {
    operation(operation, seconds, outcome) {
      for (const counter of counters) counter.inc({ operation });
      metrics.storeLatency.observe({ operation }, seconds);
      if (outcome !== 'ok') metrics.storeErrors.inc({ operation, error_type: outcome });
    },
  };
}

/** Fits the observer of a work queue; milliseconds, as the queue has them. */
export interface QueueObserver {
  added(): void;
  retried(): void;
  depth(keys: number): void;
  /** Between being due and being taken. */
  waited(ms: number): void;
}

/** What can become of a reconcile; the workers' own words. */
export const RESULTS = ['success', 'later', 'conflict', 'terminal', 'not-leader', 'stopped', 'error'] as const;

/** Counters of `kind` start at 0, so that a first failure is seen as a rise. */
export function queueObserver(metrics: Definitions, kind: string): QueueObserver {
  const adds = metrics.queueAdds.labels(kind);
  const retries = metrics.queueRetries.labels(kind);
  const depth = metrics.queueDepth.labels(kind);
  const wait = metrics.queueWait.labels(kind);
  for (const counter of [adds, retries]) counter.inc(0);
  for (const result of RESULTS) metrics.reconciles.inc({ controller: kind, result }, 0);
  return {
    added: () => adds.inc(),
    retried: () => retries.inc(),
    depth: (keys) => depth.set(keys),
    waited: (ms) => wait.observe(ms / 1000),
  };
}

/** Fits the observer of the workers. */
export interface WorkerObserver {
  /** Milliseconds from being taken to being done. */
  reconciled(kind: string, result: (typeof RESULTS)[number], ms: number): void;
}

/** Counts reconciles and how long they take. */
export function workerObserver(metrics: Definitions): WorkerObserver {
  return {
    reconciled(kind, result, ms) {
      metrics.reconciles.inc({ controller: kind, result });
      metrics.reconcileDuration.observe({ controller: kind }, ms / 1000);
      metrics.queueWork.observe({ name: kind }, ms / 1000);
    },
  };
}
