import { describe, expect, it } from 'vitest';
import { annotations, labels, POD_FINALIZER } from '../../api/group.ts';
import { ApiError, core } from '../../cluster/cluster-client.ts';
import { HigherTermSeen, LeaseLost, TerminalError } from '../../lib/errors.ts';
import '../../reconcile/testing/kstatus.ts';
import { KEY, World } from './testing/world.ts';

async function running(spec: Record<string, unknown> = {}): Promise<World> {
  const world = new World(spec);
  await world.reconcile();
  world.startPod();
  await world.reconcile();
  world.takeWrites();
  world.events.length = 0;
  return world;
}

describe('starting', () => {
  it('creates the pod before it writes anything else, and reads nothing', async () => {
    const world = new World();
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['create Pod', 'status']);
    expect(world.cluster.reads).toEqual(['WorkloadProcess job']);
    expect(world.summary).toBe('Ready=False Reconciling=True Pending');
    expect(world.events).toEqual(['PodCreated']);
  });

  it('leaves the report of a new pod for when there is time', async () => {
    const world = new World();
    expect(await world.reconcileOnce()).toEqual({ requeueAfterMs: 0 });
    expect(world.takeWrites()).toEqual(['create Pod']);
    expect(await world.reconcileOnce()).toEqual({});
    expect(world.takeWrites()).toEqual(['status']);
  });

  it('does not even look at the custom resource again when it was made in our term', async () => {
    const world = new World();
    world.deleteWorkload();
    await world.reconcile();
    world.edit({});
    await world.reconcile();
    expect(world.cluster.reads).toEqual([]);
    expect(world.takeWrites()).toEqual(['create Pod', 'status']);
  });

  it('stamps the pod with the term, the workload and its own finalizer', async () => {
    const world = new World({ labels: { team: 'data', [labels.name]: 'forged' }, annotations: { note: 'x' } });
    await world.reconcile();
    const { metadata, spec } = world.pod!;
    expect(metadata.finalizers).toEqual([POD_FINALIZER]);
    expect(metadata.labels).toMatchObject({
      [labels.tenant]: 'default',
      [labels.kind]: 'WorkloadProcess',
      [labels.name]: 'job',
      team: 'data',
    });
    expect(metadata.annotations).toMatchObject({
      [annotations.term]: '7',
      [annotations.activationTerm]: '7',
      [annotations.generation]: '1',
      note: 'x',
    });
    expect(metadata.ownerReferences).toEqual([
      {
        apiVersion: 'highlander.plexobject.io/v1',
        kind: 'WorkloadProcess',
        name: 'job',
        uid: world.workload?.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    expect(spec.containers[0]?.env).toEqual([
      { name: 'HIGHLANDER_CLUSTER', value: 'east' },
      { name: 'HIGHLANDER_FENCING_TOKEN', value: '7' },
      { name: 'HIGHLANDER_TENANT', value: 'default' },
    ]);
  });

  it('becomes Ready with the pod and then writes nothing more', async () => {
    const world = await running();
    expect(world.status).toEqual({
      observedGeneration: 1,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          observedGeneration: 1,
          lastTransitionTime: world.time(),
          reason: 'Running',
          message: 'Pod job-pod runs on node node1',
        },
      ],
      active: true,
      healthy: true,
      lastTransition: world.time(),
      controller: { tenant: 'default', holder: 'leader-a', term: 7, observedTime: world.time() },
      podName: 'job-pod',
      nodeName: 'node1',
      restarts: 0,
      replicas: 1,
      selector: `${labels.tenant}=default,${labels.kind}=WorkloadProcess,${labels.name}=job`,
      startedAt: world.time(),
    });
    await world.advance(60);
    expect(await world.reconcile()).toEqual({});
    expect(world.takeWrites()).toEqual([]);
  });

  it('sends nothing when the lease is lost at the moment of the dispatch', async () => {
    const world = new World();
    world.leaseLost = true;
    await expect(world.reconcile()).rejects.toThrow(LeaseLost);
    expect(world.takeWrites()).toEqual([]);
  });

  it('leaves a custom resource of another tenant alone', async () => {
    const world = new World();
    world.edit({}, { labels: { [labels.tenant]: 'other' } });
    expect(await world.reconcile()).toEqual({});
    expect(world.takeWrites()).toEqual([]);
  });
});

