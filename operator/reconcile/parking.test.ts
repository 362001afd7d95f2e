import { describe, expect, it } from 'vitest';
import type { CronJob, Deployment, Job } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import { cronJobResource } from '../api/cronjob.ts';
import { annotations, API_VERSION, GROUP, POD_FINALIZER } from '../api/group.ts';
import type { ObjectMeta, OwnerReference, Pod, PodStatus } from '../api/kubernetes.ts';
import { serviceResource } from '../api/service.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { silentLogger } from '../lib/logger.ts';
import { hasBegun } from '../workloads/cronjob/jobs.ts';
import { CronJobReconciler } from '../workloads/cronjob/reconciler.ts';
import { ServiceReconciler } from '../workloads/service/reconciler.ts';
import { childLabels } from './metadata.ts';
import type { Found } from './parking.ts';
import { TenantWorkloads } from './tenant-workloads.ts';
import { VanishedPods } from './vanished.ts';
import { ChildWorld, KEY } from './testing/child-world.ts';
import type { FakeCluster } from './testing/fake-cluster.ts';

const { deployments, services, cronJobs, jobs, pods } = childTypes;
const CALL = { timeoutMs: 1000 };

function workloadsOf(
  client: FakeCluster,
  fenced = async (): Promise<void> => {},
  onRefused: (found: Found) => void = () => {},
): TenantWorkloads {
  return new TenantWorkloads({
    client,
    onRefused,
    tenant: 'default',
    namespace: 'default',
    watchNamespaces: [],
    fenced,
    vanished: new VanishedPods(),
    pods: { hasSynced: true, list: () => [] },
    isShared: () => false,
    confirmed: () => undefined,
    clock: new FakeClock(),
    logger: silentLogger,
  });
}

function aService(): ChildWorld {
  return new ChildWorld(
    { resource: serviceResource, types: [deployments, services], make: (options) => new ServiceReconciler(options) },
    { replicas: 2 },
  );
}

function tokenOf({ spec }: Deployment): string | undefined {
  return spec.template.spec.containers[0]?.env?.find(({ name }) => name === 'HIGHLANDER_FENCING_TOKEN')?.value;
}

const RUNNING: PodStatus = { phase: 'Running', containerStatuses: [status({ running: { startedAt: 'x' } })] };

function status(state: object) {
  return { name: 'main', restartCount: 0, ready: true, image: '', imageID: '', state } as never;
}

/** A pod of a workload; `owner` is its controller. */
function addPod(
  cluster: FakeCluster,
  owner: Partial<OwnerReference> | undefined,
  metadata: Partial<ObjectMeta> = {},
  podStatus: PodStatus = RUNNING,
): void {
  const labels = childLabels({ tenant: 'default', kind: 'WorkloadProcess', name: 'web', component: 'process' });
  const controller = { apiVersion: '', kind: '', name: 'web', uid: 'u', controller: true, ...owner };
  cluster.edit<Pod>(pods, {
    metadata: { ...KEY, name: 'web-pod', labels, ...(owner && { ownerReferences: [controller] }), ...metadata },
    spec: { nodeName: 'node1', containers: [{ name: 'main', image: 'busybox' }] },
    status: podStatus,
  });
}

const BY_US = { apiVersion: API_VERSION, kind: 'WorkloadProcess' };

describe('what others make pods for', () => {
  it('is taken to no pods, counts as running until they are gone, and starts with a new token', async () => {
    const world = aService();
    await world.reconcile();
    const all = workloadsOf(world.cluster);
    await all.park(CALL);
    expect(world.child<Deployment>(deployments)?.spec.replicas).toBe(0);
    expect(await all.running(CALL)).toEqual(['WorkloadService default/web']);
    world.editChild<Deployment>(deployments, (found) => ({
      ...found,
      status: { observedGeneration: found.metadata.generation ?? 0, replicas: 0 },
    }));
    expect(await all.running(CALL)).toEqual([]);
    world.takeWrites();
    await all.park(CALL);
    expect(world.takeWrites()).toEqual([]);
    world.newLeader(9);
    await world.reconcile();
    const resumed = world.child<Deployment>(deployments);
    expect(resumed?.spec.replicas).toBe(2);
    expect(resumed && tokenOf(resumed)).toBe('9');
  });

  it('is adopted with the old token when nobody parked it', async () => {
    const world = aService();
    await world.reconcile();
    world.newLeader(9);
    await world.reconcile();
    const adopted = world.child<Deployment>(deployments);
    expect(adopted && tokenOf(adopted)).toBe('7');
  });

  it('is left alone when its owner was taken from it', async () => {
    const world = aService();
    await world.reconcile();
    world.editChild<Deployment>(deployments, ({ metadata: { ownerReferences: _, ...metadata }, ...rest }) => ({
      ...rest,
      metadata,
    }));
    const all = workloadsOf(world.cluster);
    await all.park(CALL);
    expect(world.child<Deployment>(deployments)?.spec.replicas).toBe(2);
    expect(await all.running(CALL)).toEqual([]);
  });

  it('is named as running when the API server refuses to stop it; all others are stopped', async () => {
    const world = aService();
    await world.reconcile();
    addPod(world.cluster, BY_US, { name: 'other-pod' });
    world.cluster.failures.set('patch', new Error('denied by a webhook'));
    const refused: string[] = [];
    const all = workloadsOf(world.cluster, undefined, ({ object }) => refused.push(object.metadata.name));
    await expect(all.park(CALL)).rejects.toThrow('denied by a webhook');
    expect(refused).toEqual(['web']);
    expect(world.cluster.peek<Pod>(pods, KEY.namespace, 'other-pod')?.metadata.deletionTimestamp).toBeDefined();
    expect(await all.running(CALL)).toContain('WorkloadService default/web');
  });

  it('is not called stopped while the API server may start something', async () => {
    const refuses = async (): Promise<void> => {
      throw new Error('not yet');
    };
    await expect(workloadsOf(aService().cluster, refuses).running(CALL)).rejects.toThrow('not yet');
  });
});

