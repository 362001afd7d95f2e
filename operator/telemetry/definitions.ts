/**
 * Every metric of this product, each defined once. Names are those that the original publishes, so that dashboards and
 * alerts go on working; `workqueue_*` are the names common to all controllers. Units are in the names.
 */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

const PREFIX = 'k8_highlander_';

const FAST = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const WAITS = [...FAST, 30, 60, 300];
const SLOW = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300];
const LONG = [10, 60, 300, 900, 3600, 10_800, 43_200, 86_400, 604_800, 2_592_000];

/** All metrics, by their names in the code. */
export type Definitions = ReturnType<typeof defineMetrics>;

/** Makes all metrics in `registry`; once for each registry. */
export function defineMetrics(registry: Registry) {
  return {
    ...leadership(maker(registry)),
    ...store(maker(registry)),
    ...workloads(maker(registry)),
    ...loop(maker(registry)),
  };
}

type Maker = ReturnType<typeof maker>;

function maker(registry: Registry) {
  const registers = [registry];
  return {
    gauge: <const L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Gauge<L>({ name, help, labelNames, registers }),
    counter: <const L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Counter<L>({ name, help, labelNames, registers }),
    histogram: <const L extends string = never>(
      name: string,
      help: string,
      buckets: number[],
      labelNames: readonly L[] = [],
    ) => new Histogram<L>({ name, help, buckets, labelNames, registers }),
  };
}

function leadership({ gauge, counter, histogram }: Maker) {
  const name = (rest: string) => `${PREFIX}${rest}`;
  return {
    buildInfo: gauge(name('build_info'), 'Always 1; the label carries the version', ['version']),
    isLeader: gauge(name('is_leader'), '1 while this controller holds the lease, otherwise 0'),
    transitions: counter(
      name('leadership_transitions_total'),
      'Number of times this controller became or ceased to be the leader',
    ),
    duration: histogram(name('leadership_duration_seconds'), 'Time that a lease was held, observed when it ends', LONG),
    acquisitions: counter(name('leadership_acquisitions_total'), 'Number of times this controller became the leader'),
    losses: counter(name('leadership_losses_total'), 'Number of times this controller ceased to be the leader'),
    failedAttempts: counter(
      name('leadership_failed_attempts_total'),
      'Attempts to become the leader that another controller or the store rejected',
    ),
    lastTransition: gauge(
      name('last_leader_transition_timestamp_seconds'),
      'Time at which this controller last became or ceased to be the leader',
    ),
    failovers: counter(name('failover_total'), 'Number of times this controller took over from another one'),
    failoverDuration: histogram(
      name('failover_duration_seconds'),
      'Time from the last sign of the previous leader until all workloads were ready again',
      SLOW,
    ),
    term: gauge(name('lease_term'), 'Term of the lease that this controller holds or last held; 0 before the first'),
    renewDuration: histogram(
      name('lease_renew_duration_seconds'),
      'Time from sending a renewal to its acknowledgement',
      FAST,
    ),
    state: gauge(name('controller_state'), '1 for the state that this controller is in', ['state']),
    clusterHealth: gauge(name('cluster_health'), '1 while the API server of the cluster answers, otherwise 0', [
      'cluster',
    ]),
    fence: gauge(
      name('fence_enforced'),
      '1 while the API server of the cluster refuses pods without a permit, otherwise 0; absent until it is checked',
      ['cluster'],
    ),
    overlap: counter(
      name('overlap_seconds_total'),
      'Total time during which instances of a workload overlapped in this cluster, as observed by the leader; should be 0',
    ),
    clusterPriority: gauge(name('cluster_priority'), 'Priority of the cluster', ['cluster']),
  };
}

function store({ gauge, counter, histogram }: Maker) {
  const name = (rest: string) => `${PREFIX}${rest}`;
  return {
    storeOperations: counter(name('db_operations_total'), 'Calls to the lease store, of any type', ['operation']),
    storeErrors: counter(name('db_errors_total'), 'Calls to the lease store that failed', ['operation', 'error_type']),
    storeLatency: histogram(name('db_latency_seconds'), 'Duration of calls to the lease store', FAST, ['operation']),
    lockTtl: gauge(name('db_lock_ttl_seconds'), 'Validity of the lease after a renewal'),
    redisOperations: counter(name('redis_operations_total'), 'Calls to the lease store if it is Redis', ['operation']),
  };
}

function workloads({ gauge, counter }: Maker) {
  const name = (rest: string) => `${PREFIX}${rest}`;
  const where = ['name', 'namespace'] as const;
  return {
    workloadStatus: gauge(name('workload_status'), '1 while the workload is active, otherwise 0', ['type', ...where]),
    workloadOperations: counter(name('workload_operations_total'), 'Operations on a workload', [
      'type',
      'name',
      'operation',
    ]),
    workloadErrors: counter(name('workload_errors_total'), 'Operations on a workload that failed', [
      'type',
      'name',
      'error_type',
    ]),
    processStatus: gauge(name('process_status'), '1 while the process is active, otherwise 0', where),
  };
}

function loop({ gauge, counter, histogram }: Maker) {
  const name = (rest: string) => `${PREFIX}${rest}`;
  return {
    reconciles: counter(name('reconcile_total'), 'Reconciles by outcome', ['controller', 'result']),
    reconcileDuration: histogram(name('reconcile_duration_seconds'), 'Duration of a reconcile', FAST, ['controller']),
    queueDepth: gauge('workqueue_depth', 'Keys waiting to be processed', ['name']),
    queueAdds: counter('workqueue_adds_total', 'Keys added to the queue', ['name']),
    queueRetries: counter('workqueue_retries_total', 'Keys added again after a failure', ['name']),
    queueWait: histogram('workqueue_queue_duration_seconds', 'Time that a key waited before it was processed', WAITS, [
      'name',
    ]),
    queueWork: histogram('workqueue_work_duration_seconds', 'Time that processing a key took', WAITS, ['name']),
  };
}
