import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkloadProcess } from '../../api/process.ts';
import { processResource, processSpec } from '../../api/process.ts';
import type { KubeObject } from '../../cluster/cluster-client.ts';
import { CrdServer } from '../../reconcile/testing/crd-server.ts';
import '../../reconcile/testing/kstatus.ts';
import { World } from './testing/world.ts';

async function running(): Promise<World> {
  const world = new World();
  await world.reconcile();
  world.startPod();
  await world.reconcile();
  world.takeWrites();
  return world;
}

describe('spec.replicas', () => {
  it('0 stops the pod and says so when it has gone; 1 starts it again', async () => {
    const world = await running();
    world.edit({ replicas: 0 });
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['delete Pod', 'status']);
    expect(world.summary).toBe('Ready=False Reconciling=True Stopping');
    world.finishPod();
    await world.reconcile();
    expect(world.pod).toBeUndefined();
    expect(world.summary).toBe('Ready=True ScaledToZero');
    expect(world.status).toMatchObject({ active: false, healthy: false, replicas: 0 });
    expect(world.status.lastError).toBeUndefined();
    world.edit({ replicas: 1 });
    await world.reconcile();
    expect(world.pod).toBeDefined();
  });

  it('0 from the start: nothing is created', async () => {
    const world = new World({ replicas: 0 });
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['status']);
    expect(world.summary).toBe('Ready=True ScaledToZero');
  });

  it('0 and back does not run a finished process again', async () => {
    const world = await running();
    world.endPod(0);
    await world.reconcile();
    for (const replicas of [0, 1]) {
      world.edit({ replicas });
      await world.reconcile();
      expect(world.summary).toBe('Ready=True Completed');
    }
    world.deletePod();
    await world.reconcile();
    expect(world.pod).toBeUndefined();
  });

  it.each([
    [2, /^must be 0 or 1/],
    [-1, /./],
    [0.5, /./],
  ])('%d is refused', (replicas, message) => {
    const { error } = processSpec.safeParse({ image: 'b', replicas });
    expect(error?.issues[0]).toMatchObject({ path: ['replicas'], message: expect.stringMatching(message) as string });
  });
});

it('a pod that waits for what it mounts says what that is', async () => {
  const world = new World({ secrets: ['db'], configMaps: ['app'] });
  await world.reconcile();
  const state = { waiting: { reason: 'ContainerCreating' } };
  world.setPodStatus({ phase: 'Pending', containerStatuses: [{ name: 'main', ready: false, state }] });
  await world.reconcile();
  expect(world.status.conditions?.[0]?.message).toMatch(
    /is being started on node node1; it requires ConfigMap app, Secret db /,
  );
  world.startPod();
  await world.reconcile();
  expect(world.summary).toBe('Ready=True Running');
});

it('the status counts the pod, and names the labels by which budgets and autoscalers find it', async () => {
  const world = await running();
  const { replicas, selector = '' } = world.status;
  expect(replicas).toBe(1);
  for (const label of selector.split(',')) {
    const [key = '', value] = label.split('=');
    expect(world.pod?.metadata.labels?.[key]).toBe(value);
  }
  expect(selector).toContain('highlander.plexobject.io/name=job');
});

describe('the scale subresource on a real API server', () => {
  const at = { name: 'beat', namespace: CrdServer.namespace };
  let server: CrdServer;
  beforeAll(async () => {
    server = await CrdServer.start();
    await server.client.create<WorkloadProcess>(processResource, { metadata: at, spec: { image: 'busybox' } });
  }, 120_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  interface Scale extends KubeObject {
    readonly spec?: { readonly replicas?: number };
    readonly status?: { readonly replicas: number; readonly selector?: string };
  }

  /** As `kubectl scale` does it. */
  const scale = (replicas: number) =>
    server.client.patch<Scale>(processResource, at, { spec: { replicas } }, { type: 'merge', subresource: 'scale' });

  it('says 1 of a process that says nothing, and of what its status tells', async () => {
    const status = { replicas: 1, selector: 'a=b' };
    await server.client.patch(processResource, at, { status }, { type: 'merge', subresource: 'status' });
    expect(await scale(1)).toMatchObject({ spec: { replicas: 1 }, status });
  });

  it('sets 0 and 1, and refuses other values with the reason', async () => {
    for (const replicas of [0, 1]) {
      await scale(replicas);
      const { spec } = (await server.client.get<WorkloadProcess>(processResource, at)) ?? {};
      expect(spec).toMatchObject({ replicas });
    }
    await expect(scale(2)).rejects.toThrow(
      'must be 0 or 1, because a process runs once; a WorkloadService can have more replicas',
    );
    await expect(scale(-1)).rejects.toThrow('spec.replicas');
  });
});
