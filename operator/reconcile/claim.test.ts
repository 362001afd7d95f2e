/** A tenant that is the only one takes what is nobody's before it makes anything of it. */
import { beforeEach, expect, it } from 'vitest';
import { childTypes } from '../api/children.ts';
import { serviceResource } from '../api/service.ts';
import { ServiceReconciler } from '../workloads/service/reconciler.ts';
import type { Workload } from './child-look.ts';
import { Tenancy } from './tenancy.ts';
import { ChildWorld } from './testing/child-world.ts';

const { deployments, services } = childTypes;

let world: ChildWorld;

beforeEach(() => {
  world = new ChildWorld(
    { resource: serviceResource, types: [deployments, services], make: (options) => new ServiceReconciler(options) },
    { replicas: 1 },
  );
  world.tenancy = new Tenancy({ tenant: 'production', watchNamespaces: [] });
  world.newLeader(7);
});

it('the first write is the claim', async () => {
  await world.reconcileOnce();
  expect(world.takeWrites()).toEqual(['status', 'apply Deployment']);
  expect(world.status().controller?.tenant).toBe('production');
});

it('nothing is made of what has changed meanwhile', async () => {
  anotherIsFaster();
  await expect(world.reconcileOnce()).rejects.toMatchObject({ code: 409 });
  expect(world.child(deployments)).toBeUndefined();
  expect(world.status().controller?.tenant).toBe('staging');
  await world.reconcile();
  expect(world.child(deployments)).toBeUndefined();
});

/** Another tenant takes it in the moment in which this one wants to. */
function anotherIsFaster(): void {
  const { cluster } = world;
  const patch = cluster.patch.bind(cluster);
  cluster.patch = (type, at, body, options) => {
    cluster.patch = patch;
    const workload = world.workload as Workload;
    const controller = { tenant: 'staging', holder: 's-1', term: 1, observedTime: cluster.now() };
    cluster.edit<Workload>(serviceResource, { ...workload, status: { ...workload.status, controller } });
    return patch(type, at, body, options);
  };
}
