/** A webhook that does something beside its answer keeps the API server from trying anything out. */
import { expect, it } from 'vitest';
import { ApiError } from '../../cluster/cluster-client.ts';
import { World } from './testing/world.ts';

async function edited(message: string): Promise<World> {
  const world = new World();
  await world.reconcile();
  world.startPod();
  await world.reconcile();
  const create = world.cluster.create.bind(world.cluster);
  world.cluster.create = async (type, body, options) => {
    if (options?.dryRun) throw new ApiError(400, 'BadRequest', message);
    return create(type, body, options);
  };
  world.edit({ image: 'busybox:2' });
  await world.reconcile().catch(() => {});
  return world;
}

it('an edit takes place where nothing can be tried out', async () => {
  const world = await edited('admission webhook "audit.example.com" does not support dry run');
  expect(world.pod?.metadata.deletionTimestamp).toBeDefined();
  world.finishPod();
  await world.reconcile();
  expect(world.pod?.spec.containers[0]?.image).toBe('busybox:2');
});

it('an edit that the API server refuses leaves what runs', async () => {
  const world = await edited('admission webhook "audit.example.com" denied the request');
  expect(world.pod?.metadata.deletionTimestamp).toBeUndefined();
  expect(world.pod?.spec.containers[0]?.image).toBe('busybox');
});