describe('a new leader', () => {
  it('adopts the pod: metadata only, no restart, the fencing token stays', async () => {
    const world = await running();
    const before = world.pod!;
    world.newLeader(8, 'leader-b');
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['patch Pod', 'status']);
    expect(world.events).toEqual(['PodAdopted']);
    expect(world.pod?.metadata.uid).toBe(before.metadata.uid);
    expect(world.pod?.spec).toEqual(before.spec);
    expect(world.pod?.metadata.annotations).toMatchObject({
      [annotations.term]: '8',
      [annotations.activationTerm]: '7',
    });
    expect(world.status.controller).toEqual({
      tenant: 'default',
      holder: 'leader-b',
      term: 8,
      observedTime: world.time(),
    });
  });

  it('never writes a pod that carries a later term', async () => {
    const world = await running();
    world.newLeader(6, 'leader-old');
    await expect(world.reconcile()).rejects.toThrow(HigherTermSeen);
    expect(world.takeWrites()).toEqual([]);
  });

  it('does not run a finished process again because its cache is behind', async () => {
    const world = await running({ restartPolicy: 'Never' });
    const virgin = world.workload!;
    world.endPod(0);
    await world.reconcile();
    world.deletePod();
    await world.reconcile();
    expect(world.pod).toBeUndefined();
    world.takeWrites();
    world.newLeader(8, 'leader-b');
    world.staleWorkloads.set('job', { ...virgin, status: { observedGeneration: -1 } });
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['status']);
    expect(world.summary).toBe('Ready=True Completed');
  });

  it('goes by the spec as it is now when the pod was made from one that its cache has not seen', async () => {
    const world = await running();
    const old = world.workload!;
    world.edit({ image: 'busybox:2' });
    await world.reconcile();
    world.finishPod();
    await world.reconcile();
    expect(world.pod?.metadata.annotations).toMatchObject({ [annotations.generation]: '2' });
    world.takeWrites();
    world.newLeader(8, 'leader-b');
    world.staleWorkloads.set('job', old);
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['patch Pod', 'status']);
    expect(world.pod?.spec.containers[0]?.image).toBe('busybox:2');
    expect(world.pod?.metadata.annotations).toMatchObject({ [annotations.generation]: '2', [annotations.term]: '8' });
  });
});

describe('a changed spec', () => {
  it('stops the old pod, waits until it is gone, and only then starts the new one', async () => {
    const world = await running();
    world.edit({ image: 'busybox:2' });
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['delete Pod', 'status']);
    expect(world.summary).toBe('Ready=False Reconciling=True Stopping');
    expect(world.status).toMatchObject({ active: false, healthy: false, observedGeneration: 2 });
    await world.reconcile();
    expect(world.takeWrites()).toEqual([]);
    world.finishPod();
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['patch Pod', 'create Pod', 'status']);
    expect(world.pod?.spec.containers[0]?.image).toBe('busybox:2');
    expect(world.events).toEqual(['PodReplaced', 'PodCreated']);
  });

  it('keeps the pod when the API server would not have the next one', async () => {
    const world = await running();
    const { uid } = world.pod!.metadata;
    world.edit({ podTemplate: { spec: { tolerationz: [] } } });
    world.cluster.failures.set('create', new ApiError(400, 'BadRequest', 'unknown field "spec.tolerationz"'));
    await expect(world.reconcile()).rejects.toThrow('spec.tolerationz');
    expect(world.takeWrites()).toEqual(['status']);
    expect(world.summary).toBe('Ready=False Stalled=True PodInvalid');
    expect(world.status).toMatchObject({ active: true, healthy: true });
    expect(world.pod?.metadata.uid).toBe(uid);
  });

  it('replaces the pod although a quota has no room for both', async () => {
    const world = await running();
    world.edit({ image: 'busybox:2' });
    world.cluster.failures.set('create', new ApiError(403, 'Forbidden', 'exceeded quota: pods=1'));
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['delete Pod', 'status']);
  });

  it('keeps the pod when only fields beside the template changed', async () => {
    const world = await running();
    const { uid } = world.pod!.metadata;
    world.edit({ maxRestarts: 3 });
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['patch Pod', 'status']);
    expect(world.pod?.metadata).toMatchObject({ uid, annotations: { [annotations.generation]: '2' } });
  });

  it('does not restart for a new product version alone', async () => {
    const world = await running();
    world.editPod((pod) => ({
      ...pod,
      metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, [annotations.templateHash]: 'older' } },
    }));
    await world.reconcile();
    expect(world.takeWrites()).toEqual([]);
  });

  it('that is not valid stalls, names the field, and leaves the pod as it is', async () => {
    const world = await running();
    world.edit({ maxRestarts: -1 });
    await expect(world.reconcile()).rejects.toThrow(TerminalError);
    expect(world.takeWrites()).toEqual(['status']);
    expect(world.summary).toBe('Ready=False Stalled=True InvalidSpec');
    expect(world.status.lastError).toMatch(/^spec\.maxRestarts: /);
    expect(world.status.active).toBe(true);
    world.edit({});
    await world.reconcile();
    expect(world.summary).toBe('Ready=True Running');
  });
});

