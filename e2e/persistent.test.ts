/** WorkloadPersistent on a real cluster: what a user does to it, what others do to its children, and a change of leaders. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { waitFor } from './support/cluster/index.ts';
import type { Pod, Workload } from './support/stage.ts';
import { Stage, TERM } from './support/stage.ts';

const PLURAL = 'workloadpersistents';
const POD = 'queue-0';

interface StatefulSet {
  readonly metadata: { readonly uid: string; readonly annotations: Record<string, string> };
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly spec: { terminationGracePeriodSeconds: number } };
  };
}

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
  await stage.startController('persistent-1');
  await stage.leader();
}, 600_000);

afterAll(async () => {
  await stage?.kube.run('delete', PLURAL, '--all', '--timeout=60s');
  await stage?.close();
}, 120_000);

/** Further lines of the spec are indented by two. */
function yaml(name: string, spec = '', command = 'while true; do sleep 1; done'): string {
  return `apiVersion: highlander.plexobject.io/v1
kind: WorkloadPersistent
metadata: {name: ${name}, namespace: default}
spec:
  image: busybox:latest
  script: {commands: ["${command}"]}
  terminationGracePeriod: 5s
  replicas: 1
${spec}`;
}

const PORTS = '  ports: [{name: mq, containerPort: 1414}]\n';
const reason = (name: string, wanted: string): Promise<Workload> => stage.reason(name, wanted, 'default', PLURAL);
const set = (name: string) => stage.object<StatefulSet>('apis/apps/v1', `statefulsets/${name}`);
const runningAfter = (before: Pod): Promise<Pod> => stage.runningPod(POD, { not: before.metadata.uid });

