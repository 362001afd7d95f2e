/** Pods that take long to stop: what is refused must not make other clusters wait, and nothing may make them wait for years. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Deployment, childTypes } from '../api/children.ts';
import { cronJobResource } from '../api/cronjob.ts';
import { podGraceMs } from '../api/grace.ts';
import { persistentResource } from '../api/persistent.ts';
import { serviceResource } from '../api/service.ts';
import type { HttpClusterClient } from '../cluster/http-client.ts';
import { core, type KubeObject, type ResourceType } from '../cluster/cluster-client.ts';
import { ApiServer } from '../lease/testing/api-server.ts';
import { clientOf } from '../lease/testing/lease-store.ts';
import { CronJobReconciler } from '../workloads/cronjob/reconciler.ts';
import { PersistentReconciler } from '../workloads/persistent/reconciler.ts';
import { World } from '../workloads/process/testing/world.ts';
import { ServiceReconciler } from '../workloads/service/reconciler.ts';
import { Applier } from './apply.ts';
import type { Action, Child } from './plan.ts';
import type { Grant } from './reconciler.ts';
import { ChildWorld } from './testing/child-world.ts';

type Thing = Child & KubeObject;

const { deployments, services, statefulSets, cronJobs } = childTypes;
const YEARS = 1_000_000_000;

describe('a grace beyond maxGracePeriod', () => {
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
    [
      'WorkloadCronJob',
      () =>
        new ChildWorld(
          { resource: cronJobResource, types: [cronJobs], make: (o) => new CronJobReconciler(o as never) },
          { schedule: '0 3 * * *' },
        ),
      cronJobs,
    ],
  ];

  it.each(kinds)('stalls a %s and says the bound; what there was stays as it was', async (_, make, type) => {
    const world = make();
    await world.reconcile();
    const before = world.child(type);
    expect(before).toBeDefined();
    const own = world.workload?.spec as Record<string, unknown>;
    for (const spec of [
      { terminationGracePeriod: 3601 },
      { terminationGracePeriod: String(YEARS) },
      { terminationGracePeriod: '61m' },
      { podTemplate: { spec: { terminationGracePeriodSeconds: YEARS } } },
    ]) {
      world.edit({ ...own, ...spec });
      await expect(world.reconcile()).rejects.toMatchObject({
        reason: 'GracePeriodTooLong',
        message: expect.stringMatching(/s is longer than maxGracePeriod \(3600 s\): shorten it, or raise/),
      });
      expect(world.summary).toBe('Ready=False Stalled=True GracePeriodTooLong');
      expect(world.child<Deployment>(type)?.spec).toEqual((before as Deployment).spec);
    }
    world.edit({ ...own, terminationGracePeriod: '1h' });
    await world.reconcile();
    expect(podGraceMs(world.child(type) ?? {})).toBe(3_600_000);
  });

  it('is refused by the schema where no configuration could allow it', async () => {
    const world = new World({ terminationGracePeriod: YEARS });
    await expect(world.reconcile()).rejects.toThrow('spec.terminationGracePeriod must be at most 31536000');
  });

  it('stalls a WorkloadProcess, whose pod runs on', async () => {
    const world = new World({});
    await world.reconcile();
    const uid = world.pod?.metadata.uid;
    world.edit({ gracePeriod: '300000h' });
    await expect(world.reconcile()).rejects.toMatchObject({ reason: 'GracePeriodTooLong' });
    expect(world.pod?.metadata).toMatchObject({ uid });
    expect(world.pod?.metadata.deletionTimestamp).toBeUndefined();
  });

  it('does not keep a workload from being suspended', async () => {
    const world = kinds[0]![1]();
    await world.reconcile();
    world.edit({ terminationGracePeriod: '2h', suspend: true });
    await world.reconcile();
    expect(world.child<Deployment>(deployments)?.spec.replicas).toBe(0);
  });
});

describe('on a real API server', () => {
  let server: ApiServer;
  let client: HttpClusterClient;

  beforeAll(async () => {
    server = await ApiServer.start();
    const path = join(server.folder, 'kubeconfig');
    await writeFile(path, server.kubeconfig('admin'));
    client = clientOf(path);
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'default' } };
    await client.create({ ...core.pods, plural: 'serviceaccounts', kind: 'ServiceAccount' }, account);
  }, 90_000);
  afterAll(async () => {
    await client?.close();
    await server?.[Symbol.asyncDispose]();
  });

  /** Notes what is announced, and whether the object was there already. */
  function leader(type: ResourceType, name: string) {
    const announced: unknown[] = [];
    const grant: Grant = {
      term: 7,
      holder: 'a',
      scope: 'multi',
      signal: new AbortController().signal,
      assertHeld: () => {},
      async allowGrace(graceMs, tryOut) {
        await tryOut?.();
        const found = await client.get(type, { name, namespace: 'default' });
        announced.push({ graceMs, isThere: found !== undefined });
      },
    };
    const act = (action: Action<Thing>) => new Applier<Thing>(client, type).apply(action, grant);
    return { announced, act };
  }

  const container = { name: 'main', image: 'busybox' };

  function pod(name: string, spec: object): Thing {
    const metadata = { name, namespace: 'default' };
    return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [container], ...spec } } as Thing;
  }

  function deployment(name: string, template: string): Thing {
    const spec = {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: template } },
        spec: { containers: [container], terminationGracePeriodSeconds: 3000 },
      },
    };
    return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'default' }, spec } as Thing;
  }

  it('a pod that is refused announces nothing', async () => {
    const { announced, act } = leader(core.pods, 'refused');
    const object = pod('refused', { terminationGracePeriodSeconds: 3000, priorityClassName: 'nowhere' });
    await expect(act({ type: 'create', object, reason: 'Absent' })).rejects.toThrow(
      'no PriorityClass with name nowhere',
    );
    expect(announced).toEqual([]);
  });

  it('a pod that is taken is announced first, then made', async () => {
    const { announced, act } = leader(core.pods, 'taken');
    const object = pod('taken', { terminationGracePeriodSeconds: 3000 });
    await act({ type: 'create', object, reason: 'Absent' });
    expect(announced).toEqual([{ graceMs: 3_000_000, isThere: false }]);
    expect(await client.get(core.pods, { name: 'taken', namespace: 'default' })).toBeDefined();
  });

  it('the same for what is applied, new or changed', async () => {
    const refused = leader(deployments, 'web');
    const wrong = { type: 'apply', object: deployment('web', 'other'), reason: 'Absent' } as const;
    await expect(refused.act(wrong)).rejects.toMatchObject({ code: 422 });
    expect(refused.announced).toEqual([]);

    const { announced, act } = leader(deployments, 'web');
    const { live } = await act({ ...wrong, object: deployment('web', 'web') });
    expect(announced).toEqual([{ graceMs: 3_000_000, isThere: false }]);
    await expect(refused.act({ ...wrong, ...(live && { live }) })).rejects.toMatchObject({ code: 422 });
    expect(refused.announced).toEqual([]);
  });
});

it('whoever deletes a pod may give it more time than its spec does: that counts', () => {
  const spec = { containers: [{}], terminationGracePeriodSeconds: 5 };
  expect(podGraceMs({ spec, metadata: { deletionGracePeriodSeconds: 600 } })).toBe(600_000);
  expect(podGraceMs({ spec, metadata: { deletionGracePeriodSeconds: 0 } })).toBe(5000);
});