describe('runs of a cron job', () => {
  const aJob = (more: Partial<Job>): Job => ({
    metadata: {
      ...KEY,
      name: 'web-1',
      labels: childLabels({ tenant: 'default', kind: 'WorkloadCronJob', name: 'web', component: 'cronjob' }),
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'web', uid: 'c', controller: true }],
    },
    spec: { template: {} as never },
    ...more,
  });

  it('are stopped and never begin again, and no other one begins', async () => {
    const world = new ChildWorld(
      { resource: cronJobResource, types: [cronJobs], make: (options) => new CronJobReconciler(options as never) },
      {},
    );
    world.cluster.edit<CronJob>(cronJobs, {
      metadata: {
        ...aJob({}).metadata,
        name: 'web',
        ownerReferences: [{ ...BY_US, kind: 'WorkloadCronJob', name: 'web', uid: 'w', controller: true }],
      },
      spec: { schedule: '* * * * *', jobTemplate: { spec: { template: {} as never } } },
    });
    world.cluster.edit<Job>(jobs, aJob({}));
    await workloadsOf(world.cluster).park(CALL);
    expect(world.child<CronJob>(cronJobs)?.spec.suspend).toBe(true);
    const job = world.child<Job>(jobs, 'web-1');
    expect(job?.spec.suspend).toBe(true);
    expect(job && hasBegun(job)).toBe(true);
    expect(await workloadsOf(world.cluster).running(CALL)).toEqual([]);
  });

  it('that are over stay as they are', async () => {
    const { cluster } = aService();
    cluster.edit<Job>(jobs, aJob({ status: { conditions: [{ type: 'Complete', status: 'True' }] } }));
    await workloadsOf(cluster).park(CALL);
    expect(cluster.peek<Job>(jobs, KEY.namespace, 'web-1')?.spec.suspend).toBeUndefined();
  });
});

describe('pods', () => {
  const find = (cluster: FakeCluster): Pod | undefined => cluster.peek<Pod>(pods, KEY.namespace, 'web-pod');

  it('of ours are deleted, and their names set free when the kubelet says that they are gone', async () => {
    const { cluster } = aService();
    addPod(cluster, BY_US, { finalizers: [POD_FINALIZER] });
    const all = workloadsOf(cluster);
    await all.park(CALL);
    const dying = find(cluster);
    expect(dying?.metadata.deletionTimestamp).toBeDefined();
    expect(await all.running(CALL)).toEqual(['WorkloadProcess default/web']);
    await all.park(CALL);
    expect(find(cluster)?.metadata.finalizers).toEqual([POD_FINALIZER]);
    const finishedAt = '2030-01-01T00:01:00Z';
    cluster.edit<Pod>(pods, {
      ...dying!,
      status: { phase: 'Succeeded', containerStatuses: [status({ terminated: { exitCode: 0, finishedAt } })] },
    });
    expect(await all.running(CALL)).toEqual([]);
    await all.park(CALL);
    expect(find(cluster)?.metadata.finalizers).toEqual([]);
  });

  it('that have ended by themselves stay, for what they have to tell', async () => {
    const { cluster } = aService();
    addPod(cluster, BY_US, {}, { phase: 'Succeeded' });
    await workloadsOf(cluster).park(CALL);
    expect(find(cluster)?.metadata.deletionTimestamp).toBeUndefined();
    expect(await workloadsOf(cluster).running(CALL)).toEqual([]);
  });

  it('that others keep end with those, and count until then', async () => {
    const { cluster } = aService();
    addPod(cluster, { apiVersion: 'apps/v1', kind: 'ReplicaSet' });
    await workloadsOf(cluster).park(CALL);
    expect(find(cluster)?.metadata.deletionTimestamp).toBeUndefined();
    expect(await workloadsOf(cluster).running(CALL)).toEqual(['WorkloadProcess default/web']);
  });

  it('of a silent node count as running until a person says that they have stopped', async () => {
    const { cluster } = aService();
    addPod(cluster, BY_US, { deletionTimestamp: '2030-01-01T00:00:00Z', finalizers: [POD_FINALIZER] });
    const found = find(cluster)!;
    expect(await workloadsOf(cluster).running(CALL)).toHaveLength(1);
    const notes = { [annotations.confirmStopped]: found.metadata.uid ?? '' };
    cluster.edit<Pod>(pods, { ...found, metadata: { ...found.metadata, annotations: notes } });
    expect(await workloadsOf(cluster).running(CALL)).toEqual([]);
  });

  it('that nobody keeps are not ours to stop', async () => {
    const { cluster } = aService();
    addPod(cluster, undefined, { labels: { [`${GROUP}/tenant`]: 'default' } });
    await workloadsOf(cluster).park(CALL);
    expect(find(cluster)?.metadata.deletionTimestamp).toBeUndefined();
    expect(await workloadsOf(cluster).running(CALL)).toEqual([]);
  });
});
