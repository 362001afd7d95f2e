import { expect, it } from 'vitest';
import type { StatefulSet } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import { persistentResource } from '../../api/persistent.ts';
import { TerminalError } from '../../lib/errors.ts';
import { ChildWorld } from '../../reconcile/testing/child-world.ts';
import { PersistentReconciler } from './reconciler.ts';

const { statefulSets, services } = childTypes;
const SPEC = { replicas: 1, persistentVolumes: [{ name: 'data', mountPath: '/data', size: '1Gi' }] };

async function running(): Promise<ChildWorld> {
  const world = new ChildWorld(
    {
      resource: persistentResource,
      types: [statefulSets, services],
      make: (options) => new PersistentReconciler(options),
    },
    SPEC,
  );
  await world.reconcile();
  world.editChild<StatefulSet>(statefulSets, (found) => ({
    ...found,
    status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
  }));
  await world.reconcile();
  return world;
}

it('makes a StatefulSet and its Service, and is ready with its pods', async () => {
  const world = await running();
  expect(world.takeWrites()).toEqual(['apply Service', 'apply StatefulSet', 'status', 'status']);
  expect(world.summary).toBe('Ready=True Running');
  expect(world.status()).toMatchObject({ active: true, healthy: true, serviceName: 'web' });
});

it('refuses what cannot be changed, names it, and leaves everything as it is', async () => {
  const world = await running();
  world.takeWrites();
  world.edit({
    ...SPEC,
    persistentVolumes: [{ name: 'data', mountPath: '/data', size: '1Gi', accessMode: 'ReadWriteMany' }],
  });
  await expect(world.reconcile()).rejects.toThrow(TerminalError);
  expect(world.takeWrites()).toEqual(['status']);
  expect(world.summary).toBe('Ready=False Stalled=True ImmutableField');
  expect(world.status()).toMatchObject({ active: true, healthy: true });
  expect(world.status().lastError).toContain('spec.persistentVolumes[data].accessMode');
});

it('replaces a headless Service by one that translates ports', async () => {
  const world = await running();
  world.takeWrites();
  world.edit({ ...SPEC, ports: [{ containerPort: 1414, servicePort: 80 }] });
  await world.reconcile();
  expect(world.takeWrites()).toEqual(['apply StatefulSet', 'delete Service', 'apply Service', 'status']);
  expect(world.child(services)).toMatchObject({ spec: { ports: [{ port: 80, targetPort: 1414 }] } });
});