describe('gone', () => {
  it('a pod that was never bound is gone as soon as it is deleted', async () => {
    const world = new World();
    await world.reconcile();
    const { uid } = world.pod!.metadata;
    world.deletePod();
    await world.reconcile();
    expect(world.pod?.metadata.uid).not.toBe(uid);
    expect(world.pod?.metadata.deletionTimestamp).toBeUndefined();
  });

  it('a pod deleted by somebody is replaced after its kubelet has spoken, not before', async () => {
    const world = await running();
    world.deletePod();
    const { requeueAfterMs } = await world.reconcile();
    expect(requeueAfterMs).toBe(45_001);
    expect(world.takeWrites()).toEqual(['status']);
    world.finishPod();
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['patch Pod', 'create Pod', 'status']);
  });

  it('an evicted pod is replaced and counts as no restart', async () => {
    const world = await running({ maxRestarts: 0, restartPolicy: 'Never' });
    await world.advance(60);
    world.endPod(137, { reason: 'Evicted' });
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['delete Pod', 'patch Pod', 'create Pod', 'status']);
    expect(world.status.restarts).toBe(0);
  });

  it('a pod that a node refuses again and again is not asked for in a hot loop', async () => {
    const world = new World();
    await world.reconcile();
    world.setPodStatus({ phase: 'Failed', reason: 'OutOfcpu' });
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 5000 });
    await world.advance(5);
    world.takeWrites();
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['delete Pod', 'patch Pod', 'create Pod', 'status']);
  });

  it('a pod on a silent node is not duplicated; a person may confirm that it has stopped', async () => {
    const world = await running();
    const { uid } = world.pod!.metadata;
    world.deletePod();
    await world.reconcile();
    await world.advance(46);
    expect(await world.reconcile()).toEqual({});
    expect(world.summary).toBe('Ready=False Reconciling=True WaitingForNode');
    expect(world.status.lastError).toContain(
      `kubectl annotate workloadprocess job -n default --overwrite highlander.plexobject.io/confirm-stopped=${uid}`,
    );
    expect(world.events).toEqual(['WaitingForNode']);
    await world.advance(3600);
    await world.reconcile();
    expect(world.events).toEqual(['WaitingForNode']);
    world.takeWrites();
    world.edit({}, { annotations: { [annotations.confirmStopped]: 'another-uid' } });
    await world.reconcile();
    expect(world.takeWrites()).toEqual([]);
    world.edit({}, { annotations: { [annotations.confirmStopped]: uid! } });
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['patch Pod', 'delete Pod', 'create Pod', 'status']);
    expect(world.pod?.metadata.uid).not.toBe(uid);
  });

  it('a pod whose node went silent while it ran counts as running', async () => {
    const world = await running();
    const { containerStatuses = [] } = world.pod!.status!;
    world.setPodStatus({
      phase: 'Running',
      conditions: [
        { type: 'Ready', status: 'False' },
        { type: 'ContainersReady', status: 'True' },
      ],
      containerStatuses,
    });
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['status']);
    expect(world.summary).toBe('Ready=False Reconciling=True WaitingForNode');
    expect(world.status).toMatchObject({ active: true, healthy: false });
  });

  it('heals a finalizer that was taken away', async () => {
    const world = await running();
    world.editPod((pod) => ({ ...pod, metadata: { ...pod.metadata, finalizers: [] } }));
    await world.reconcile();
    expect(world.pod?.metadata.finalizers).toEqual([POD_FINALIZER]);
  });
});

