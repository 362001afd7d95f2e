import { describe, expect, it } from 'vitest';
import { processSpec } from '../api/process.ts';
import { checkedSpec } from '../api/spec.ts';
import { graceSecondsOf, podSpec } from './pod-template.ts';
import { volumeName } from './pod-volumes.ts';
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

it('takes nothing from a container that a plain Deployment would give it', () => {
  const { securityContext, containers } = podSpec(spec({ sidecars: [{ name: 'log', image: 'busybox' }] }), OPTIONS);
  expect([securityContext, ...containers.map((each) => each.securityContext)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  const given = spec({ securityContext: { runAsUser: 1000, capabilities: { drop: ['NET_RAW'] } } });
  expect(podSpec(given, OPTIONS).containers[0]?.securityContext).toEqual({
    runAsUser: 1000,
    capabilities: { drop: ['NET_RAW'] },
  });
});

describe('with restricted defaults', () => {
  const restricted = { ...OPTIONS, podDefaults: 'restricted' } as const;

  it.each([
    [{}, RESTRICTED],
    [
      { runAsNonRoot: false, runAsUser: 1000 },
      { ...RESTRICTED, runAsNonRoot: false, runAsUser: 1000 },
    ],
    [{ capabilities: { add: ['CHOWN'] } }, { ...RESTRICTED, capabilities: { add: ['CHOWN'], drop: ['ALL'] } }],
    [{ capabilities: { drop: [] } }, { ...RESTRICTED, capabilities: { drop: [] } }],
    [{ privileged: true }, { privileged: true }],
  ])('securityContext %j opts in or out', (given, expected) => {
    const { securityContext, containers } = podSpec(spec({ securityContext: given }), restricted);
    expect(securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(containers[0]?.securityContext).toEqual(expected);
  });

  it.each([{ os: { name: 'windows' } }, { nodeSelector: { 'kubernetes.io/os': 'windows' } }])(
    'a pod for Windows (%j) gets nothing that only Linux has',
    (template) => {
      const { securityContext, containers } = podSpec(spec({ podTemplate: { spec: template } }), restricted);
      expect(securityContext).toEqual({ runAsNonRoot: true });
      expect(containers[0]?.securityContext).toBeUndefined();
    },
  );
});

describe('variables', () => {
  const names = (given: Record<string, unknown>) =>
    podSpec(spec(given), OPTIONS).containers[0]?.env?.map(({ name }) => name);

  it('come after those that they refer to, whatever is in the spec or in the template', () => {
    const env = {
      A_URL: 'amqp://$(B_USER):$(PASSWORD)@$(C_HOST)/$(HIGHLANDER_TENANT)',
      B_USER: 'worker',
      C_HOST: '$(D_NAME).svc',
      D_NAME: 'rabbit',
      E_TEXT: '$$(Z_LAST) $(NOWHERE)',
      Z_LAST: 'z',
    };
    const containers = [{ name: 'main', env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: {} } }] }];
    expect(names({ env, podTemplate: { spec: { containers } } })).toEqual([
      'B_USER',
      'PASSWORD',
      'D_NAME',
      'C_HOST',
      'HIGHLANDER_TENANT',
      'A_URL',
      'E_TEXT',
      'HIGHLANDER_CLUSTER',
      'HIGHLANDER_FENCING_TOKEN',
      'Z_LAST',
    ]);
  });

  it('that refer to each other in a circle are all there', () => {
    expect(names({ env: { A: '$(B)', B: '$(C)', C: '$(A)', D: '$(D)' } })).toHaveLength(7);
  });

  it('may refer to each other in a long chain', () => {
    const env = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`V${n}`, `$(V${n + 1})`]));
    const order = names({ env }) ?? [];
    expect(order.indexOf('V19999')).toBeLessThan(order.indexOf('V19998'));
    expect(order.indexOf('V1')).toBeLessThan(order.indexOf('V0'));
  });

  it('of the spec have one source, whatever the template says', () => {
    const containers = [
      { name: 'main', env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] },
    ];
    const [main] = podSpec(spec({ env: { A: 'x' }, podTemplate: { spec: { containers } } }), OPTIONS).containers;
    expect(main?.env?.[0]).toEqual({ name: 'A', value: 'x' });
  });
});

