/** WorkloadService on a real cluster: what a user does to it, what others do to its children, and a change of leaders. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ContainerRecorder } from './support/cluster/index.ts';
import { overlaps, waitFor } from './support/cluster/index.ts';
import type { Pod, Workload } from './support/stage.ts';
import { Stage, TERM } from './support/stage.ts';

const PLURAL = 'workloadservices';
const KIND = 'WorkloadService';
const TOKEN = 'HIGHLANDER_FENCING_TOKEN';

interface Deployment {
  readonly metadata: {
    readonly uid: string;
    readonly generation: number;
    readonly annotations: Record<string, string>;
  };
  readonly spec: { readonly replicas: number; readonly strategy: { readonly type: string } };
}

let stage: Stage;
let recorder: ContainerRecorder;

beforeAll(async () => {
  stage = await Stage.open();
  recorder = await stage.cluster.recordContainers('default');
  await stage.startController('service-1');
  await stage.leader();
}, 600_000);

afterAll(async () => {
  recorder?.stop();
  await stage?.kube.run('delete', PLURAL, '--all', '--timeout=60s');
  await stage?.close();
}, 120_000);

/** A web server; further lines of its spec are indented by two. */
function yaml(name: string, spec = '', greeting = 'hello'): string {
  return `apiVersion: highlander.plexobject.io/v1
kind: ${KIND}
metadata: {name: ${name}, namespace: default}
spec:
  image: busybox:latest
  script: {commands: [mkdir /tmp/www, "echo ${greeting} > /tmp/www/index.html", "httpd -f -p 8080 -h /tmp/www"]}
  terminationGracePeriod: 5s
${spec}`;
}

const PORTS = '  replicas: 1\n  ports: [{name: http, containerPort: 8080, servicePort: 80}]\n  healthCheckPath: /\n';

const reason = (name: string, wanted: string): Promise<Workload> => stage.reason(name, wanted, 'default', PLURAL);
const deployment = (name: string) => stage.object<Deployment>('apis/apps/v1', `deployments/${name}`);

/** The pod, once there is no other. */
function onlyPod(name: string): Promise<Pod> {
  return waitFor(`${name} to have one pod`, async () => {
    const [pod, ...others] = await stage.podsOf(KIND, name);
    return others.length === 0 ? pod : undefined;
  });
}

function tokenOf(pod: Pod): string | undefined {
  return pod.spec.containers[0]?.env?.find((each) => each.name === TOKEN)?.value;
}