describe('the end of the process', () => {
  it.each([
    ['OnFailure', 0, 'Ready=True Completed', { active: false, healthy: true, completedGeneration: 1 }],
    ['Never', 0, 'Ready=True Completed', { active: false, healthy: true, completedGeneration: 1 }],
    ['Never', 3, 'Ready=False Stalled=True ProcessFailed', { active: false, healthy: false, completedGeneration: 1 }],
  ])(
    'restartPolicy %s, exit code %d: kept for its logs, never run again',
    async (restartPolicy, code, summary, status) => {
      const world = await running({ restartPolicy });
      world.endPod(code);
      await world.reconcile();
      expect(world.takeWrites()).toEqual(['status']);
      expect(world.summary).toBe(summary);
      expect(world.status).toMatchObject(status);
      world.deletePod();
      await world.reconcile();
      expect(world.pod).toBeUndefined();
      expect(world.summary).toBe(summary);
      await world.reconcile();
      expect(world.pod).toBeUndefined();
      world.edit({ restartPolicy, maxRestarts: 9 });
      await world.reconcile();
      expect(world.pod).toBeUndefined();
      expect(world.status.completedGeneration).toBe(2);
      expect(world.status.lastError).toBe(code === 0 ? undefined : 'container main ended with exit code 3 (Error)');
      world.edit({ restartPolicy, image: 'busybox:2' });
      await world.reconcile();
      expect(world.pod).toBeDefined();
      expect(world.status.completedGeneration).toBeUndefined();
    },
  );

  it('completion is in the status before the finished pod may go', async () => {
    const world = await running({ restartPolicy: 'Never' });
    world.endPod(0);
    await world.advance(61);
    world.deletePod();
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['status', 'patch Pod', 'status']);
    expect(world.pod).toBeUndefined();
  });

  it('Never: a pod that was deleted before the process ended is run again', async () => {
    const world = await running({ restartPolicy: 'Never' });
    world.deletePod();
    await world.advance(1);
    world.finishPod(0);
    await world.reconcile();
    expect(world.pod?.metadata.deletionTimestamp).toBeUndefined();
    expect(world.status.completedGeneration).toBeUndefined();
  });

  it('Always: started again, at once and then after growing pauses, counted over pods', async () => {
    const world = await running({ restartPolicy: 'Always' });
    world.endPod(0);
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['status', 'delete Pod', 'patch Pod', 'create Pod', 'status']);
    for (const [restarts, pause] of [
      [1, 10],
      [2, 20],
      [3, 40],
    ] as const) {
      expect(world.status.restarts).toBe(restarts);
      world.startPod();
      world.endPod(1);
      expect(await world.reconcile()).toEqual({ requeueAfterMs: pause * 1000 });
      expect(world.summary).toBe('Ready=False Reconciling=True BackOff');
      await world.advance(pause);
      await world.reconcile();
    }
  });

  it('more than maxRestarts stops the process until the spec changes', async () => {
    const world = await running({ maxRestarts: 2 });
    world.startPod(2);
    await world.reconcile();
    expect(world.summary).toBe('Ready=True Running');
    world.takeWrites();
    world.startPod(3);
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['status', 'delete Pod', 'status']);
    expect(world.summary).toBe('Ready=False Stalled=True MaxRestartsExceeded');
    world.finishPod();
    await world.reconcile();
    expect(world.pod).toBeUndefined();
    await world.reconcile();
    expect(world.pod).toBeUndefined();
    expect(world.status).toMatchObject({ restarts: 3, active: false, healthy: false });
    world.edit({ maxRestarts: 5 });
    await world.reconcile();
    expect(world.pod).toBeDefined();
    expect(world.status.restarts).toBe(0);
  });
});

describe('suspend', () => {
  it('stops the pod and keeps Ready as it was; resuming starts it', async () => {
    const world = await running();
    world.edit({ suspend: true });
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['delete Pod', 'status']);
    expect(world.summary).toBe('Ready=True Suspended');
    world.finishPod();
    await world.reconcile();
    expect(world.pod).toBeUndefined();
    expect(world.status).toMatchObject({ active: false, healthy: false });
    world.edit({ suspend: false });
    await world.reconcile();
    expect(world.pod).toBeDefined();
  });

  it('from the start: nothing is created', async () => {
    const world = new World({ suspend: true });
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['status']);
    expect(world.summary).toBe('Ready=False Suspended');
  });
});

describe('what is not ours', () => {
  it('a foreign pod of the same name is never touched', async () => {
    const world = new World();
    world.cluster.edit(core.pods, {
      metadata: { name: 'job-pod', namespace: 'default' },
      spec: { containers: [] },
    } as never);
    world.stalePods.set('job-pod', undefined);
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 10_000 });
    expect(world.summary).toBe('Ready=False Stalled=True Conflict');
    expect(world.takeWrites()).toEqual(['create Pod', 'status']);
    expect(world.events).toEqual(['Conflict']);
    expect(world.notes[0]).toContain('Pod default/job-pod');
    world.stalePods.clear();
    world.cluster.remove(core.pods, 'default', 'job-pod');
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['create Pod', 'status']);
  });

  it('a pod of ours that the cache has not seen yet is found by its name', async () => {
    const world = await running();
    world.stalePods.set('job-pod', undefined);
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['create Pod']);
    expect(world.summary).toBe('Ready=True Running');
  });
});

