import { describe, expect, it } from 'vitest';
import type { Deployment, Service } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import { annotations, labels } from '../../api/group.ts';
import type { PodStatus } from '../../api/kubernetes.ts';
import { serviceResource } from '../../api/service.ts';
import { ApiError } from '../../cluster/cluster-client.ts';
import { HigherTermSeen, TerminalError } from '../../lib/errors.ts';
import { ChildWorld, KEY } from '../../reconcile/testing/child-world.ts';
import { ServiceReconciler } from './reconciler.ts';

const PORTS = { replicas: 1, ports: [{ name: 'http', containerPort: 8080 }] };
const { deployments, services } = childTypes;
const RUNNING: PodStatus = { phase: 'Running' };

function newWorld(spec: Record<string, unknown> = PORTS): ChildWorld {
  return new ChildWorld(
    { resource: serviceResource, types: [deployments, services], make: (options) => new ServiceReconciler(options) },
    spec,
  );
}

/** Kubernetes has started the pods. */
function come(world: ChildWorld, count = 1): void {
  const counts = { replicas: count, updatedReplicas: count, readyReplicas: count, availableReplicas: count };
  world.editChild<Deployment>(deployments, (found) => ({
    ...found,
    status: { ...counts, observedGeneration: found.metadata.generation ?? 0 },
  }));
}

async function running(spec?: Record<string, unknown>): Promise<ChildWorld> {
  const world = newWorld(spec);
  await world.reconcile();
  come(world);
  await world.reconcile();
  world.takeWrites();
  world.events.length = 0;
  return world;
}

describe('starting', () => {
  it('applies the Deployment before it writes anything else, and reports when there is time', async () => {
    const world = newWorld();
    expect(await world.reconcileOnce()).toEqual({ requeueAfterMs: 0 });
    expect(world.takeWrites()).toEqual(['apply Deployment', 'apply Service']);
    expect(world.cluster.reads).toEqual([]);
    await world.reconcileOnce();
    expect(world.takeWrites()).toEqual(['status']);
    expect(world.summary).toBe('Ready=False Reconciling=True Progressing');
    expect(world.events).toEqual(['DeploymentCreated', 'ServiceCreated']);
  });

  it('is ready with its pods, and then writes nothing more', async () => {
    const world = await running();
    expect(world.summary).toBe('Ready=True Running');
    expect(world.status()).toMatchObject({ active: true, healthy: true, controller: { term: 7 } });
    await world.reconcile();
    expect(world.takeWrites()).toEqual([]);
  });

  it('waits for pods of an earlier instance of its name', async () => {
    const world = newWorld();
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'gone', controller: true };
    world.addPod('web-1-x', RUNNING, { ownerReferences: [owner] });
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 1000 });
    expect(world.summary).toBe('Ready=False Reconciling=True WaitingForPredecessor');
    expect(world.child(deployments)).toBeUndefined();
    world.cluster.remove(childTypes.pods, KEY.namespace, 'web-1-x');
    await world.reconcile();
    expect(world.child(deployments)).toBeDefined();
  });

  it('takes over pods that were left alone on purpose', async () => {
    const world = newWorld();
    world.addPod('web-1-x', RUNNING);
    await world.reconcile();
    expect(world.child(deployments)).toBeDefined();
  });
});

describe('what others do', () => {
  it('puts back what they change, and keeps what they add', async () => {
    const world = await running();
    world.editChild<Deployment>(deployments, (found) => ({
      ...found,
      metadata: { ...found.metadata, labels: { ...found.metadata.labels, team: 'x' } },
      spec: { ...found.spec, replicas: 5, revisionHistoryLimit: 3 },
    }));
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['apply Deployment']);
    expect(world.child<Deployment>(deployments)).toMatchObject({
      metadata: { labels: { team: 'x' } },
      spec: { replicas: 1, revisionHistoryLimit: 3 },
    });
    expect(world.events).toEqual(['DeploymentUpdated']);
  });

  it('takes out what no apply can remove', async () => {
    const world = await running();
    world.editChild<Deployment>(deployments, (found) => ({
      ...found,
      spec: { ...found.spec, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '1' } } },
    }));
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['patch Deployment', 'apply Deployment']);
    expect(world.child<Deployment>(deployments)?.spec.strategy).toEqual({ type: 'Recreate' });
  });

  it('leaves the number of pods to them when the spec gives none', async () => {
    const world = await running({});
    world.editChild<Deployment>(deployments, (found) => ({ ...found, spec: { ...found.spec, replicas: 3 } }));
    come(world, 3);
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['status']);
    expect(world.summary).toBe('Ready=True Running');
  });

  it('sets once what the API server does not keep, not without end', async () => {
    const world = await running();
    const apply = world.cluster.apply.bind(world.cluster);
    world.cluster.apply = async (type, body, options) => {
      await apply(type, body, options);
      world.editChild<Deployment>(deployments, (found) => ({ ...found, spec: { ...found.spec, replicas: 2 } }));
      return world.child(type, body.metadata.name)!;
    };
    world.editChild<Deployment>(deployments, (found) => ({ ...found, spec: { ...found.spec, replicas: 2 } }));
    await world.reconcile();
    await world.reconcile();
    expect(world.takeWrites().filter((write) => write === 'apply Deployment')).toHaveLength(1);
  });

  it('never touches what is not its own, and says what stands in its way', async () => {
    const world = newWorld();
    const foreign = { metadata: { ...KEY, labels: { app: 'web' } }, spec: { replicas: 9 } };
    world.cluster.edit(deployments, foreign);
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 10_000 });
    expect(world.summary).toBe('Ready=False Stalled=True Conflict');
    expect(world.status().lastError).toContain(
      'Deployment default/web already exists and is not managed by this operator',
    );
    expect(world.child<Deployment>(deployments)?.spec.replicas).toBe(9);
    expect(world.child<Service>(services)).toBeUndefined();
  });
});

