import { describe, expect, it } from 'vitest';
import { processSpec } from '../api/process.ts';
import { checkedSpec } from '../api/spec.ts';
import { graceSecondsOf, podSpec, volumeName } from './pod-template.ts';
import { LAUNCHER, literal } from './script.ts';

const OPTIONS = {
  tenant: 'default',
  clusterName: 'east',
  fencingToken: '7',
  restartPolicy: 'Always',
  gracePeriodSeconds: 30,
};
const RESTRICTED = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const OURS = [
  { name: 'HIGHLANDER_CLUSTER', value: 'east' },
  { name: 'HIGHLANDER_FENCING_TOKEN', value: '7' },
  { name: 'HIGHLANDER_TENANT', value: 'default' },
];

function spec(given: Record<string, unknown>) {
  return processSpec.parse({ image: 'busybox:latest', ...given });
}

it('builds the process of the handbook', () => {
  const given = spec({
    script: { commands: ["echo 'Starting'", '/app/run.sh'], shell: '/bin/sh' },
    env: { ZED: 'z', DB_HOST: 'postgres.example.com' },
    resources: { cpuRequest: '200m', memoryRequest: '256Mi' },
    configMaps: ['app'],
    secrets: ['db'],
    ports: [{ name: 'http', containerPort: 80 }],
    nodeSelector: { disk: 'ssd' },
  });
  expect(podSpec(given, { ...OPTIONS, restartPolicy: 'OnFailure' })).toEqual({
    restartPolicy: 'OnFailure',
    terminationGracePeriodSeconds: 30,
    securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    nodeSelector: { disk: 'ssd' },
    containers: [
      {
        name: 'main',
        image: 'busybox:latest',
        imagePullPolicy: 'IfNotPresent',
        command: ['/bin/sh', '-c', literal(LAUNCHER), '/bin/sh', "echo 'Starting'\n/app/run.sh\n"],
        env: [{ name: 'DB_HOST', value: 'postgres.example.com' }, ...OURS, { name: 'ZED', value: 'z' }],
        ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }],
        resources: { requests: { cpu: '200m', memory: '256Mi' } },
        volumeMounts: [
          { name: 'config-app', mountPath: '/etc/config/app', readOnly: true },
          { name: 'secret-db', mountPath: '/etc/secrets/db', readOnly: true },
        ],
        securityContext: RESTRICTED,
      },
    ],
    volumes: [
      { name: 'config-app', configMap: { name: 'app' } },
      { name: 'secret-db', secret: { secretName: 'db' } },
    ],
  });
});

it("leaves the image's own entrypoint alone when neither script nor command is given", () => {
  expect(podSpec(spec({}), OPTIONS).containers).toEqual([
    {
      name: 'main',
      image: 'busybox:latest',
      imagePullPolicy: 'IfNotPresent',
      env: OURS,
      resources: {},
      securityContext: RESTRICTED,
    },
  ]);
});

describe('sidecars', () => {
  const given = spec({ sidecars: [{ name: 'log', image: 'busybox', args: ['tail'] }] });

  it('are containers beside a process that always runs', () => {
    const { initContainers, containers } = podSpec(given, OPTIONS);
    expect(initContainers).toBeUndefined();
    expect(containers.map(({ name }) => name)).toEqual(['main', 'log']);
  });

  it.each(['OnFailure', 'Never'])('end with a process that may complete (%s)', (restartPolicy) => {
    const { initContainers, containers } = podSpec(given, { ...OPTIONS, restartPolicy });
    expect(containers.map(({ name }) => name)).toEqual(['main']);
    expect(initContainers).toMatchObject([{ name: 'log', restartPolicy: 'Always', args: ['tail'], env: OURS }]);
  });
});

it.each([
  [{}, RESTRICTED],
  [
    { runAsNonRoot: true, runAsUser: 1000 },
    { ...RESTRICTED, runAsNonRoot: true, runAsUser: 1000 },
  ],
  [{ capabilities: { add: ['CHOWN'] } }, { ...RESTRICTED, capabilities: { add: ['CHOWN'], drop: ['ALL'] } }],
  [{ capabilities: { drop: [] } }, { ...RESTRICTED, capabilities: { drop: [] } }],
  [{ privileged: true }, { privileged: true }],
])('securityContext %j opts in or out', (given, expected) => {
  expect(podSpec(spec({ securityContext: given }), OPTIONS).containers[0]?.securityContext).toEqual(expected);
});