describe('refusals of the API server', () => {
  it('Forbidden: said in the status, then tried again', async () => {
    const world = new World();
    world.cluster.failures.set('create', new ApiError(403, 'Forbidden', 'exceeded quota: pods=1'));
    await expect(world.reconcile()).rejects.toThrow('exceeded quota');
    expect(world.summary).toBe('Ready=False Reconciling=True PodRefused');
    expect(world.status.lastError).toBe('exceeded quota: pods=1');
    expect(world.events).toEqual(['PodRefused']);
    await world.reconcile();
    expect(world.pod).toBeDefined();
    expect(world.status.lastError).toBeUndefined();
  });

  it('of an admission policy is tried again, although it calls the pod invalid; for want of a permit without back-off', async () => {
    const world = new World();
    const said = (policy: string) =>
      `pods "job-pod" is forbidden: ValidatingAdmissionPolicy '${policy}' denied request`;
    world.cluster.failures.set('create', new ApiError(422, 'Invalid', said('users')));
    await expect(world.reconcile()).rejects.toBeInstanceOf(ApiError);
    world.cluster.failures.set('create', new ApiError(422, 'Invalid', said('highlander-permit')));
    await expect(world.reconcile()).rejects.toMatchObject({ name: 'RetryLater', afterMs: 5000 });
    expect(world.summary).toBe('Ready=False Reconciling=True PodRefused');
    await world.reconcile();
    expect(world.pod).toBeDefined();
  });

  it("Invalid: stalled with the server's own message", async () => {
    const world = new World();
    world.cluster.failures.set('create', new ApiError(422, 'Invalid', 'spec.containers[0].image: bad'));
    await expect(world.reconcile()).rejects.toThrow(TerminalError);
    expect(world.summary).toBe('Ready=False Stalled=True PodInvalid');
  });

  it('unavailable: nothing is said that could not be said either', async () => {
    const world = new World();
    world.cluster.failures.set('create', new ApiError(503, 'ServiceUnavailable', 'later'));
    await expect(world.reconcile()).rejects.toThrow('later');
    expect(world.takeWrites()).toEqual([]);
  });
});

describe('a deleted custom resource', () => {
  it('frees the name of its pod when that is gone', async () => {
    const world = await running();
    world.deleteWorkload();
    world.deletePod();
    await world.reconcile();
    expect(world.takeWrites()).toEqual([]);
    world.finishPod();
    expect(await world.reconcile()).toEqual({});
    expect(world.takeWrites()).toEqual(['patch Pod']);
    expect(world.pod).toBeUndefined();
  });

  it('has its pod stopped without waiting for garbage collection', async () => {
    const world = await running();
    world.deleteWorkload();
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['delete Pod']);
  });

  it('that was made anew waits for the pod of the old one', async () => {
    const world = await running();
    const old = world.pod!.metadata.uid;
    world.deleteWorkload();
    world.edit({});
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 1000 });
    expect(world.summary).toBe('Ready=False Reconciling=True WaitingForPredecessor');
    world.deletePod();
    world.finishPod();
    await world.reconcile();
    await world.reconcile();
    expect(world.pod?.metadata.uid).not.toBe(old);
    expect(world.pod?.metadata.ownerReferences?.[0]?.uid).toBe(world.workload?.metadata.uid);
  });

  it('that is being deleted gets no new pod', async () => {
    const world = await running();
    world.edit({}, { deletionTimestamp: world.time(), finalizers: ['foregroundDeletion'] });
    world.deletePod();
    world.finishPod();
    await world.reconcile();
    await world.reconcile();
    expect(world.pod).toBeUndefined();
  });

  it('that went over to another tenant loses its pod here', async () => {
    const world = await running();
    world.edit({}, { labels: { [labels.tenant]: 'other' } });
    await world.reconcile();
    expect(world.takeWrites()).toEqual(['delete Pod']);
    world.finishPod();
    await world.reconcile();
    expect(world.pod).toBeUndefined();
  });
});

it('a reconcile of a key that nobody knows does nothing', async () => {
  const world = new World();
  expect(await world.reconciler.reconcile({ ...KEY, name: 'unknown' }, world.grant())).toEqual({});
});
