/** What refuses the next pod is seen before the one that runs is touched: by real admission, and what the kinds make of it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { childTypes } from '../api/children.ts';
import type { Pod } from '../api/kubernetes.ts';
import { persistentResource } from '../api/persistent.ts';
import { serviceResource } from '../api/service.ts';
import { ApiError, core, type KubeObject, type ResourceType } from '../cluster/cluster-client.ts';
import type { HttpClusterClient } from '../cluster/http-client.ts';
import { ApiServer } from '../lease/testing/api-server.ts';
import { clientOf } from '../lease/testing/lease-store.ts';
import { PersistentReconciler } from '../workloads/persistent/reconciler.ts';
import { World } from '../workloads/process/testing/world.ts';
import { ServiceReconciler } from '../workloads/service/reconciler.ts';
import { Applier } from './apply.ts';
import type { Grant } from './reconciler.ts';
import { ChildWorld } from './testing/child-world.ts';

const { deployments, services, statefulSets } = childTypes;

describe('admission on a real API server', () => {
  const call = { timeoutMs: 5000 };
  const grant: Grant = {
    term: 1,
    holder: 'a',
    scope: 'single',
    signal: new AbortController().signal,
    assertHeld() {},
    allowGrace: async () => {},
  };
  let server: ApiServer;
  let client: HttpClusterClient;

  beforeAll(async () => {
    server = await ApiServer.start();
    const path = join(server.folder, 'kubeconfig');
    await writeFile(path, server.kubeconfig('admin'));
    client = clientOf(path);
    await account('default');
  }, 60_000);
  afterAll(async () => {
    await client?.close();
    await server?.[Symbol.asyncDispose]();
  });

  const core1 = (plural: string, kind: string): ResourceType => ({
    group: '',
    version: 'v1',
    plural,
    kind,
    namespaced: true,
  });
  const make = (type: ResourceType, body: object) => client.create(type, body as KubeObject, call);

  async function namespace(name: string, labels = {}): Promise<void> {
    await make(core.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    await account(name);
  }

  /** As a cluster's controllers make it. */
  async function account(place: string): Promise<void> {
    const metadata = { name: 'default', namespace: place };
    await make(core1('serviceaccounts', 'ServiceAccount'), { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  }

  function tryOut(place: string, spec: object = {}, container: object = {}): Promise<void> {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'next', namespace: place },
      spec: { containers: [{ name: 'main', image: 'busybox', ...container }], ...spec },
    } as Pod;
    return new Applier<Pod>(client, core.pods).rehearse(pod, grant);
  }

  it.each([
    ['service account', { serviceAccountName: 'importr' }],
    ['PriorityClass', { priorityClassName: 'hgih' }],
    ['RuntimeClass', { runtimeClassName: 'none-such' }],
  ])('an unknown %s refuses', async (word, spec) => {
    await expect(tryOut('default', spec)).rejects.toThrow(word);
  });

  it('Pod Security of the namespace refuses', async () => {
    await namespace('strict', { 'pod-security.kubernetes.io/enforce': 'restricted' });
    await expect(tryOut('strict')).rejects.toThrow('violates PodSecurity');
  });

  it('a LimitRange refuses what is too large', async () => {
    await namespace('small');
    const metadata = { name: 'small', namespace: 'small' };
    const limits = [
      { type: 'Container', max: { cpu: '1' }, default: { cpu: '100m' }, defaultRequest: { cpu: '100m' } },
    ];
    await make(core1('limitranges', 'LimitRange'), {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata,
      spec: { limits },
    });
    const large = { resources: { limits: { cpu: '2' } } };
    await vi.waitFor(() => expect(tryOut('small', {}, large)).rejects.toThrow('maximum cpu usage per Container is 1'), {
      timeout: 10_000,
      interval: 100,
    });
  });

  it('takes what would be let in, also beside a pod of its name', async () => {
    await tryOut('default');
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'next', namespace: 'default' } };
    await make(core.pods, { ...pod, spec: { containers: [{ name: 'main', image: 'busybox' }] } });
    await tryOut('default');
    await expect(tryOut('default', { priorityClassName: 'hgih' })).rejects.toThrow('PriorityClass');
  });
});

describe('an edit that admission refuses', () => {
  const kinds: readonly (readonly [string, () => ChildWorld, ResourceType])[] = [
    [
      'WorkloadService',
      () =>
        new ChildWorld(
          { resource: serviceResource, types: [deployments, services], make: (o) => new ServiceReconciler(o) },
          {},
        ),
      deployments,
    ],
    [
      'WorkloadPersistent',
      () =>
        new ChildWorld(
          { resource: persistentResource, types: [statefulSets, services], make: (o) => new PersistentReconciler(o) },
          {},
        ),
      statefulSets,
    ],
  ];

  it.each([
    'pods "app-pod" is forbidden: error looking up service account shop/importr: serviceaccount "importr" not found',
    'admission webhook "validate.example.com" denied the request: no',
    'exceeded quota: q, requested: requests.cpu=2, used: requests.cpu=0, limited: requests.cpu=1',
  ])(
    'of a WorkloadProcess keeps the pod while the next one would be refused, and replaces it when it no longer is: %s',
    async (message) => {
      const world = new World();
      await world.reconcile();
      world.startPod();
      await world.reconcile();
      world.takeWrites();
      const uid = world.pod?.metadata.uid;
      world.edit({ image: 'busybox:2' });
      for (let round = 0; round < 2; round++) {
        world.cluster.failures.set('create', new ApiError(403, 'Forbidden', message));
        await expect(world.reconcile()).rejects.toThrow(message);
      }
      expect(world.takeWrites()).toEqual(['status']);
      expect([world.pod?.metadata.uid, world.status.lastError]).toEqual([uid, message]);
      expect(world.status).toMatchObject({ active: true });
      await world.reconcile();
      expect(world.takeWrites()).toEqual(['delete Pod', 'status']);
    },
  );

  it.each(kinds)('of a %s changes nothing, and takes place when it no longer does', async (_kind, make, type) => {
    const world = make();
    await world.reconcile();
    const child = () => JSON.stringify(world.child(type));
    const before = child();
    world.edit({ image: 'busybox:2' });
    const message = 'pods "web-try" is forbidden: error looking up service account default/importr';
    world.cluster.failures.set('create', new ApiError(403, 'Forbidden', message));
    await expect(world.reconcile()).rejects.toThrow(message);
    expect(child()).toBe(before);
    expect(world.status().lastError).toBe(message);
    await world.reconcile();
    expect(child()).toContain('busybox:2');
  });
});
