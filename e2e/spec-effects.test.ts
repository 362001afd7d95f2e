/** Fields of the specs by what they do, where the pod or Kubernetes can show it. What other files show is not repeated. */
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { waitFor } from './support/cluster/index.ts';
import { Stage } from './support/stage.ts';

const ENDLESS = 'while true; do sleep 0.2; done';
const WEB = { commands: ['mkdir -p /tmp/www', 'echo hello > /tmp/www/index.html', 'httpd -f -p 8080 -h /tmp/www'] };

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
  await stage.startController('effects-1');
  await stage.leader();
}, 600_000);

afterAll(async () => {
  await stage?.kube.run('delete', 'highlander', '--all', '--timeout=60s');
  await stage?.kube.run('delete', 'pvc', '--all', '--wait=false');
  await stage?.close();
}, 120_000);

function apply(kind: string, name: string, spec: object): Promise<string> {
  const object = {
    apiVersion: 'highlander.plexobject.io/v1',
    kind,
    metadata: { name, namespace: 'default' },
    spec: { image: 'busybox:latest', terminationGracePeriod: '1s', ...spec },
  };
  return stage.kube.apply(stringify(object));
}

const logOf = (pod: string, container: string, ...lines: readonly string[]) =>
  waitFor(`the log of ${pod}`, async () => {
    const log = await stage.kube.run('logs', pod, '-c', container).catch(() => '');
    return lines.every((line) => log.includes(line)) ? log : undefined;
  });

const field = (type: string, name: string, path: string) =>
  stage.kube.run('get', type, name, '--ignore-not-found', '-o', `jsonpath={${path}}`);

describe.skipIf(!inject('realNodes'))('a process', () => {
  it('runs command and args, or a script by another shell', async () => {
    await apply('WorkloadProcess', 'argv', {
      command: ['sh', '-c', 'echo "$0 and $1"; sleep 1000'],
      args: ['one', 'two words'],
    });
    await apply('WorkloadProcess', 'shell', {
      script: { shell: '/bin/ash', commands: ['tr "\\\\0" " " < /proc/1/cmdline | cut -c 1-8', ENDLESS] },
    });
    await logOf('argv-pod', 'main', 'one and two words');
    await logOf('shell-pod', 'main', '/bin/ash');
  });

  it('has sidecars, annotations and resources', async () => {
    await apply('WorkloadProcess', 'aside', {
      script: { commands: ['echo "team $(cat /pod/team)"', ENDLESS] },
      annotations: { team: 'data' },
      resources: { cpuRequest: '10m', memoryRequest: '16Mi', cpuLimit: '10m', memoryLimit: '16Mi' },
      sidecars: [
        {
          name: 'helper',
          image: 'busybox:latest',
          command: ['sh', '-c', 'echo "helps $WHOM"; sleep 1000'],
          env: { WHOM: 'main' },
          resources: { cpuLimit: '10m', memoryLimit: '16Mi' },
        },
      ],
      podTemplate: {
        spec: {
          containers: [{ name: 'main', volumeMounts: [{ name: 'pod', mountPath: '/pod' }] }],
          volumes: [
            {
              name: 'pod',
              downwardAPI: { items: [{ path: 'team', fieldRef: { fieldPath: "metadata.annotations['team']" } }] },
            },
          ],
        },
      },
    });
    await Promise.all([logOf('aside-pod', 'main', 'team data'), logOf('aside-pod', 'helper', 'helps main')]);
    expect(await field('pod', 'aside-pod', '.status.qosClass')).toBe('Guaranteed');
  });

  it('runs on a node of its nodeSelector only', async () => {
    await apply('WorkloadProcess', 'picky', { script: { commands: [ENDLESS] }, nodeSelector: { disk: 'ssd' } });
    await stage.reason('picky', 'Unschedulable');
    await stage.kube.run('label', 'nodes', '--all', 'disk=ssd');
    await stage.reason('picky', 'Running');
    await stage.kube.run('label', 'nodes', '--all', 'disk-');
  });

  it('is given its gracePeriod to end, and starts again with restartPolicy Always', async () => {
    const commands = ['trap "sleep 3; echo clean > /shared/end; exit 0" TERM', ENDLESS];
    await apply('WorkloadProcess', 'graceful', {
      terminationGracePeriod: undefined,
      gracePeriod: '8s',
      script: { commands },
    });
    await apply('WorkloadProcess', 'again', { script: { commands: ['sleep 1'] }, restartPolicy: 'Always' });
    await stage.reason('graceful', 'Running');
    const asked = performance.now();
    await stage.kube.run('delete', 'workloadprocess', 'graceful', '--wait=false');
    await stage.noPod('graceful-pod');
    expect(performance.now() - asked).toBeGreaterThan(2500);
    await waitFor(
      'a second run',
      async () => Number(await field('pod', 'again-pod', '.status.containerStatuses[0].restartCount')) > 0,
    );
  });
});