describe('podTemplate', () => {
  const pod = (given: Record<string, unknown>, template: Record<string, unknown>) =>
    podSpec(spec({ ...given, podTemplate: { spec: template } }), OPTIONS);

  it('adds what the spec does not say', () => {
    const template = {
      serviceAccountName: 'app',
      tolerations: [{ key: 'gpu', operator: 'Exists' }],
      volumes: [{ name: 'scratch', emptyDir: {} }],
      initContainers: [{ name: 'prepare', image: 'busybox' }],
      containers: [{ name: 'main', envFrom: [{ secretRef: { name: 'app' } }], env: [{ name: 'EXTRA', value: 'x' }] }],
    };
    const made = pod({ configMaps: ['app'] }, template);
    expect(made).toMatchObject({
      ...template,
      containers: [{ name: 'main', image: 'busybox:latest' }],
      volumes: [{ name: 'config-app' }, { name: 'scratch' }],
    });
    expect(made.containers[0]).toMatchObject({ envFrom: [{ secretRef: { name: 'app' } }] });
    expect(made.containers[0]?.env?.map(({ name }) => name)).toEqual([...OURS.map(({ name }) => name), 'EXTRA']);
  });

  it('yields to what the spec says, and wins over what is the default', () => {
    const template = {
      securityContext: { fsGroup: 5, seccompProfile: { type: 'Unconfined' } },
      containers: [
        {
          name: 'main',
          image: 'other',
          securityContext: { runAsUser: 1, allowPrivilegeEscalation: true, capabilities: { drop: ['NET_RAW'] } },
        },
      ],
    };
    const { securityContext, containers } = pod({ securityContext: { runAsUser: 2 } }, template);
    expect(securityContext).toEqual({ fsGroup: 5, seccompProfile: { type: 'Unconfined' } });
    expect(containers[0]).toMatchObject({
      image: 'busybox:latest',
      securityContext: { runAsUser: 2, allowPrivilegeEscalation: true, capabilities: { drop: ['NET_RAW'] } },
    });
  });

  it('tells the grace that is not in the spec', () => {
    const podTemplate = { spec: { terminationGracePeriodSeconds: 90 } };
    expect(graceSecondsOf(spec({ podTemplate }))).toBe(90);
    expect(graceSecondsOf(spec({ podTemplate, terminationGracePeriod: '5s' }))).toBe(5);
    expect(graceSecondsOf(spec({}))).toBe(30);
  });

  it.each([
    [{ restartPolicy: 'Always' }, 'podTemplate.spec.restartPolicy: is not yours to set here'],
    [{ containers: [{}] }, 'podTemplate.spec.containers.0.name: is required'],
    [{ containers: [{ name: 'a' }, { name: 'a' }] }, 'podTemplate.spec.containers: there are two containers named a'],
    [
      { initContainers: [{ name: 'a', env: [{ name: 'HIGHLANDER_TENANT' }] }] },
      'podTemplate.spec.initContainers: container a: HIGHLANDER_TENANT is set by the operator',
    ],
  ])('%j is refused', (template, message) => {
    expect(() => checkedSpec(processSpec, { image: 'a', podTemplate: { spec: template } })).toThrow(message);
  });

  it('has no place for a command beside a script', () => {
    const podTemplate = { spec: { containers: [{ name: 'main', args: ['x'] }] } };
    expect(() => spec({ script: { commands: ['a'] }, podTemplate })).toThrow('script excludes command and args');
  });
});

it('names volumes so that sidecars can mount them, and stays within the limits of a volume', () => {
  expect(volumeName('config', 'app')).toBe('config-app');
  expect(volumeName('config', 'kube-root-ca.crt')).toMatch(/^config-kube-root-ca-crt-[0-9a-f]{8}$/);
  expect(volumeName('config', 'a.b')).not.toBe(volumeName('config', 'a-b'));
  expect(volumeName('secret', 'x'.repeat(200)).length).toBeLessThanOrEqual(63);
});
