/** Images run as they are published: as root below port 1024, with a change of owner and of user, on a root that they write to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringifyYaml } from '../operator/lib/yaml.ts';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { waitFor } from './support/cluster/index.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;
let folder: string;

const volume = (name: string) => `apiVersion: v1
kind: PersistentVolume
metadata: {name: ${name}}
spec:
  capacity: {storage: 10Gi}
  accessModes: [ReadWriteOnce]
  hostPath: {path: ${join(folder, name)}, type: DirectoryOrCreate}
`;

beforeAll(async () => {
  stage = await Stage.open();
  folder = mkdtempSync(join(tmpdir(), 'highlander-volume-'));
  await stage.kube.apply(['images-1', 'images-2', 'images-3'].map(volume).join('---\n'));
  await stage.kube.run('create', 'namespace', 'strict');
  await stage.kube.run('label', 'namespace', 'strict', 'pod-security.kubernetes.io/enforce=restricted');
  await stage.startController('images-1');
  await stage.leader();
}, 600_000);

afterAll(async () => {
  await stage?.kube.run('delete', 'highlander', '--all', '-A', '--timeout=60s');
  await stage?.kube.run('delete', 'pvc', '--all', '--wait=false');
  await stage?.kube.run('delete', 'pv', 'images-1', 'images-2', 'images-3', '--wait=false');
  await stage?.kube.run('delete', 'namespace', 'strict', '--wait=false');
  await stage?.close();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

function apply(kind: string, name: string, spec: object, namespace = 'default'): Promise<string> {
  const metadata = { name, namespace };
  return stage.kube.apply(stringifyYaml({ apiVersion: 'highlander.plexobject.io/v1', kind, metadata, spec }));
}

const http = [{ name: 'http', containerPort: 80 }];
const claim = (mountPath: string) => [{ name: 'data', mountPath, size: '10Gi' }];

describe.skipIf(!inject('realNodes'))('an image as it is published becomes ready', () => {
  it.each([
    ['nginx', 'workloadservices', { image: 'nginx:alpine', ports: http, healthCheckPath: '/index.html' }],
    ['redis', 'workloadservices', { image: 'redis:alpine', ports: [{ containerPort: 6379 }], healthCheckPort: 6379 }],
    [
      'pg',
      'workloadpersistents',
      {
        image: 'postgres:16',
        env: { POSTGRES_PASSWORD: 'example', PGDATA: '/var/lib/postgresql/data/pgdata' },
        ports: [{ name: 'pg', containerPort: 5432 }],
        healthCheckPort: 5432,
        persistentVolumes: claim('/var/lib/postgresql/data'),
      },
    ],
    [
      'mq',
      'workloadpersistents',
      {
        image: 'ibmcom/mqadvanced-server:latest',
        env: { LICENSE: 'accept', MQ_QMGR_NAME: 'QM1' },
        ports: [{ name: 'mq', containerPort: 1414, servicePort: 1414 }],
        healthCheckPort: 1414,
        persistentVolumes: claim('/var/mqm'),
      },
    ],
    [
      'broker',
      'workloadpersistents',
      {
        image: 'rabbitmq:3.13-management',
        ports: [{ name: 'amqp', containerPort: 5672 }],
        healthCheckPort: 5672,
        serviceName: 'broker-nodes',
        serviceTemplate: { spec: { type: 'LoadBalancer' } },
        statefulSetTemplate: { spec: { updateStrategy: { type: 'OnDelete' } } },
        persistentVolumes: claim('/var/lib/rabbitmq'),
        volumeClaimTemplates: [{ metadata: { name: 'data', labels: { backup: 'yes' } } }],
      },
    ],
  ])('%s', async (name, plural, spec) => {
    await apply(plural === 'workloadservices' ? 'WorkloadService' : 'WorkloadPersistent', name, spec);
    await stage.reason(name, 'Running', 'default', plural);
  });

  it('a broker has a Service of its own beside the one that names its pods, and its claim the labels of the template', async () => {
    const field = (type: string, name: string, path: string) =>
      stage.kube.run('get', type, name, '-o', `jsonpath={${path}}`);
    expect(await field('service', 'broker', '.spec.type')).toBe('LoadBalancer');
    expect(await field('service', 'broker-nodes', '.spec.clusterIP')).toBe('None');
    expect(await field('pvc', 'data-broker-0', '.metadata.labels.backup')).toBe('yes');
  });
});

describe.skipIf(!inject('realNodes'))('in a namespace that enforces the restricted standard', () => {
  it('an image that needs no rights runs without being told, and one that does is not allowed to', async () => {
    await apply(
      'WorkloadProcess',
      'modest',
      {
        image: 'busybox:latest',
        command: ['sleep', '1000'],
        securityContext: { runAsUser: 1000 },
        terminationGracePeriod: '1s',
      },
      'strict',
    );
    await apply('WorkloadService', 'nginx', { image: 'nginx:alpine', ports: http }, 'strict');
    await stage.reason('modest', 'Running', 'strict');
    const { status } = await waitFor('nginx to be refused its rights', async () => {
      const found = await stage.workload('nginx', 'strict', 'workloadservices');
      const ready = found?.status?.conditions?.find(({ type }) => type === 'Ready');
      return found && ready && /CreateContainerConfigError|runAsNonRoot/.test(`${ready.reason} ${ready.message}`)
        ? found
        : undefined;
    });
    expect(status?.healthy).toBe(false);
  });
});
