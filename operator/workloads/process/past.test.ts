import { describe, expect, it } from 'vitest';
import { World } from './testing/world.ts';

describe('what another cluster knows', () => {
  async function parked(spec: Record<string, unknown>, before: (world: World) => Promise<void>): Promise<World> {
    const east = new World(spec);
    east.scope = 'multi';
    await east.reconcile();
    east.startPod();
    await before(east);
    await east.reconcile();
    const west = new World(spec, east.store);
    west.scope = 'multi';
    west.newLeader(8, 'leader-b');
    return west;
  }

  it('a process that has run to its end is not run again there', async () => {
    const west = await parked({ restartPolicy: 'Never' }, async (east) => east.endPod(0));
    await west.reconcile();
    expect(west.pod).toBeUndefined();
    expect(west.summary).toBe('Ready=True Completed');
  });

  it('restarts go on being counted there', async () => {
    const west = await parked({ restartPolicy: 'OnFailure' }, async (east) => {
      await east.reconcile();
      east.startPod(3);
    });
    await west.reconcile();
    expect(west.status.restarts).toBe(3);
    expect(west.pod).toBeDefined();
  });

  it('another spec begins anew', async () => {
    const west = await parked({ restartPolicy: 'Never' }, async (east) => east.endPod(0));
    west.edit({ restartPolicy: 'Never', env: { X: '1' } });
    await west.reconcile();
    expect(west.pod).toBeDefined();
  });

  it('a process that was deleted is forgotten: one of its name runs', async () => {
    const west = await parked({ restartPolicy: 'Never' }, async (east) => {
      east.endPod(0);
      await east.reconcile();
      east.deleteWorkload();
      await east.reconcile();
    });
    await west.reconcile();
    expect(west.pod).toBeDefined();
  });

  it('is not asked for while there is one cluster', async () => {
    const world = new World();
    await world.reconcile();
    world.startPod();
    await world.reconcile();
    expect(world.store.snapshot().size).toBe(0);
  });
});
