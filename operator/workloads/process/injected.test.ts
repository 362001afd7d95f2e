/** Containers that others inject into the pod: service meshes, agents of vaults and of logs. */
import { describe, expect, it } from 'vitest';
import type { ContainerState } from '../../api/kubernetes.ts';
import { core } from '../../cluster/cluster-client.ts';
import '../../reconcile/testing/kstatus.ts';
import { World } from './testing/world.ts';

const POD = { namespace: 'default', name: 'job-pod' };
const PROXY = { name: 'istio-proxy', image: 'proxy' };

/** `native`: among the init containers, so that the kubelet ends it with the others. */
async function running(spec: Record<string, unknown>, { native = false } = {}): Promise<World> {
  const world = new World(spec);
  await world.reconcile();
  world.editPod((pod) => {
    const { containers, initContainers = [] } = pod.spec;
    const more = native
      ? { initContainers: [...initContainers, { ...PROXY, restartPolicy: 'Always' }] }
      : { containers: [...containers, PROXY] };
    return { ...pod, spec: { ...pod.spec, ...more } };
  });
  world.startPod();
  await world.reconcile();
  world.takeWrites();
  world.events.length = 0;
  return world;
}

const ended = (world: World, exitCode: number): ContainerState => ({
  terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', finishedAt: world.time() },
});

/** The main container has ended; what was injected is in another state. */
function endMain(world: World, exitCode: number, { phase = 'Running', native = false, proxy = {} } = {}): void {
  const state: ContainerState = Object.keys(proxy).length > 0 ? proxy : { running: { startedAt: world.time() } };
  const main = { name: 'main', ready: false, restartCount: 0, state: ended(world, exitCode) };
  const injected = { name: PROXY.name, ready: true, restartCount: 0, state };
  world.setPodStatus({
    phase,
    conditions: [{ type: 'Ready', status: 'False' }],
    containerStatuses: native ? [main] : [main, injected],
    ...(native && { initContainerStatuses: [injected] }),
  });
}

describe('a container that would run on for ever', () => {
  it.each([
    ['OnFailure', 0, 'Ready=True Completed', undefined],
    ['Never', 0, 'Ready=True Completed', undefined],
    ['Never', 3, 'Ready=False Stalled=True ProcessFailed', 'container main ended with exit code 3 (Error)'],
  ])(
    '%s, exit code %d: the end is remembered, then the pod is stopped, and the process is not run again',
    async (restartPolicy, code, summary, problem) => {
      const world = await running({ restartPolicy });
      endMain(world, code);
      await world.reconcile();
      expect(world.takeWrites()).toEqual(['status', 'delete Pod']);
      expect(world.summary).toBe(summary);
      expect(world.status).toMatchObject({ active: false, healthy: code === 0, completedGeneration: 1 });
      expect(world.status.lastError).toBe(problem);
      expect(world.notes.at(-1)).toContain('only injected containers were still running');
      await world.advance(5);
      endMain(world, code, { phase: 'Failed', proxy: ended(world, 137) });
      world.cluster.finishDeletion(core.pods, POD);
      await world.reconcile();
      await world.reconcile();
      expect(world.pod).toBeUndefined();
      expect(world.summary).toBe(summary);
      expect(world.status.lastError).toBe(problem);
    },
  );

  it('OnFailure: a failed process is started again by the node, and the pod stays', async () => {
    const world = await running({ restartPolicy: 'OnFailure' });
    endMain(world, 3);
    await world.reconcile();
    expect(world.summary).toBe('Ready=False Reconciling=True Restarting');
    world.startPod(1);
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['status', 'status']);
    expect(world.status).toMatchObject({ restarts: 1, active: true });
  });

  it('Always: a process that ends with success is started again by the node, and the pod stays', async () => {
    const world = await running({ restartPolicy: 'Always' });
    endMain(world, 0);
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['status']);
    expect(world.summary).toBe('Ready=False Reconciling=True Restarting');
  });

  it('a pod that is evicted before the process ends is replaced', async () => {
    const world = await running({ restartPolicy: 'Never' });
    await world.advance(60);
    world.deletePod();
    endMain(world, 143);
    await world.reconcile();
    expect(world.status.completedGeneration).toBeUndefined();
    endMain(world, 143, { phase: 'Failed', proxy: ended(world, 0) });
    world.cluster.finishDeletion(core.pods, POD);
    await world.reconcile();
    expect(world.pod?.metadata.deletionTimestamp).toBeUndefined();
    expect(world.pod).toBeDefined();
  });
});

it('a success is one although the injected container fails after it', async () => {
  const world = await running({ restartPolicy: 'Never' });
  endMain(world, 0, { phase: 'Failed', proxy: ended(world, 137) });
  await world.reconcile();
  expect(world.summary).toBe('Ready=True Completed');
  expect(world.takeWrites()).toEqual(['status']);
});

it('a sidecar that the node ends leaves the finished pod where it is, and delays nothing', async () => {
  const world = await running({ restartPolicy: 'OnFailure' }, { native: true });
  endMain(world, 0, { native: true });
  await world.reconcile();
  expect(world.summary).toBe('Ready=True Completed');
  endMain(world, 0, { native: true, phase: 'Succeeded', proxy: ended(world, 137) });
  await world.reconcile();
  expect(world.summary).toBe('Ready=True Completed');
  expect(world.takeWrites()).toEqual(['status']);
});

it('a container of podTemplate is waited for', async () => {
  const containers = [{ name: PROXY.name, image: 'proxy' }];
  const world = new World({ restartPolicy: 'OnFailure', podTemplate: { spec: { containers } } });
  await world.reconcile();
  endMain(world, 0);
  world.takeWrites();
  await world.reconcile();
  expect(world.takeWrites()).toEqual(['status']);
  expect(world.summary).toBe('Ready=False Reconciling=True Finishing');
  endMain(world, 0, { phase: 'Succeeded', proxy: ended(world, 0) });
  await world.reconcile();
  expect(world.summary).toBe('Ready=True Completed');
});
