/** What people read of a workload that this cluster must not run any more, and that cannot be stopped. */
import { expect, it } from 'vitest';
import type { Deployment } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import { serviceResource } from '../api/service.ts';
import { ApiError } from '../cluster/cluster-client.ts';
import type { KubeObject } from '../cluster/cluster-client.ts';
import type { Watched } from '../cluster/namespaces.ts';
import { silentLogger } from '../lib/logger.ts';
import { workloadNamed } from '../reconcile/parking.ts';
import { Refusals } from '../reconcile/refusals.ts';
import { TenantWorkloads } from '../reconcile/tenant-workloads.ts';
import { ChildWorld, KEY } from '../reconcile/testing/child-world.ts';
import { VanishedPods } from '../reconcile/vanished.ts';
import { ServiceReconciler } from '../workloads/service/reconciler.ts';
import type { StandbyOptions, StandbyView } from './standby-statuses.ts';
import { StandbyStatuses } from './standby-statuses.ts';

const { deployments, services } = childTypes;
const CALL = { timeoutMs: 1000 };
const WEBHOOK = 'admission webhook "freeze.example.com" denied the request: change freeze';

/** A controller of a cluster whose permit has ended; another cluster leads. */
async function parked() {
  const world = new ChildWorld(
    { resource: serviceResource, types: [deployments, services], make: (options) => new ServiceReconciler(options) },
    { replicas: 2 },
  );
  await world.reconcile();
  const { cluster: client, clock } = world;
  const refusals = new Refusals();
  const all = new TenantWorkloads({
    client,
    tenant: 'default',
    namespace: 'default',
    watchNamespaces: [],
    fenced: async () => {},
    onRefused: (found, because) => refusals.add(workloadNamed(found), because),
    vanished: new VanishedPods(),
    pods: { hasSynced: true, list: () => [] },
    isShared: () => true,
    confirmed: () => undefined,
    clock,
    logger: silentLogger,
  });
  const seen = { holder: 'far', cluster: { id: 'west', name: 'west' }, term: 8 };
  let notGone: readonly string[] = [];
  const leadership = {
    elector: { seen, isDeparting: false, term: undefined, heldBack: new Map() },
    presence: { peers: [] },
    permit: { known: { scope: 'multi', renewedAt: 0, ttlMs: 15_000 } },
    stopping: {
      get notGone() {
        return notGone;
      },
      get refused() {
        return refusals.last;
      },
    },
  } as unknown as StandbyView;
  const events: { reason: string; note: string }[] = [];
  const source = {
    type: serviceResource,
    get: () => world.workload,
    list: () => [world.workload],
    observe: () => {},
    subscribe: () => () => {},
  } as unknown as Watched<KubeObject>;
  const statuses = new StandbyStatuses({
    base: {
      client: Object.assign(client, { serverClock: { at: () => clock.wall() } }),
      clusterClock: clock,
      logger: silentLogger,
      identity: 'here',
      config: { tenant: 'default', lease: { ttlMs: 15_000, retryPeriodMs: 2000 } },
    },
    cluster: { id: 'east', name: 'east' },
    leadership,
    tenancy: world.tenancy,
    events: { record: (event: (typeof events)[number]) => events.push(event) },
    sources: [source],
  } as unknown as StandbyOptions);
  const round = async () => {
    await refusals.during(() => all.park(CALL)).catch(() => {});
    notGone = await all.running(CALL);
    await statuses.report();
  };
  return { world, events, round };
}

it('says what the API server has against it, once, and that it has stopped when it has', async () => {
  const { world, events, round } = await parked();
  for (let n = 0; n < 3; n++) {
    world.cluster.failures.set('patch', new ApiError(403, 'Forbidden', WEBHOOK));
    await round();
  }
  expect(world.summary).toBe('Ready=False Reconciling=True StopRefused');
  expect(world.status().lastError).toContain(WEBHOOK);
  expect(events).toMatchObject([{ reason: 'StopRefused', regarding: { name: KEY.name } }]);
  expect(events[0]?.note).toContain('freeze.example.com');

  world.cluster.failures.clear();
  await round();
  expect(world.summary).toBe('Ready=False Reconciling=True Stopping');
  world.editChild<Deployment>(deployments, (found) => ({
    ...found,
    status: { observedGeneration: found.metadata.generation ?? 0, replicas: 0 },
  }));
  await round();
  expect(world.summary).toBe('Ready=True Standby');
  expect(world.status().lastError).toBeUndefined();
  expect(events).toHaveLength(1);
});

it('goes on where the deadline of a term passes while it looks', async () => {
  let left = 1;
  const elector = {
    seen: undefined,
    heldBack: new Map([['default/x', {}]]),
    get term() {
      left -= 1;
      return left < 0 ? undefined : { number: 7 };
    },
  };
  const options = {
    base: { client: { serverClock: { at: () => 0 } } },
    leadership: { elector, stopping: { notGone: undefined, refused: [] } },
    sources: [],
  } as unknown as StandbyOptions;
  const statuses = new StandbyStatuses(options);
  await expect(statuses.report()).resolves.toBeUndefined();
  await expect(statuses.report()).resolves.toBeUndefined();
});
