import { expect, it } from 'vitest';
import { World } from './testing/world.ts';

it('a pod that was left alone by --cascade=orphan is in the way until it is deleted, and then goes when it has ended', async () => {
  const world = new World();
  await world.reconcile();
  world.startPod();
  await world.reconcile();
  world.editPod(({ metadata: { ownerReferences: _, ...metadata }, ...pod }) => ({ ...pod, metadata }));
  await world.reconcile();
  expect(world.summary).toBe('Ready=False Stalled=True Conflict');
  world.deletePod();
  expect(await world.reconcile()).toEqual({ requeueAfterMs: 10_000 });
  world.takeWrites();
  world.finishPod();
  await world.reconcile();
  expect(world.takeWrites()).toEqual(['patch Pod', 'create Pod', 'status']);
});
