/** Claims that are to grow, against the admission of a real API server; what Kubernetes' controllers do is done by hand. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PersistentVolumeClaim, StatefulSet } from '../../api/children.ts';
import { childTypes, persistentVolumeClaims } from '../../api/children.ts';
import { persistentResource } from '../../api/persistent.ts';
import { ApiError, type KubeObject, type ResourceType } from '../../cluster/cluster-client.ts';
import { RealWorld, type RealKind } from '../../reconcile/testing/real-world.ts';
import { PersistentReconciler } from './reconciler.ts';

const { services, statefulSets } = childTypes;
const kind: RealKind = {
  resource: persistentResource,
  types: [statefulSets, services],
  make: (options) => new PersistentReconciler(options),
};
const classes: ResourceType = {
  group: 'storage.k8s.io',
  version: 'v1',
  plural: 'storageclasses',
  kind: 'StorageClass',
  namespaced: false,
};

let world: RealWorld;
let number = 0;
let key = { namespace: '', name: 'mq' };

beforeAll(async () => {
  world = await RealWorld.start();
  for (const [name, allowVolumeExpansion] of [
    ['growing', true],
    ['fixed', false],
  ] as const) {
    const body = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name } };
    await world.client.create(classes, { ...body, provisioner: 'test', allowVolumeExpansion } as KubeObject);
  }
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());

beforeEach(async () => {
  key = { namespace: `place-${(number += 1)}`, name: 'mq' };
  await world.namespace(key.namespace);
});

async function apply(size: string | number, more: { class?: string; replicas?: number } = {}): Promise<void> {
  const { class: storageClassName = 'growing', replicas = 1 } = more;
  const persistentVolumes = [{ name: 'data', mountPath: '/data', size, storageClassName }];
  await world.apply(persistentResource, key, { image: 'mq:1', replicas, persistentVolumes });
  await world.reconcile(kind, key);
  await run(replicas);
  await world.reconcile(kind, key);
}

/** The StatefulSet's pods are up. */
async function run(replicas: number): Promise<void> {
  const counts = { replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas };
  const set = await world.get<StatefulSet>(statefulSets, key, 'mq');
  await world.setStatus(statefulSets, key, { ...counts, observedGeneration: set?.metadata.generation });
}

/** As the StatefulSet's controller makes it, and a driver binds it. */
async function claim(name = 'data-mq-0', metadata: Partial<KubeObject['metadata']> = {}): Promise<void> {
  const set = await world.get<StatefulSet>(statefulSets, key, 'mq');
  const labels = { ...set?.spec.selector.matchLabels };
  const body = { metadata: { labels, ...metadata, name, namespace: key.namespace } };
  await world.client.create(persistentVolumeClaims, {
    ...body,
    spec: set?.spec.volumeClaimTemplates?.[0]?.spec,
  } as KubeObject);
  await world.setStatus(persistentVolumeClaims, at(name), { phase: 'Bound', capacity: { storage: '10Gi' } });
}

const at = (name: string) => ({ namespace: key.namespace, name });
const size = async (name = 'data-mq-0') =>
  (await world.get<PersistentVolumeClaim>(persistentVolumeClaims, key, name))?.spec.resources?.requests?.storage;

/** Reason of Ready, and what is wrong. */
async function said(): Promise<readonly [string | undefined, unknown]> {
  const { status } = await world.workload(persistentResource, key);
  expect(status).toMatchObject({ active: true, healthy: true });
  const ready = (status['conditions'] as { type: string; reason: string }[]).find(({ type }) => type === 'Ready');
  return [ready?.reason, status['lastError']];
}

async function grown(name = 'data-mq-0'): Promise<void> {
  await world.setStatus(persistentVolumeClaims, at(name), { capacity: { storage: '20Gi' } });
}