describe.skipIf(!inject('realNodes'))('a WorkloadService', () => {
  it('becomes a Deployment and a Service, and kubectl shows NAME ACTIVE HEALTHY AGE', async () => {
    await stage.kube.apply(yaml('web', PORTS));
    const { status } = await reason('web', 'Running');
    expect(status).toMatchObject({ active: true, healthy: true, readyReplicas: 1, serviceName: 'web' });
    const [header, row] = (await stage.kube.run('get', PLURAL, 'web')).split('\n');
    expect(header).toMatch(/^NAME +ACTIVE +HEALTHY +AGE *$/);
    expect(row).toMatch(/^web +true +true +\d+s/);
    expect((await deployment('web'))?.spec.strategy.type).toBe('Recreate');
    const service = await stage.object<{ spec: object }>('api/v1', 'services/web');
    expect(service?.spec).toMatchObject({ ports: [{ name: 'http', port: 80, targetPort: 8080 }] });
    expect(tokenOf(await onlyPod('web'))).toBe((await deployment('web'))?.metadata.annotations[TERM]);
  });

  it('has what others change put back within a second, and keeps what they add', async () => {
    await stage.kube.run('label', 'deployment', 'web', 'team=data');
    const before = await onlyPod('web');
    const changed = performance.now();
    await stage.kube.run('scale', 'deployment', 'web', '--replicas=2');
    await waitFor('one replica', async () => (await deployment('web'))?.spec.replicas === 1, { everyMs: 10 });
    await stage.kube.run('patch', 'deployment', 'web', '-p', '{"spec":{"strategy":{"type":"RollingUpdate"}}}');
    await waitFor('the strategy', async () => (await deployment('web'))?.spec.strategy.type === 'Recreate', {
      everyMs: 10,
    });
    expect(performance.now() - changed).toBeLessThan(2000);
    await stage.kube.run(
      'patch',
      'service',
      'web',
      '-p',
      '{"spec":{"selector":{"highlander.plexobject.io/name":"x"}}}',
    );
    await waitFor('the selector', async () => {
      const service = await stage.object<{ spec: { selector: Record<string, string> } }>('api/v1', 'services/web');
      return service?.spec.selector['highlander.plexobject.io/name'] === 'web';
    });
    await reason('web', 'Running');
    expect((await onlyPod('web')).metadata.uid).toBe(before.metadata.uid);
    const labels = await stage.kube.run('get', 'deployment', 'web', '-o', 'jsonpath={.metadata.labels.team}');
    expect(labels).toBe('data');
  });

  it('is left alone when nothing changes', async () => {
    await reason('web', 'Running');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const since = new Date();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const writes = (await stage.cluster.auditEvents()).filter(
      ({ userAgent, receivedAt, resource, namespace }) =>
        userAgent.includes('(service-') && namespace === 'default' && receivedAt > since && resource !== 'leases',
    );
    expect(writes.map((event) => `${event.verb} ${event.resource} ${event.name}`)).toEqual([]);
  });

  it('is replaced when it is edited, the old pod ended before the new one starts', async () => {
    const before = await onlyPod('web');
    await stage.kube.apply(yaml('web', PORTS, 'bye'));
    await reason('web', 'Running');
    const after = await onlyPod('web');
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    const runs = [before, after].flatMap(({ metadata }) => recorder.times({ pod: metadata.name }));
    expect(overlaps(runs)).toEqual([]);
  });

  it('comes back when its Deployment is deleted, never two at once', async () => {
    const before = await onlyPod('web');
    await stage.kube.run('delete', 'deployment', 'web', '--wait=false');
    await stage.kube.run('delete', PLURAL, 'web', '--wait=false');
    await stage.kube.apply(yaml('web', PORTS));
    await reason('web', 'Running');
    const after = await onlyPod('web');
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    const runs = [before, after].flatMap(({ metadata }) => recorder.times({ pod: metadata.name }));
    expect(overlaps(runs)).toEqual([]);
  });

  it('loses its Service with its ports, and is parked by suspend', async () => {
    await stage.kube.apply(yaml('web', '  replicas: 1\n'));
    await waitFor('no Service', async () => !(await stage.object('api/v1', 'services/web')));
    await stage.kube.apply(yaml('web', '  replicas: 1\n  suspend: true\n'));
    await reason('web', 'Suspended');
    await waitFor('no pod', async () => (await stage.podsOf(KIND, 'web')).length === 0);
    await stage.kube.apply(yaml('web', PORTS));
    await reason('web', 'Running');
  });

  it('leaves the number of pods to others when the spec names none', async () => {
    await stage.kube.apply(yaml('free'));
    await reason('free', 'Running');
    await stage.kube.run('scale', 'deployment', 'free', '--replicas=2');
    await waitFor(
      'two pods',
      async () => (await stage.workload('free', 'default', PLURAL))?.status?.readyReplicas === 2,
    );
    expect((await deployment('free'))?.spec.replicas).toBe(2);
  });

  it('says what is wrong with its spec, and is left as it is', async () => {
    const before = await onlyPod('web');
    await stage.kube.apply(yaml('web', `${PORTS}  podTemplate: {spec: {tolerationz: []}}\n`));
    const stalled = await reason('web', 'DeploymentInvalid');
    expect(stalled.status?.lastError).toContain('tolerationz');
    expect((await onlyPod('web')).metadata.uid).toBe(before.metadata.uid);
    await stage.kube.apply(yaml('web', PORTS));
    await reason('web', 'Running');
  });

  it('never touches a Deployment that is not its own, and says which one stands in its way', async () => {
    await stage.kube.run('create', 'deployment', 'foreign', '--image=busybox:latest', '--replicas=0');
    const foreign = await deployment('foreign');
    await stage.kube.apply(yaml('foreign'));
    const blocked = await reason('foreign', 'Conflict');
    expect(blocked.status?.lastError).toContain('Deployment default/foreign already exists');
    expect((await deployment('foreign'))?.metadata).toMatchObject({ uid: foreign?.metadata.uid, generation: 1 });
    await stage.kube.run('delete', 'deployment', 'foreign');
    await reason('foreign', 'Running');
  });

  it('goes on through a change of leaders, whose stamp it gets', async () => {
    const before = await onlyPod('web');
    const old = await deployment('web');
    await stage.startController('service-2');
    await stage.endFirst('SIGTERM');
    const term = (found: Deployment | undefined): number => Number(found?.metadata.annotations[TERM]);
    const { conditions = [] } = (await reason('web', 'Running')).status ?? {};
    const readySince = conditions.find((each) => each.type === 'Ready')?.lastTransitionTime;
    await waitFor('the new stamp', async () => term(await deployment('web')) > term(old));
    expect((await onlyPod('web')).metadata.uid).toBe(before.metadata.uid);
    const ready = await stage.kube.run('get', PLURAL, 'web', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")]}');
    expect(JSON.parse(ready)).toMatchObject({ status: 'True', lastTransitionTime: readySince });
  });

  it('takes everything with it when it is deleted', async () => {
    await stage.kube.run('delete', PLURAL, 'web', '--wait=false');
    await waitFor('nothing left', async () => {
      const left = [await deployment('web'), await stage.object('api/v1', 'services/web')];
      return left.every((each) => each === undefined) && (await stage.podsOf(KIND, 'web')).length === 0;
    });
  });
});
