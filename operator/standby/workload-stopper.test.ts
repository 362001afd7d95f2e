import { expect, it, vi } from 'vitest';
import { PERMIT_POLICY } from '../api/admission.ts';
import { API_VERSION, labels } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';
import { ApiError, core } from '../cluster/cluster-client.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { FakeCluster } from '../reconcile/testing/fake-cluster.ts';
import type { StopperParts } from './workload-stopper.ts';
import { workloadStopper } from './workload-stopper.ts';

const CALL = { timeoutMs: 1000 };
const OWNER = { apiVersion: API_VERSION, kind: 'WorkloadProcess', name: 'web', uid: 'w', controller: true };

/** A cluster with one pod of the tenant's; its API server enforces permits. */
function world() {
  const clock = new FakeClock();
  const cluster = new FakeCluster();
  const own = { [labels.tenant]: 'default', [labels.kind]: 'WorkloadProcess', [labels.name]: 'web' };
  const metadata = { name: 'web', namespace: 'apps', uid: 'p', labels: own, ownerReferences: [OWNER] };
  cluster.edit<Pod>(core.pods, { metadata, spec: { containers: [] } } as unknown as Pod);
  const logs: string[] = [];
  const log = (message: string) => void logs.push(message);
  const objects = { version: 1, change: () => new Promise<void>(() => {}) };
  let enforced = true;
  const denied = new ApiError(422, 'Refused', `ValidatingAdmissionPolicy '${PERMIT_POLICY}' denied request`);
  const create = vi.fn<() => Promise<object>>(async () => {
    if (enforced) throw denied;
    return {};
  });
  const client = Object.assign(cluster, { create: create as never });
  const context = {
    config: {
      tenant: 'default',
      namespace: 'default',
      watchNamespaces: [],
      maxGracePeriodMs: 3_600_000,
      lease: { retryPeriodMs: 2000 },
    },
    clock,
    client,
    metrics: { fence: () => {} },
    logger: { info: log, warn: log, debug: log, error: log },
  };
  const parts = {
    cluster: { id: 'e', name: 'east' },
    objects,
    pods: { hasSynced: true, list: () => [], subscribe: () => {} },
    sources: [],
  };
  const stopper = workloadStopper(
    context as unknown as Parameters<typeof workloadStopper>[0],
    parts as unknown as StopperParts,
    () => true,
  );
  return { clock, cluster, client, stopper, objects, logs, create, lift: () => (enforced = false) };
}

it('knows what runs from the first look on, and whether another one is worth while', async () => {
  const { stopper, objects } = world();
  expect([stopper.notGone, stopper.hasChanged()]).toEqual([undefined, true]);
  expect(await stopper.running(CALL)).toEqual(['WorkloadProcess apps/web']);
  expect([stopper.notGone, stopper.hasChanged()]).toEqual([['WorkloadProcess apps/web'], false]);
  objects.version = 2;
  expect(stopper.hasChanged()).toBe(true);
});

it('does not believe in an end while the API server would let something start', async () => {
  const { stopper, create, lift } = world();
  lift();
  await stopper.probe?.(CALL);
  expect(create).toHaveBeenCalled();
  create.mockRejectedValue(new ApiError(500, 'Refused', 'etcdserver: request timed out'));
  await expect(stopper.running(CALL)).rejects.toThrow('etcdserver');
});

it('names what the API server does not let stop, and forgets it once it does', async () => {
  const { stopper, client } = world();
  const refused = new ApiError(403, 'Refused', 'change freeze');
  const remove = vi.spyOn(client, 'delete').mockRejectedValueOnce(refused);
  await expect(stopper.park(CALL)).rejects.toThrow('change freeze');
  expect([...stopper.refused]).toEqual([['WorkloadProcess apps/web', 'change freeze']]);
  await stopper.park(CALL);
  expect(remove).toHaveBeenCalledTimes(2);
  expect([...stopper.refused]).toEqual([]);
});

it('says once whether permits are enforced, and again when that changes', async () => {
  const { stopper, clock, logs, lift } = world();
  const stopping = new AbortController();
  const watched = stopper.watch(stopping.signal);
  await clock.advance(200_000);
  lift();
  await clock.advance(200_000);
  stopping.abort();
  await clock.advance(10_000);
  await watched;
  expect(logs.filter((each) => each.includes('enforce'))).toHaveLength(2);
});