describe('a probe', () => {
  const ours = { httpGet: { path: '/healthz', port: 80 }, periodSeconds: 10, failureThreshold: 3 };
  const liveness = (probe: object | undefined) => {
    const containers = [{ name: 'main', ...(probe && { livenessProbe: probe }) }];
    const options = { ...OPTIONS, main: { livenessProbe: ours } };
    return podSpec(spec({ podTemplate: { spec: { containers } } }), options).containers[0]?.livenessProbe;
  };

  it('of the template wins over the one made of healthCheckPath', () => {
    const theirs = { exec: { command: ['cat', '/tmp/alive'] }, initialDelaySeconds: 20 };
    expect(liveness(theirs)).toEqual(theirs);
  });

  it('of the template without a handler is about the health check', () => {
    expect(liveness({ periodSeconds: 60 })).toEqual({ ...ours, periodSeconds: 60 });
    expect(liveness(undefined)).toEqual(ours);
  });
});

it('mounts volumes of a sidecar under the names that listed objects have', () => {
  const long = 'x'.repeat(100);
  const volumeMounts = ['config-kube-root-ca.crt', `secret-${long}`, 'config-app'].map((name) => ({
    name,
    mountPath: `/${name}`,
  }));
  const given = spec({
    configMaps: ['kube-root-ca.crt', 'app'],
    secrets: [long],
    sidecars: [{ name: 'log', image: 'busybox', volumeMounts }],
    podTemplate: { spec: { containers: [{ name: 'other', image: 'busybox', volumeMounts }] } },
  });
  const { containers, volumes } = podSpec(given, OPTIONS);
  const there = new Set(volumes?.map(({ name }) => name));
  for (const container of containers.slice(1)) {
    expect(container.volumeMounts).toHaveLength(3);
    expect(container.volumeMounts?.filter(({ name }) => !there.has(name))).toEqual([]);
  }
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
    const { securityContext, containers } = podSpec(
      spec({ securityContext: { runAsUser: 2 }, podTemplate: { spec: template } }),
      { ...OPTIONS, podDefaults: 'restricted' },
    );
    expect(securityContext).toEqual({ runAsNonRoot: true, fsGroup: 5, seccompProfile: { type: 'Unconfined' } });
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
    [{ restartPolicy: 'Always' }, 'podTemplate.spec.restartPolicy is managed by the operator and cannot be set here'],
    [{ containers: [{}] }, 'podTemplate.spec.containers.0.name is required'],
    [
      { containers: [{ name: 'a' }, { name: 'a' }] },
      'podTemplate.spec.containers: container name a is specified twice',
    ],
    [
      { initContainers: [{ name: 'a', env: [{ name: 'HIGHLANDER_TENANT' }] }] },
      'podTemplate.spec.initContainers: container a: HIGHLANDER_TENANT is set by the operator',
    ],
  ])('%j is refused', (template, message) => {
    expect(() => checkedSpec(processSpec, { image: 'a', podTemplate: { spec: template } })).toThrow(message);
  });

  it('has no place for a command beside a script', () => {
    const podTemplate = { spec: { containers: [{ name: 'main', args: ['x'] }] } };
    expect(() => spec({ script: { commands: ['a'] }, podTemplate })).toThrow(
      'script is mutually exclusive with command and args',
    );
  });
});

it('names volumes so that sidecars can mount them, and stays within the limits of a volume', () => {
  expect(volumeName('config', 'app')).toBe('config-app');
  expect(volumeName('config', 'kube-root-ca.crt')).toMatch(/^config-kube-root-ca-crt-[0-9a-f]{8}$/);
  expect(volumeName('config', 'a.b')).not.toBe(volumeName('config', 'a-b'));
  expect(volumeName('secret', 'x'.repeat(200)).length).toBeLessThanOrEqual(63);
});
