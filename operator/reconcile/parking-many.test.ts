/** Stopping on a real API server without kubelets: many pods, and pods that were given more time than others wait. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { API_VERSION, labels, POD_FINALIZER } from '../api/group.ts';
import type { ObjectMeta, Pod } from '../api/kubernetes.ts';
import { core } from '../cluster/cluster-client.ts';
import type { HttpClusterClient } from '../cluster/http-client.ts';
import { stopMarginMs } from '../leadership/permit.ts';
import { ApiServer } from '../lease/testing/api-server.ts';
import { clientOf } from '../lease/testing/lease-store.ts';
import { systemClock } from '../lib/clock.ts';
import { forEach } from '../lib/each.ts';
import { silentLogger } from '../lib/logger.ts';
import { TenantWorkloads } from './tenant-workloads.ts';
import { VanishedPods } from './vanished.ts';

const call = { timeoutMs: 2000 };
const MANY = 300;
const serviceAccounts = {
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
};
const OURS = { apiVersion: API_VERSION, kind: 'WorkloadProcess' };

let server: ApiServer;
let client: HttpClusterClient;
const sent = new Map<string, number>();
let tenants = 0;

beforeAll(async () => {
  server = await ApiServer.start();
  const path = join(server.folder, 'kubeconfig');
  await writeFile(path, server.kubeconfig('admin'));
  client = clientOf(path);
  const metadata = { name: 'default', namespace: 'default' };
  await client.create(serviceAccounts, { metadata }, { timeoutMs: 10_000 });
}, 60_000);
afterAll(async () => {
  await client?.close();
  await server?.[Symbol.asyncDispose]();
});

/** Counts what is sent. */
function counted(): HttpClusterClient {
  return new Proxy(client, {
    get: (target, key: keyof HttpClusterClient) => {
      const value: unknown = target[key];
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        sent.set(key, (sent.get(key) ?? 0) + 1);
        return (value as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

function tenant(maxGraceMs?: number) {
  const name = `t${(tenants += 1)}`;
  const all = new TenantWorkloads({
    client: counted(),
    tenant: name,
    namespace: 'default',
    watchNamespaces: [],
    ...(maxGraceMs !== undefined && { maxGraceMs }),
    fenced: async () => {},
    vanished: new VanishedPods(),
    pods: { hasSynced: true, list: () => [] },
    isShared: () => false,
    confirmed: () => undefined,
    clock: systemClock,
    logger: silentLogger,
  });
  const start = (pod: string, graceSeconds: number, owner: { apiVersion: string; kind: string }) => {
    const own = { [labels.tenant]: name, [labels.kind]: 'WorkloadProcess', [labels.name]: pod };
    const metadata: ObjectMeta = {
      name: `${name}-${pod}`,
      namespace: 'default',
      labels: own,
      finalizers: [POD_FINALIZER],
      ownerReferences: [{ ...owner, name: pod, uid: 'u', controller: true }],
    };
    const spec = {
      nodeName: 'node1',
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: graceSeconds,
      containers: [{ name: 'main', image: 'busybox' }],
    };
    return client.create<Pod>(core.pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec } as Pod, {
      timeoutMs: 10_000,
    });
  };
  const graceOf = async (pod: string) => {
    const found = await client.get<Pod>(core.pods, { name: `${name}-${pod}`, namespace: 'default' }, call);
    return found?.metadata.deletionGracePeriodSeconds;
  };
  return { all, start, graceOf };
}

it('asks hundreds of pods to stop in one request each, within the time that is announced for so many', async () => {
  const { all, start } = tenant();
  await forEach([...Array(MANY).keys()], 16, (n) => start(`p${n}`, 30, OURS));
  sent.clear();
  const began = systemClock.monotonic();
  await all.park(call);
  expect(systemClock.monotonic() - began).toBeLessThan(stopMarginMs(MANY));
  expect(Object.fromEntries(sent)).toEqual({ list: 5, delete: MANY });
  await all.park(call);
  expect(Object.fromEntries(sent)).toEqual({ list: 10, delete: MANY });
  expect(await all.running(call)).toHaveLength(MANY);
}, 120_000);

it('gives no pod longer than others wait, whoever asked it to stop', async () => {
  const { all, start, graceOf } = tenant(3_600_000);
  await start('short', 30, OURS);
  await start('long', 7200, OURS);
  await start('others', 7200, { apiVersion: 'apps/v1', kind: 'ReplicaSet' });
  const dying = await start('dying', 7200, { apiVersion: 'apps/v1', kind: 'ReplicaSet' });
  const { uid = '', name, namespace = '' } = dying.metadata;
  await client.delete(core.pods, { name, namespace }, { ...call, preconditions: { uid } });
  expect(await graceOf('dying')).toBe(7200);
  await all.park(call);
  const graces = await Promise.all(['short', 'long', 'others', 'dying'].map(graceOf));
  expect(graces).toEqual([30, 3600, undefined, 3600]);
  sent.clear();
  await all.park(call);
  expect(sent.get('delete')).toBeUndefined();
}, 60_000);

it('announces more for more, in steps', () => {
  const margins = [0, 100, 101, 300, 301, 5000].map(stopMarginMs);
  expect(margins).toEqual([8000, 8000, 23_000, 23_000, 33_000, 263_000]);
});
