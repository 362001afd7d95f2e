/** A tenant with a store of its own is not seen, but acts: its leader writes its statuses, whatever others write. */
import { expect, it } from 'vitest';
import { API_VERSION, labels } from '../api/group.ts';
import type { WorkloadProcess } from '../api/process.ts';
import { processResource } from '../api/process.ts';
import type { StoreEvent } from '../cluster/object-store.ts';
import type { KubeObject } from '../cluster/cluster-client.ts';
import { silentLogger } from '../lib/logger.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { composeStatus, timestamp } from '../reconcile/status.ts';
import { Tenancy } from '../reconcile/tenancy.ts';
import { FakeCluster } from '../reconcile/testing/fake-cluster.ts';
import { UnclaimedStatuses } from './unclaimed-statuses.ts';

const NAMES = Array.from({ length: 20 }, (_, index) => `job-${index}`);
const PERIOD_MS = 2000;

function world() {
  const clock = new FakeClock();
  const cluster = new FakeCluster();
  const listeners: ((event: StoreEvent<KubeObject>) => void)[] = [];
  const find = (name: string) => cluster.peek<WorkloadProcess>(processResource, 'apps', name)!;
  const hear = () => {
    for (const name of NAMES) for (const listener of listeners) listener({ type: 'modified', object: find(name) });
  };
  for (const name of NAMES)
    cluster.edit<WorkloadProcess>(processResource, {
      apiVersion: API_VERSION,
      kind: 'WorkloadProcess',
      metadata: { name, namespace: 'apps', labels: { [labels.tenant]: 'far' } },
      spec: { image: 'busybox' },
    } as unknown as WorkloadProcess);
  const mine = { tenant: 'near', identity: 'near-1', lives: true, isHere: true, claims: [], watches: undefined };
  const unclaimed = new UnclaimedStatuses({
    identity: 'near-1',
    client: cluster,
    clock,
    clusterClock: clock,
    logger: silentLogger,
    tenancy: new Tenancy({ tenant: 'near', watchNamespaces: [] }),
    neighbours: () => ({ controllers: [mine], isSettled: true }),
    sources: [
      {
        type: processResource,
        list: () => NAMES.map(find),
        get: ({ name }) => find(name),
        observe: () => {},
        subscribe: (listener) => {
          listeners.push(listener);
          return () => {};
        },
      },
    ],
    periodMs: PERIOD_MS,
  });
  const claimed = () => NAMES.filter((name) => find(name).status?.conditions?.some(({ type }) => type === 'Unclaimed'));
  /** What the leader of the far tenant makes of its workloads. */
  const act = () => {
    for (const name of NAMES) {
      const found = find(name);
      const occasion = { generation: 1, now: timestamp(clock.wall()), tenant: 'far', holder: 'far-1', term: 1 };
      const facts = { active: true, healthy: true };
      const verdict = { state: 'done', reason: 'Running', message: 'runs' } as const;
      const status = composeStatus(facts, verdict, occasion, found.status);
      if (JSON.stringify(status) !== JSON.stringify(found.status))
        cluster.edit<WorkloadProcess>(processResource, { ...found, status });
    }
  };
  return { clock, cluster, unclaimed, hear, act, claimed };
}

async function pass({ clock, hear, unclaimed }: ReturnType<typeof world>, ms: number, then = () => {}): Promise<void> {
  for (let passed = 0; passed < ms; passed += PERIOD_MS) {
    await clock.advance(PERIOD_MS);
    hear();
    await unclaimed.report();
    then();
  }
}

it('is contradicted on one workload, and spared on all others from then on', async () => {
  const here = world();
  here.act();
  here.hear();
  await pass(here, 600_000, here.act);
  expect(here.cluster.writes).toHaveLength(1);
  expect(here.claimed()).toEqual([]);
});

it('which does not act is told of all its workloads, once each', async () => {
  const here = world();
  here.act();
  here.hear();
  await pass(here, 600_000);
  expect(here.cluster.writes).toHaveLength(NAMES.length);
  expect(here.claimed()).toEqual(NAMES);
});