describe.skipIf(!inject('realNodes'))('a WorkloadPersistent', () => {
  it('becomes a StatefulSet with a headless Service, and kubectl shows NAME ACTIVE HEALTHY AGE', async () => {
    await stage.kube.apply(yaml('queue', PORTS));
    const { status } = await reason('queue', 'Running');
    expect(status).toMatchObject({ active: true, healthy: true, readyReplicas: 1, serviceName: 'queue' });
    const [header, row] = (await stage.kube.run('get', PLURAL, 'queue')).split('\n');
    expect(header).toMatch(/^NAME +ACTIVE +HEALTHY +AGE *$/);
    expect(row).toMatch(/^queue +true +true +\d+s/);
    const service = await stage.object<{ spec: object }>('api/v1', 'services/queue');
    expect(service?.spec).toMatchObject({ clusterIP: 'None', ports: [{ name: 'mq', port: 1414 }] });
  });

  it('has what others change put back within a second, without a restart', async () => {
    const before = await stage.runningPod(POD);
    const changed = performance.now();
    await stage.kube.run('scale', 'statefulset', 'queue', '--replicas=2');
    await waitFor('one replica', async () => (await set('queue'))?.spec.replicas === 1, { everyMs: 10 });
    expect(performance.now() - changed).toBeLessThan(1500);
    await reason('queue', 'Running');
    expect((await stage.runningPod(POD)).metadata.uid).toBe(before.metadata.uid);
  });

  it('is replaced when it is edited, also when the pod before was never ready', async () => {
    const first = await stage.runningPod(POD);
    await stage.kube.apply(yaml('queue', `${PORTS}  healthCheckPort: 9\n`, 'echo broken; sleep 3600'));
    const broken = await runningAfter(first);
    expect((await stage.workload('queue', 'default', PLURAL))?.status?.healthy).toBe(false);
    await stage.kube.apply(yaml('queue', PORTS));
    await runningAfter(broken);
    await reason('queue', 'Running');
  });

  it('refuses what cannot be changed, and runs on', async () => {
    const before = await stage.runningPod(POD);
    await stage.kube.apply(yaml('queue', `${PORTS}  persistentVolumes: [{name: data, mountPath: /data, size: 1Mi}]\n`));
    expect((await reason('queue', 'ImmutableField')).status?.lastError).toContain('spec.persistentVolumes');
    await stage.kube.apply(yaml('queue', PORTS));
    await reason('queue', 'Running');
    expect((await stage.runningPod(POD)).metadata.uid).toBe(before.metadata.uid);
  });

  it('runs beside a WorkloadService of its name, and its pod is found by its name', async () => {
    const service = yaml('queue', PORTS).replace('WorkloadPersistent', 'WorkloadService');
    const before = await stage.runningPod(POD);
    await stage.kube.apply(service);
    const { status } = await stage.reason('queue', 'Running', 'default', 'workloadservices');
    expect(status).toMatchObject({ serviceName: 'queue-service', readyReplicas: 1 });
    expect((await reason('queue', 'Running')).status).toMatchObject({ serviceName: 'queue', podServiceName: 'queue' });
    expect((await stage.runningPod(POD)).metadata.uid).toBe(before.metadata.uid);
    await stage.kube.apply(service.replaceAll('queue', 'desk'));
    await stage.reason('desk', 'Running', 'default', 'workloadservices');
    await stage.kube.apply(yaml('desk', PORTS));
    const desk = { serviceName: 'desk-headless', podServiceName: 'desk-headless', readyReplicas: 1 };
    expect((await reason('desk', 'Running')).status).toMatchObject(desk);
    const slices = await stage.object<{ items: { endpoints: { hostname?: string }[] }[] }>(
      'apis/discovery.k8s.io/v1',
      'endpointslices?labelSelector=kubernetes.io/service-name%3Ddesk-headless',
    );
    expect(slices?.items.flatMap(({ endpoints }) => endpoints.map(({ hostname }) => hostname))).toEqual(['desk-0']);
    await stage.kube.run('delete', 'workloadservices', 'queue', 'desk', '--wait=false');
    await stage.kube.run('delete', PLURAL, 'desk', '--wait=false');
    await stage.noPod('desk-0');
  });

  it('claims its volumes, and says what it waits for', async () => {
    await stage.kube.apply(yaml('stored', '  persistentVolumes: [{name: data, mountPath: /data, size: 1Mi}]\n'));
    const claim = await waitFor('the claim', () =>
      stage.object<{ spec: object }>('api/v1', 'persistentvolumeclaims/data-stored-0'),
    );
    expect(claim.spec).toMatchObject({ accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } });
    // No storage here hands out volumes.
    expect((await reason('stored', 'Unschedulable')).status?.lastError).toContain('stored-0');
    await stage.kube.run('delete', PLURAL, 'stored');
    await stage.noPod('stored-0');
    expect(await stage.object('api/v1', 'persistentvolumeclaims/data-stored-0')).toBeDefined();
    await stage.kube.run('delete', 'pvc', 'data-stored-0', '--wait=false');
  });

  it('is parked by suspend and comes back', async () => {
    await stage.kube.apply(yaml('queue', `${PORTS}  suspend: true\n`));
    await reason('queue', 'Suspended');
    await stage.noPod(POD);
    await stage.kube.apply(yaml('queue', PORTS));
    await reason('queue', 'Running');
  });

  it('goes on through a change of leaders, whose stamp it gets', async () => {
    const before = await stage.runningPod(POD);
    const term = async (): Promise<number> => Number((await set('queue'))?.metadata.annotations[TERM]);
    const old = await term();
    await stage.startController('persistent-2');
    await stage.endFirst('SIGTERM');
    await waitFor('the new stamp', async () => (await term()) > old);
    await reason('queue', 'Running');
    expect((await stage.runningPod(POD)).metadata.uid).toBe(before.metadata.uid);
  });

  it('takes everything with it when it is deleted', async () => {
    await stage.kube.run('delete', PLURAL, 'queue', '--wait=false');
    await stage.noPod(POD);
    await waitFor('nothing left', async () => {
      const left = [await set('queue'), await stage.object('api/v1', 'services/queue')];
      return left.every((each) => each === undefined);
    });
  });
});