describe('edits', () => {
  it('are applied once', async () => {
    const world = await running();
    world.edit({ ...PORTS, image: 'busybox:2', env: { A: 'b' } });
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['apply Deployment', 'patch Service', 'status']);
    expect(world.summary).toBe('Ready=False Reconciling=True Progressing');
  });

  it('remove the Service with the ports', async () => {
    const world = await running();
    world.edit({ replicas: 1 });
    await world.reconcile();
    expect(world.child(services)).toBeUndefined();
    expect(world.events).toContain('ServiceRemoved');
  });

  it('that are wrong leave everything as it is and name the field', async () => {
    const world = await running();
    world.edit({ ...PORTS, healthCheckPort: 0 });
    await expect(world.reconcile()).rejects.toThrow(TerminalError);
    expect(world.takeWrites()).toEqual(['status']);
    expect(world.summary).toBe('Ready=False Stalled=True InvalidSpec');
    expect(world.status()).toMatchObject({ active: true, healthy: true, observedGeneration: 2 });
    expect(world.status().lastError).toContain('spec.healthCheckPort');
  });

  it('that the API server refuses are not tried again', async () => {
    const world = await running();
    world.edit({ ...PORTS, image: 'x' });
    world.cluster.failures.set('apply', new ApiError(422, 'Invalid', 'spec.template: bad'));
    await expect(world.reconcile()).rejects.toThrow(TerminalError);
    expect(world.summary).toBe('Ready=False Stalled=True DeploymentInvalid');
  });

  it('of the rendering by a new version of this product wait for an edit of the spec', async () => {
    const world = await running();
    world.editChild<Deployment>(deployments, (found) => {
      const notes = { ...found.metadata.annotations, [annotations.appliedHash]: '0123456789abcdef' };
      return { ...found, metadata: { ...found.metadata, annotations: notes }, spec: { ...found.spec, replicas: 4 } };
    });
    come(world, 4);
    world.newLeader(8);
    await world.reconcile();
    await world.reconcile();
    expect(world.child<Deployment>(deployments)?.spec.replicas).toBe(4);
  });
});

describe('a new leader', () => {
  it('stamps the children and changes nothing else', async () => {
    const world = await running();
    const before = world.child<Deployment>(deployments)!;
    world.newLeader(8);
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['patch Deployment', 'patch Service', 'status']);
    const after = world.child<Deployment>(deployments)!;
    expect(after.spec).toEqual(before.spec);
    expect(after.metadata.annotations).toMatchObject({ [annotations.term]: '8', [annotations.activationTerm]: '7' });
    expect(world.events).toEqual(['DeploymentAdopted', 'ServiceAdopted']);
  });

  it('of an earlier term writes nothing over a later stamp', async () => {
    const world = await running();
    world.newLeader(6);
    world.edit({ image: 'x' });
    await expect(world.reconcile()).rejects.toThrow(HigherTermSeen);
    expect(world.takeWrites()).toEqual([]);
  });
});

describe('the end', () => {
  it('removes all children of a workload that was deleted', async () => {
    const world = await running();
    world.deleteWorkload();
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['delete Deployment', 'delete Service']);
  });

  it('removes them before a successor of the same name gets its own', async () => {
    const world = await running();
    world.deleteWorkload();
    world.edit(PORTS);
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 1000 });
    expect(world.summary).toBe('Ready=False Reconciling=True WaitingForPredecessor');
    await world.reconcile();
    await world.reconcile();
    expect(world.child<Deployment>(deployments)?.metadata.ownerReferences?.[0]?.uid).toBe(world.workload?.metadata.uid);
  });

  it('comes with another tenant too, and not for children without a controller', async () => {
    const world = await running();
    world.editChild<Service>(services, ({ metadata, ...rest }) => ({
      ...rest,
      metadata: { ...metadata, ownerReferences: [] },
    }));
    world.edit(PORTS, { labels: { [labels.tenant]: 'other' } });
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['delete Deployment']);
  });
});
