/** Notes of pods that vanished, on a real API server, as controllers that come and go see them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotations, labels, POD_FINALIZER } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';
import { core } from '../cluster/cluster-client.ts';
import type { HttpClusterClient } from '../cluster/http-client.ts';
import { ApiServer } from '../lease/testing/api-server.ts';
import { clientOf } from '../lease/testing/lease-store.ts';
import { silentLogger } from '../lib/logger.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { TenantWorkloads } from './tenant-workloads.ts';
import { unconfirmedName } from './unconfirmed-notes.ts';
import { VanishedPods } from './vanished.ts';

const call = { timeoutMs: 5000 };
const APP = 'WorkloadService a/app';

let server: ApiServer;
let client: HttpClusterClient;
let tenants = 0;

beforeAll(async () => {
  server = await ApiServer.start();
  const path = join(server.folder, 'kubeconfig');
  await writeFile(path, server.kubeconfig('admin'));
  client = clientOf(path);
}, 60_000);
afterAll(async () => {
  await client?.close();
  await server?.[Symbol.asyncDispose]();
});

const pod = (name = 'app-1'): Pod => ({
  metadata: {
    name,
    namespace: 'a',
    uid: `uid-${name}`,
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'app', uid: 'rs', controller: true }],
    labels: { [labels.kind]: 'WorkloadService', [labels.name]: 'app' },
  },
  spec: { nodeName: 'spot-1', containers: [], terminationGracePeriodSeconds: 5 },
});

interface Seen {
  /** As its cache has them. */
  readonly pods?: readonly Pod[];
  readonly hasSynced?: boolean;
}

/** A tenant of its own; each controller knows what it has seen itself. */
function cluster(isShared = true) {
  const tenant = `t${(tenants += 1)}`;
  const name = { name: unconfirmedName(tenant), namespace: 'default' };
  const controller = ({ pods = [], hasSynced = true }: Seen = {}) => {
    const cache = { pods, hasSynced, list: () => cache.pods };
    const vanished = new VanishedPods();
    const options = { client, tenant, namespace: 'default', watchNamespaces: [], clock: new FakeClock() };
    const seen = { vanished, fenced: async () => {}, confirmed: () => undefined, logger: silentLogger };
    const workloads = new TenantWorkloads({ ...options, ...seen, pods: cache, isShared: () => isShared });
    return { vanished, workloads, cache };
  };
  const annotate = (own: Record<string, string>) =>
    client.patch(
      core.leases,
      name,
      { metadata: { annotations: own } },
      { ...call, type: 'merge', fieldManager: 'test' },
    );
  const version = async () => (await client.get(core.leases, name, call))?.metadata.resourceVersion;
  return { controller, annotate, version };
}

it('a controller that saw nothing names what a colleague saw, and so does the one that it becomes', async () => {
  const { controller } = cluster();
  const witness = controller();
  expect(await witness.workloads.running(call)).toEqual([]);
  witness.vanished.went(pod());
  expect(await witness.workloads.running(call)).toEqual([APP]);
  expect(await controller().workloads.running(call)).toEqual([APP]);
});

it('a person says that it has stopped where no custom resource is left to say it on', async () => {
  const { controller, annotate } = cluster();
  const witness = controller();
  witness.vanished.went(pod('app-1'));
  witness.vanished.went(pod('app-2'));
  await witness.workloads.running(call);
  await annotate({ [annotations.confirmStopped]: 'uid-app-1, uid-app-2' });
  expect(await controller().workloads.running(call)).toEqual([]);
  expect(await witness.workloads.running(call)).toEqual([]);
});

it.each(['', 'x', '{}', '[{}]', '[{"uid":7}]', `[${'{"uid":"u"},'.repeat(9)}null]`])(
  'what cannot be read keeps nobody from looking: %j',
  async (text) => {
    const { controller, annotate } = cluster();
    const witness = controller();
    witness.vanished.went(pod());
    await witness.workloads.running(call);
    await annotate({ 'highlander.plexobject.io/unconfirmed-pods': text });
    expect(await controller().workloads.running(call)).toEqual([]);
    expect(await witness.workloads.running(call)).toEqual([APP]);
    expect(await controller().workloads.running(call)).toEqual([APP]);
  },
);

describe('a pod that ran when its controllers were last there', () => {
  const running = (name = 'app-1'): Pod => ({ ...pod(name), status: { phase: 'Running' } });

  async function left(pods: readonly Pod[], isShared = true) {
    const place = cluster(isShared);
    await place.controller({ pods }).workloads.awaited(call);
    return place;
  }

  it('is awaited by whoever comes back and finds no object of it', async () => {
    const { controller } = await left([running()]);
    expect(await controller().workloads.running(call)).toEqual([APP]);
    expect(await controller().workloads.awaited(call)).toEqual([APP]);
  });

  it('delays nothing while it has an object, nor before the cache is full', async () => {
    const { controller } = await left([running()]);
    const there = controller({ pods: [running()] });
    expect(await there.workloads.awaited(call)).toEqual([]);
    expect(there.workloads.hasNews).toBe(false);
    expect(await controller({ hasSynced: false }).workloads.awaited(call)).toEqual([]);
  });

  it('is awaited no more once its kubelet, or a person, has said that it has ended', async () => {
    const { controller, annotate } = await left([running('app-1'), running('app-2')]);
    const back = controller();
    back.vanished.went({ ...running('app-1'), status: { phase: 'Succeeded' } });
    await annotate({ [annotations.confirmStopped]: 'uid-app-2' });
    expect(await back.workloads.running(call)).toEqual([]);
    expect(await controller().workloads.running(call)).toEqual([]);
  });

  it('is kept in mind by colleagues whose caches differ', async () => {
    const { controller } = await left([running('app-1')]);
    await controller({ pods: [running('app-2')] }).workloads.awaited(call);
    expect(await controller({ pods: [running('app-1'), running('app-2')] }).workloads.awaited(call)).toEqual([]);
    expect(await controller().workloads.running(call)).toEqual([APP]);
  });

  it('is written down once, and only where several clusters share the tenant', async () => {
    const { controller, version } = await left([running()]);
    const before = await version();
    const again = controller({ pods: [running()] });
    await again.workloads.awaited(call);
    expect([await version(), again.workloads.hasNews]).toEqual([before, false]);
    again.cache.pods = [running(), running('app-2')];
    expect(again.workloads.hasNews).toBe(true);
    const single = await left([running()], false);
    expect([await single.version(), single.controller({ pods: [running()] }).workloads.hasNews]).toEqual([
      undefined,
      false,
    ]);
  });

  it.each([
    ['holds on to its object by our finalizer', { finalizers: [POD_FINALIZER] }],
    ['is not ours', { ownerReferences: [] }],
  ])('is not noted when it %s', async (_, metadata) => {
    const { controller } = await left([{ ...running(), metadata: { ...running().metadata, ...metadata } }]);
    expect(await controller().workloads.running(call)).toEqual([]);
  });

  it('of thousands, as many are noted as an object holds', async () => {
    const { controller } = await left(Array.from({ length: 5000 }, (_, n) => running(`app-${n}`)));
    expect(await controller().workloads.running(call)).toEqual([APP]);
  });
});