describe('a claim', () => {
  it('grows with the spec, and the StatefulSet is left as it is', async () => {
    await apply('10Gi');
    await claim();
    const before = await world.get<StatefulSet>(statefulSets, key, 'mq');
    await apply('20Gi');
    await vi.waitFor(async () => {
      await world.reconcile(kind, key);
      expect(await size()).toBe('20Gi'); // as soon as admission has heard of the class
    }, 10_000);
    expect(await said()).toEqual(['ClaimExpanding', undefined]);
    await grown();
    await world.reconcile(kind, key);
    expect(await said()).toEqual(['Running', undefined]);
    const after = await world.get<StatefulSet>(statefulSets, key, 'mq');
    expect([after?.metadata.uid, after?.spec]).toEqual([before?.metadata.uid, before?.spec]);
  });

  it('that somebody grew by hand is followed by the spec', async () => {
    await apply('10Gi');
    await claim();
    const body = { spec: { resources: { requests: { storage: '20Gi' } } } };
    await vi.waitFor(
      () => world.client.patch(persistentVolumeClaims, at('data-mq-0'), body, { type: 'merge' }),
      10_000,
    );
    await grown();
    await world.reconcile(kind, key);
    expect(await said()).toEqual(['Running', undefined]);
    world.takeChanges();
    await apply('20480Mi');
    expect(await said()).toEqual(['Running', undefined]);
    expect(await size()).toBe('20Gi');
    expect(world.takeChanges()).toEqual(['stamp StatefulSet: SpecSeen', 'stamp Service: SpecSeen']);
  });

  it('does not keep the image from being changed', async () => {
    await apply('10Gi');
    world.takeChanges();
    const persistentVolumes = [{ name: 'data', mountPath: '/data', size: '10Gi', storageClassName: 'growing' }];
    await world.apply(persistentResource, key, { image: 'mq:2', replicas: 1, persistentVolumes });
    await world.reconcile(kind, key);
    expect(world.takeChanges()[0]).toBe('apply StatefulSet: SpecChanged');
  });

  it('of a replica that is added later grows as well, once it is bound', async () => {
    await apply('10Gi');
    await claim();
    await apply('20Gi');
    await grown();
    await apply('20Gi', { replicas: 2 });
    await claim('data-mq-1');
    await world.reconcile(kind, key);
    expect(await size('data-mq-1')).toBe('20Gi');
    expect(await said()).toEqual(['ClaimExpanding', undefined]);
  });

  it('of a replica that there is no more is left alone', async () => {
    await apply('10Gi', { replicas: 2 });
    await claim('data-mq-0');
    await claim('data-mq-1');
    await apply('20Gi', { replicas: 1 });
    expect([await size('data-mq-0'), await size('data-mq-1')]).toEqual(['20Gi', '10Gi']);
  });

  it('cannot shrink: nothing is touched, and the status says so', async () => {
    await apply('10Gi');
    await claim();
    world.takeChanges();
    await apply('5Gi');
    const [reason, problem] = await said();
    expect(reason).toBe('ClaimCannotShrink');
    expect(problem).toContain('cannot shrink from 10Gi to 5Gi');
    expect(world.takeChanges()).toEqual([]);
    await apply('10240Mi');
    expect(await said()).toEqual(['Running', undefined]);
  });

  it('whose class does not allow it stays, and the status names the class and the way out', async () => {
    await apply('10Gi', { class: 'fixed' });
    await claim();
    await apply('20Gi', { class: 'fixed' });
    const [reason, problem] = await said();
    expect(reason).toBe('ClaimNotExpandable');
    expect(problem).toBe(
      'PersistentVolumeClaim data-mq-0 cannot be expanded from 10Gi to 20Gi: its StorageClass fixed does not set allowVolumeExpansion: ' +
        'set it to true if the storage supports expansion, set the size back to 10Gi in the spec, or move the data to a volume of another class',
    );
    const body = { allowVolumeExpansion: true };
    await world.client.patch(classes, { name: 'fixed' }, body, { type: 'merge' });
    await vi.waitFor(async () => {
      await world.reconcile(kind, key);
      expect(await size()).toBe('20Gi');
    }, 10_000);
    await world.client.patch(classes, { name: 'fixed' }, { allowVolumeExpansion: false }, { type: 'merge' });
  });

  it('that a quota refuses is said', async () => {
    await apply('10Gi');
    await claim();
    const quotas = { group: '', version: 'v1', plural: 'resourcequotas', kind: 'ResourceQuota', namespaced: true };
    const spec = { hard: { 'requests.storage': '15Gi' } };
    await world.client.create(quotas, { metadata: { name: 'small', namespace: key.namespace }, spec } as KubeObject);
    const used = { hard: spec.hard, used: { 'requests.storage': '10Gi' } };
    await world.setStatus(quotas, at('small'), used);
    await apply('20Gi');
    const [reason, problem] = await said();
    expect(reason).toBe('ClaimExpansionRefused');
    expect(problem).toMatch(/cannot be expanded from 10Gi to 20Gi: .*exceeded quota/);
  });

  it.each([
    ['is without our labels', { labels: { app: 'mq' } }],
    [
      'belongs to somebody else',
      { ownerReferences: [{ apiVersion: 'v1', kind: 'Secret', name: 'x', uid: 'u', controller: true }] },
    ],
  ])('that %s is not touched, and the status says so', async (_sentence, metadata) => {
    await apply('10Gi');
    await claim('data-mq-0', metadata);
    await apply('20Gi');
    expect(await size()).toBe('10Gi');
    expect((await said())[0]).toBe('ClaimNotManaged');
  });

  it('with our labels and another name is not touched', async () => {
    await apply('10Gi');
    await claim('data-mq-0');
    await claim('data-mq-00');
    await claim('backup-mq-0');
    await apply('20Gi');
    expect([await size('data-mq-0'), await size('data-mq-00'), await size('backup-mq-0')]).toEqual([
      '20Gi',
      '10Gi',
      '10Gi',
    ]);
  });

  it('that has yet to be bound is awaited', async () => {
    await apply('10Gi');
    await claim();
    await world.setStatus(persistentVolumeClaims, at('data-mq-0'), { phase: 'Pending', capacity: null });
    await apply('20Gi');
    expect(await size()).toBe('10Gi');
    expect(await said()).toEqual(['Running', undefined]);
  });

  it('that waits for a pod, or that the storage cannot expand, says so', async () => {
    await apply('10Gi');
    await claim();
    await apply('20Gi');
    const condition = {
      type: 'FileSystemResizePending',
      status: 'True',
      message: 'Waiting for user to (re-)start a pod',
    };
    await world.setStatus(persistentVolumeClaims, at('data-mq-0'), { conditions: [condition] });
    await world.reconcile(kind, key);
    const { status } = await world.workload(persistentResource, key);
    expect(JSON.stringify(status['conditions'])).toContain('Waiting for user to (re-)start a pod');
    const failed = { type: 'ControllerResizeError', status: 'True', message: 'no space left in the pool' };
    const stage = { allocatedResourceStatuses: { storage: 'ControllerResizeInfeasible' } };
    await world.setStatus(persistentVolumeClaims, at('data-mq-0'), { conditions: [failed], ...stage });
    await world.reconcile(kind, key);
    const [reason, problem] = await said();
    expect(reason).toBe('ClaimExpansionFailed');
    expect(problem).toContain('no space left in the pool (ControllerResizeInfeasible: ');
  });
});

it('without the right to read claims everything else goes on, and the status names it', async () => {
  await apply('10Gi');
  const get = world.client.get.bind(world.client);
  vi.spyOn(world.client, 'get').mockImplementation((type, ...rest) =>
    type.plural === 'persistentvolumeclaims'
      ? Promise.reject(new ApiError(403, 'Forbidden', 'User "x" cannot get resource "persistentvolumeclaims"'))
      : get(type, ...rest),
  );
  await apply('20Gi');
  const [reason, problem] = await said();
  expect(reason).toBe('ClaimExpansionRefused');
  expect(problem).toContain('data-mq-0 cannot be read, so it cannot be expanded: grant the controller get and patch');
});

it('claims of a size that was never changed are not read', async () => {
  await apply('10Gi');
  const read = vi.spyOn(world.client, 'get');
  await world.reconcile(kind, key);
  expect(read.mock.calls.filter(([type]) => type.plural === 'persistentvolumeclaims')).toEqual([]);
});