describe.skipIf(!inject('realNodes'))('a service', () => {
  it('answers at its servicePort when its health check does, with as many pods as asked for', async () => {
    const ports = [{ name: 'http', containerPort: 8080, servicePort: 80 }];
    await apply('WorkloadService', 'front', { script: WEB, ports, replicas: 2, healthCheckPath: '/index.html' });
    await stage.reason('front', 'Running', 'default', 'workloadservices');
    expect(await stage.podsOf('WorkloadService', 'front')).toHaveLength(2);
    const address = await field('service', 'front', '.spec.clusterIP');
    await apply('WorkloadProcess', 'client', {
      script: { commands: [`wget -q -O - http://${address}:80/index.html`, ENDLESS] },
    });
    await logOf('client-pod', 'main', 'hello');
    await stage.kube.run('scale', 'workloadservice', 'front', '--replicas=1');
    await waitFor('one pod', async () => (await stage.podsOf('WorkloadService', 'front')).length === 1);
  });

  it('is out of service while its health check fails, and stalls after readinessTimeout', async () => {
    const spec = { script: { commands: [ENDLESS] }, healthCheckPort: 9, readinessTimeout: '3s' };
    await apply('WorkloadService', 'unready', spec);
    const { status } = await stage.reason('unready', 'ReadinessTimeout', 'default', 'workloadservices');
    expect(status).toMatchObject({ healthy: false });
    expect(status?.conditions?.map(({ type }) => type)).toEqual(['Ready', 'Stalled']);
  });
});

describe.skipIf(!inject('realNodes'))('a persistent workload', () => {
  it('is reached by its serviceName, and claims of its storageClassName', async () => {
    await apply('WorkloadPersistent', 'store', {
      script: WEB,
      replicas: 1,
      serviceName: 'store-nodes',
      ports: [{ containerPort: 8080 }],
    });
    await apply('WorkloadPersistent', 'fast', {
      script: { commands: [ENDLESS] },
      replicas: 1,
      persistentVolumes: [{ name: 'data', mountPath: '/data', size: '1Mi', storageClassName: 'fast-ssd' }],
    });
    await stage.reason('store', 'Running', 'default', 'workloadpersistents');
    expect(await field('service', 'store-nodes', '.spec.clusterIP')).toBe('None');
    expect(await field('statefulset', 'store', '.spec.serviceName')).toBe('store-nodes');
    await waitFor(
      'the claim',
      async () => (await field('pvc', 'data-fast-0', '.spec.storageClassName')) === 'fast-ssd',
    );
    await stage.kube.run('scale', 'workloadpersistent', 'store', '--replicas=2');
    await waitFor('two pods', async () => (await stage.podsOf('WorkloadPersistent', 'store')).length === 2);
  });
});

describe.skipIf(!inject('realNodes'))('a cron job', () => {
  it('is due by the clock of its time zone', async () => {
    const spec = { script: { commands: ['true'] }, schedule: '0 12 * * *' };
    await apply('WorkloadCronJob', 'noon', { ...spec, timeZone: 'Asia/Tokyo' });
    await stage.reason('noon', 'Scheduled', 'default', 'workloadcronjobs');
    expect(await field('workloadcronjob', 'noon', '.status.nextScheduleTime')).toMatch(/T03:00:00Z$/);
  });
});
