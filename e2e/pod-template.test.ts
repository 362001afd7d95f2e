/** What a spec says about its pod, seen from inside the pod. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { waitFor } from './support/cluster/index.ts';
import { Stage } from './support/stage.ts';

const TAINT = 'highlander.test/only=processes:NoExecute';
const ENDLESS = 'while true; do sleep 1; done';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
  await stage.startController('template-1');
  await stage.leader();
}, 600_000);

afterAll(async () => {
  await stage?.kube.run('delete', 'highlander', '--all', '-A', '--timeout=60s');
  await stage?.kube.run('delete', 'namespace', 'restricted', '--wait=false', '--ignore-not-found');
  await stage?.kube.run('delete', 'configmap,secret,serviceaccount', '-l', 'test=template');
  await stage?.close();
}, 120_000);

function yaml(kind: string, name: string, spec: object, namespace = 'default'): string {
  const more = { image: 'busybox:latest', terminationGracePeriod: '1s', ...spec };
  return JSON.stringify({
    apiVersion: 'highlander.plexobject.io/v1',
    kind,
    metadata: { name, namespace },
    spec: more,
  });
}

const AROUND = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {test: template}}
data: {color: green, MODE: fast}
---
apiVersion: v1
kind: Secret
metadata: {name: password, labels: {test: template}}
stringData: {word: open sesame}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: worker, labels: {test: template}}
`;

const logOf = (pod: string, ...lines: readonly string[]) =>
  waitFor(`the log of ${pod}`, async () => {
    const log = await stage.kube.run('logs', pod, '-c', 'main').catch(() => '');
    return lines.every((line) => log.includes(line)) ? log : undefined;
  });

describe.skipIf(!inject('realNodes'))('the pod of a workload', () => {
  it('has what the spec and its podTemplate say', async () => {
    await stage.kube.apply(AROUND);
    const commands = [
      'echo "prepared: $(cat /scratch/file)"',
      'echo "mode $MODE color $(cat /etc/config/settings/color) word $(cat /etc/secrets/password/word)"',
      'echo "host $(grep backend /etc/hosts)"',
      'echo "team $(cat /pod/team) limit $(cat /pod/limit)"',
      'echo "account $(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace) user $(id -u) $(id -g)"',
      ENDLESS,
    ];
    const template = {
      metadata: { labels: { team: 'data', tier: 'template' } },
      spec: {
        serviceAccountName: 'worker',
        hostAliases: [{ ip: '127.0.0.9', hostnames: ['backend'] }],
        securityContext: { runAsUser: 2000, runAsGroup: 3000 },
        initContainers: [
          {
            name: 'prepare',
            image: 'busybox:latest',
            command: ['sh', '-c', 'echo done > /scratch/file'],
            volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
          },
        ],
        containers: [
          {
            name: 'main',
            envFrom: [{ configMapRef: { name: 'settings' } }],
            volumeMounts: [
              { name: 'scratch', mountPath: '/scratch' },
              { name: 'pod', mountPath: '/pod' },
            ],
          },
        ],
        volumes: [
          { name: 'scratch', emptyDir: {} },
          {
            name: 'pod',
            downwardAPI: {
              items: [
                { path: 'team', fieldRef: { fieldPath: "metadata.labels['team']" } },
                { path: 'limit', resourceFieldRef: { containerName: 'main', resource: 'limits.memory' } },
              ],
            },
          },
        ],
      },
    };
    const spec = {
      script: { commands },
      configMaps: ['settings'],
      secrets: ['password'],
      labels: { tier: 'own' },
      resources: { memoryLimit: '64Mi' },
      securityContext: { runAsUser: 1000 },
      podTemplate: template,
    };
    await stage.kube.apply(yaml('WorkloadProcess', 'full', spec));
    await logOf(
      'full-pod',
      'prepared: done',
      'mode fast color green word open sesame',
      'host 127.0.0.9',
      `team data limit ${64 * 1024 * 1024}`,
      'account default user 1000 3000',
    );
    const pod = await stage.kube.get<{ metadata: { labels: object } }>('pod', 'full-pod');
    expect(pod?.metadata.labels).toMatchObject({ team: 'data', tier: 'own' });
  });

  it('tolerates what its podTemplate tolerates, in every kind', async () => {
    const tolerations = [{ key: 'highlander.test/only', operator: 'Exists' }];
    const podTemplate = { spec: { tolerations } };
    const script = { commands: [ENDLESS] };
    await stage.kube.run('taint', 'nodes', '--all', TAINT);
    try {
      await Promise.all([
        stage.kube.apply(yaml('WorkloadProcess', 'tolerant', { script, podTemplate })),
        stage.kube.apply(yaml('WorkloadService', 'tolerant', { script, podTemplate })),
        stage.kube.apply(yaml('WorkloadPersistent', 'tolerant-set', { script, podTemplate, replicas: 1 })),
        stage.kube.apply(
          yaml('WorkloadCronJob', 'tolerant', { script: { commands: ['true'] }, podTemplate, schedule: '@every 2s' }),
        ),
        stage.kube.apply(yaml('WorkloadProcess', 'intolerant', { script })),
      ]);
      await stage.reason('tolerant', 'Running');
      await stage.reason('tolerant', 'Running', 'default', 'workloadservices');
      await stage.reason('tolerant-set', 'Running', 'default', 'workloadpersistents');
      await waitFor(
        'a run',
        async () => (await stage.workload('tolerant', 'default', 'workloadcronjobs'))?.status?.lastSuccessfulTime,
      );
      expect((await stage.reason('intolerant', 'Unschedulable')).status?.lastError).toContain('taint');
    } finally {
      await stage.kube.run('taint', 'nodes', '--all', `${TAINT}-`);
    }
  });

  it.each([
    ['WorkloadProcess', 'workloadprocesses', 'PodInvalid'],
    ['WorkloadService', 'workloadservices', 'DeploymentInvalid'],
    ['WorkloadPersistent', 'workloadpersistents', 'StatefulSetInvalid'],
  ])('of a %s runs on when the next one would be refused, and the field is named', async (kind, plural, reason) => {
    const name = `typo-${plural.slice(8, 14)}`;
    const script = { commands: [ENDLESS] };
    const replicas = kind === 'WorkloadPersistent' ? { replicas: 1 } : {};
    await stage.kube.apply(yaml(kind, name, { script, ...replicas }));
    await stage.reason(name, 'Running', 'default', plural);
    const [before] = await stage.podsOf(kind, name);
    await stage.kube.apply(yaml(kind, name, { script, ...replicas, podTemplate: { spec: { tolerationz: [] } } }));
    const { status } = await stage.reason(name, reason, 'default', plural);
    expect(status).toMatchObject({ active: true, healthy: true });
    expect(status?.lastError).toContain('tolerationz');
    expect(status?.conditions?.map(({ type }) => type)).toEqual(['Ready', 'Stalled']);
    const after = await stage.podsOf(kind, name);
    expect(after.map(({ metadata }) => metadata.uid)).toEqual([before?.metadata.uid]);
    await stage.kube.apply(yaml(kind, name, { script, ...replicas }));
    await stage.reason(name, 'Running', 'default', plural);
  });

  it('may run where the restricted Pod Security Standard is enforced', async () => {
    await stage.kube.run('create', 'namespace', 'restricted');
    await stage.kube.run('label', 'namespace', 'restricted', 'pod-security.kubernetes.io/enforce=restricted');
    const spec = { script: { commands: [ENDLESS] }, securityContext: { runAsNonRoot: true, runAsUser: 1000 } };
    await waitFor('its service account', () => stage.object('api/v1', 'serviceaccounts/default', 'restricted'));
    await stage.kube.apply(yaml('WorkloadProcess', 'safe', spec, 'restricted'));
    await stage.reason('safe', 'Running', 'restricted');
  });
});
