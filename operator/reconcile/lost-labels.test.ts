/** Labels are how children are found; whoever may edit a child may change them. What belongs to whom, its owner says. */
import { expect, it } from 'vitest';
import type { Deployment } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import { annotations, GROUP, labels } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';
import { serviceResource } from '../api/service.ts';
import { core } from '../cluster/cluster-client.ts';
import { World } from '../workloads/process/testing/world.ts';
import { ServiceReconciler } from '../workloads/service/reconciler.ts';
import { ChildWorld } from './testing/child-world.ts';

const EDITS: readonly (readonly [string, Readonly<Record<string, string | undefined>>])[] = [
  ['the tenant taken away', { [labels.tenant]: undefined }],
  ['another tenant', { [labels.tenant]: 'evil' }],
  ['the kind taken away', { [labels.kind]: undefined }],
  ['another name', { [labels.name]: 'other' }],
];

function edited<T extends Deployment | Pod>({ metadata, ...rest }: T, edit: (typeof EDITS)[number][1]): T {
  const kept = Object.entries({ ...metadata.labels, ...edit }).filter(([, value]) => value !== undefined);
  return { ...rest, metadata: { ...metadata, labels: Object.fromEntries(kept) } } as never;
}

it.each(EDITS)('of a Deployment whose pods run: %s', async (_edit, edit) => {
  const { deployments, services, replicaSets } = childTypes;
  const world = new ChildWorld(
    { resource: serviceResource, types: [deployments, services], make: (options) => new ServiceReconciler(options) },
    { replicas: 1, ports: [{ containerPort: 8080 }] },
  );
  await world.reconcile();
  const { uid = '', name } = world.child<Deployment>(deployments)!.metadata;
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name, uid, controller: true };
  world.cluster.edit(replicaSets, { metadata: { namespace: 'default', name: 'web-1', ownerReferences: [deployment] } });
  const set = world.child(replicaSets, 'web-1')!.metadata;
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: set.name, uid: set.uid ?? '', controller: true };
  world.addPod('web-1-a', { phase: 'Running' }, { ownerReferences: [owner] });
  const before = world.child<Deployment>(deployments)!.metadata.labels;
  world.editChild<Deployment>(deployments, (child) => edited(child, edit));
  world.takeWrites();

  await world.reconcile();
  expect(world.takeWrites()).toContain('apply Deployment');
  expect(world.child<Deployment>(deployments)!.metadata).toMatchObject({ uid, labels: before });
  expect(world.summary).not.toContain('Waiting');
  await world.reconcile();
  expect(world.takeWrites()).toEqual([]);
});

it.each(EDITS)('of the pod of a process: %s', async (_edit, edit) => {
  const world = new World();
  await world.reconcile();
  world.startPod();
  await world.reconcile();
  const { uid, labels: before } = world.pod!.metadata;
  world.editPod((pod) => edited(pod, edit));
  world.stalePods.set('job-pod', undefined); // no cache has it any more
  world.takeWrites();

  await world.reconcile();
  expect(world.pod!.metadata).toMatchObject({ uid, labels: before });
  expect(world.summary).toBe('Ready=True Running');
  world.stalePods.clear();
  world.takeWrites();
  await world.reconcile();
  expect(world.takeWrites()).toEqual([]);
});

it('an object of the same name whose owner is somebody else is left alone', async () => {
  const world = new World();
  world.cluster.edit<Pod>(core.pods, {
    metadata: {
      name: 'job-pod',
      namespace: 'default',
      labels: { [labels.tenant]: 'default', [labels.kind]: 'WorkloadProcess', [labels.name]: 'job' },
      ownerReferences: [
        { apiVersion: `${GROUP}/v1`, kind: 'WorkloadService', name: 'job', uid: 'u', controller: true },
      ],
    },
    spec: { containers: [] },
  } as never);
  await world.reconcile();
  expect(world.summary).toBe('Ready=False Stalled=True Conflict');
});

it('a term beside the label of another tenant is not ours, and nobody steps down for it', async () => {
  const world = new World();
  await world.reconcile();
  world.startPod();
  await world.reconcile();
  world.editPod(({ metadata, ...pod }) => {
    const notes = { ...metadata.annotations, [annotations.term]: '9' };
    return edited({ ...pod, metadata: { ...metadata, annotations: notes } }, { [labels.tenant]: 'other' });
  });
  world.stalePods.set('job-pod', undefined);
  await world.reconcile();
  expect(world.pod!.metadata.annotations?.[annotations.term]).toBe('7');
  expect(world.pod!.metadata.labels?.[labels.tenant]).toBe('default');
});
