import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { QueueObserver } from '../controller/queue.ts';
import type { WorkerObserver } from '../controller/worker.ts';
import { outcomes } from '../controller/worker.ts';
import type { LeadershipListener } from '../leadership/ports.ts';
import type { StoreObserver } from '../lease/observed.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { defineMetrics } from './definitions.ts';
import type { Metrics } from './metrics.ts';
import { createMetrics } from './metrics.ts';
import { RESULTS } from './observers.ts';
import { workloadObserver } from './workload-series.ts';

function newMetrics(): Metrics {
  const clock = new FakeClock({ monotonic: 0, wall: 5000 });
  return createMetrics({ version: '1.2.3', leaseTtlMs: 15_000, clock, processMetrics: false });
}

async function samplesOf(metrics: Metrics): Promise<readonly string[]> {
  return (await metrics.exposition.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

/** Names as published by the original, plus the ones that are new here. */
const NAMES =
  `build_info is_leader leadership_transitions_total leadership_duration_seconds leadership_acquisitions_total
  leadership_losses_total leadership_failed_attempts_total last_leader_transition_timestamp_seconds failover_total
  failover_duration_seconds lease_term lease_renew_duration_seconds controller_state cluster_health cluster_priority fence_enforced overlap_seconds_total db_operations_total
  db_errors_total db_latency_seconds db_lock_ttl_seconds redis_operations_total workload_status workload_operations_total
  workload_errors_total process_status reconcile_total reconcile_duration_seconds`
    .split(/\s+/)
    .map((name) => `k8_highlander_${name}`)
    .concat(
      ['depth', 'adds_total', 'retries_total', 'queue_duration_seconds', 'work_duration_seconds'].map(
        (name) => `workqueue_${name}`,
      ),
    );

describe('metrics', () => {
  it('have the published names, each once', async () => {
    const text = await newMetrics().exposition.text();
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? '');
    expect(new Set(names)).toEqual(new Set(NAMES));
    expect(names).toHaveLength(NAMES.length);
  });

  it('start at zero, with the facts that are known', async () => {
    expect(await samplesOf(newMetrics())).toEqual(
      expect.arrayContaining([
        'k8_highlander_build_info{version="1.2.3"} 1',
        'k8_highlander_is_leader 0',
        'k8_highlander_failover_total 0',
        'k8_highlander_db_lock_ttl_seconds 15',
        'k8_highlander_controller_state{state="normal"} 1',
        'k8_highlander_controller_state{state="degraded"} 0',
      ]),
    );
  });

  it('follow the lease, each event once', async () => {
    const metrics = newMetrics();
    const listener: LeadershipListener = { ...metrics.lease, reconsider: () => {} };
    listener.refused();
    listener.elected(7, 9000);
    metrics.lease.tookOver(12);
    listener.renewed(20);
    expect(await samplesOf(metrics)).toEqual(
      expect.arrayContaining([
        'k8_highlander_is_leader 1',
        'k8_highlander_lease_term 7',
        'k8_highlander_failover_total 1',
        'k8_highlander_failover_duration_seconds_sum 12',
      ]),
    );
    listener.lost(7, 'released', 60_000);
    expect(await samplesOf(metrics)).toEqual(
      expect.arrayContaining([
        'k8_highlander_is_leader 0',
        'k8_highlander_leadership_transitions_total 2',
        'k8_highlander_leadership_acquisitions_total 1',
        'k8_highlander_leadership_losses_total 1',
        'k8_highlander_leadership_failed_attempts_total 1',
        'k8_highlander_leadership_duration_seconds_sum 60',
        'k8_highlander_last_leader_transition_timestamp_seconds 5',
        'k8_highlander_lease_renew_duration_seconds_sum 0.02',
      ]),
    );
  });

  it.each([
    ['redis', true],
    ['kubernetes', false],
  ])('count calls to %s', async (kind, counted) => {
    const metrics = newMetrics();
    const store: StoreObserver = metrics.store(kind);
    store.operation('read', 0.002, 'ok');
    store.operation('write', 1, 'timeout');
    const samples = await samplesOf(metrics);
    expect(samples).toEqual(
      expect.arrayContaining([
        'k8_highlander_db_operations_total{operation="read"} 1',
        'k8_highlander_db_operations_total{operation="list"} 0',
        'k8_highlander_db_errors_total{operation="write",error_type="timeout"} 1',
        'k8_highlander_db_latency_seconds_sum{operation="write"} 1',
      ]),
    );
    expect(samples.includes('k8_highlander_redis_operations_total{operation="read"} 1')).toBe(counted);
  });

  it('follow queues, reconciles and the cluster', async () => {
    const metrics = newMetrics();
    const queue: QueueObserver = metrics.queue('process');
    const worker: WorkerObserver = metrics.worker;
    queue.added?.();
    queue.retried?.();
    queue.depth?.(3);
    queue.waited?.(500);
    worker.reconciled?.('process', 'success', 250);
    metrics.clusterHealth('a', true);
    metrics.controllerState('degraded');
    expect(await samplesOf(metrics)).toEqual(
      expect.arrayContaining([
        'workqueue_depth{name="process"} 3',
        'workqueue_adds_total{name="process"} 1',
        'workqueue_retries_total{name="process"} 1',
        'workqueue_queue_duration_seconds_sum{name="process"} 0.5',
        'workqueue_work_duration_seconds_sum{name="process"} 0.25',
        'k8_highlander_reconcile_total{controller="process",result="success"} 1',
        'k8_highlander_reconcile_total{controller="process",result="error"} 0',
        'k8_highlander_reconcile_duration_seconds_sum{controller="process"} 0.25',
        'k8_highlander_cluster_health{cluster="a"} 1',
        'k8_highlander_controller_state{state="degraded"} 1',
        'k8_highlander_controller_state{state="normal"} 0',
      ]),
    );
  });

  it('know every outcome of the workers', () => expect(RESULTS).toEqual(outcomes));

  it('of a workload go with it, but not those of its namesake', async () => {
    const metrics = newMetrics();
    const here = { type: 'process', namespace: 'a', name: 'x' };
    const there = { ...here, namespace: 'b' };
    for (const workload of [here, there]) {
      metrics.workloads.status(workload, true);
      metrics.workloads.operation(workload, 'startup');
      metrics.workloads.failed(workload, 'timeout');
    }
    const ofWorkloads = async () => (await samplesOf(metrics)).filter((line) => line.includes('name="x"'));
    expect(await ofWorkloads()).toHaveLength(6);
    metrics.workloads.forget(here);
    expect(await ofWorkloads()).toEqual([
      'k8_highlander_workload_status{type="process",name="x",namespace="b"} 1',
      'k8_highlander_workload_operations_total{type="process",name="x",operation="startup"} 2',
      'k8_highlander_workload_errors_total{type="process",name="x",error_type="timeout"} 2',
      'k8_highlander_process_status{name="x",namespace="b"} 1',
    ]);
    metrics.workloads.forget(there);
    metrics.workloads.forget(there);
    expect(await ofWorkloads()).toEqual([]);
  });

  it('of workloads have a limit', async () => {
    const registry = new Registry();
    const observer = workloadObserver(defineMetrics(registry), 2);
    for (const name of ['a', 'b', 'c']) observer.status({ type: 'service', namespace: 'n', name }, false);
    expect((await registry.metrics()).match(/workload_status\{/g)).toHaveLength(2);
  });

  it('of the process are there, and two apps do not meet', async () => {
    const [one, two] = [1, 2].map(() => createMetrics({ version: 'v', leaseTtlMs: 1 }));
    one?.lease.elected(1, undefined);
    expect(await two?.exposition.text()).toMatch(/^process_resident_memory_bytes \d+/m);
    expect(await two?.exposition.text()).toMatch(/^k8_highlander_is_leader 0/m);
  });
});
