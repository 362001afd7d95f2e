/** Specs of all kinds, each with one thing changed: what people write, and what they get wrong. */
import { stringifyYaml } from '../../config/yaml.ts';

export interface Input {
  readonly group: string;
  readonly name: string;
  readonly text: string;
  /** The cluster takes it, but its pod could never start: `validate` refuses more. */
  readonly neverRuns?: true;
}

type Spec = Readonly<Record<string, unknown>>;
type Change = (spec: Spec) => Spec;

const BASES: Readonly<Record<string, Spec>> = {
  WorkloadProcess: { image: 'busybox:latest', command: ['sleep', '1000'], terminationGracePeriod: '5s' },
  WorkloadCronJob: { image: 'busybox:latest', schedule: '*/5 * * * *', script: { commands: ['date'] } },
  WorkloadService: { image: 'nginx:1.27', ports: [{ name: 'http', containerPort: 80 }], healthCheckPath: '/' },
  WorkloadPersistent: {
    image: 'postgres:16',
    ports: [{ name: 'pg', containerPort: 5432 }],
    persistentVolumes: [{ name: 'data', mountPath: '/data', size: '1Gi' }],
  },
};

const set =
  (more: Spec): Change =>
  (spec) => ({ ...spec, ...more });
const pod = (spec: Spec): Change => set({ podTemplate: { spec } });
const main = (more: Spec): Change => pod({ containers: [{ name: 'main', ...more }] });
const without =
  (field: string): Change =>
  (spec) =>
    Object.fromEntries(Object.entries(spec).filter(([key]) => key !== field));
const values = (field: string, ...all: readonly unknown[]): readonly (readonly [string, Change])[] =>
  all.map((value) => [`${field}: ${JSON.stringify(value)?.slice(0, 60)}`, set({ [field]: value })]);

const SHARED: readonly (readonly [string, Change])[] = [
  ['as it is', (spec) => spec],
  ['no image', without('image')],
  ['a field that there is not', set({ imagee: 'x' })],
  ...values('image', '', ' ', 'a b', 7, null, 'registry:5000/a/b@sha256:0123', 'x'.repeat(1025)),
  ...values('imagePullPolicy', 'Always', 'always', null, ''),
  ...values('command', [], ['a', 1], 'sleep', null, ['']),
  ...values('script', { commands: [] }, { commands: ['a'], shell: '/bin/bash -x' }, { commands: ['a'], shel: 'b' }, {}),
  ['script and command', set({ script: { commands: ['a'] }, command: ['b'] })],
  ...values(
    'env',
    { A: 1 },
    { A: true },
    { A: null },
    { A: '' },
    {},
    { 'a.b-c': 'x' },
    { 'A=B': 'x' },
    { '': 'x' },
    { Ä: 'x' },
  ),
  ...values('env', { HIGHLANDER_TENANT: 'x' }, { A: '$(B)', B: 'x' }, { 'A B': 'x' }, { '1A': 'x' }, ['A=B']),
  ...values(
    'resources',
    { cpuRequest: '100m' },
    { cpuRequest: 1 },
    { cpuRequest: 0.5 },
    { cpuRequest: '1', cpuLimit: '500m' },
  ),
  ...values(
    'resources',
    { memoryLimit: '1024Mi' },
    { memoryLimit: '1gb' },
    { memoryLimit: '-1' },
    { memoryLimit: '1e3' },
    {},
  ),
  ...values(
    'resources',
    { cpuRequest: '0.1' },
    { cpuRequest: '.5' },
    { cpuRequest: '1.' },
    { memoryRequest: '1E' },
    { memoryRequest: '' },
  ),
  ...values(
    'resources',
    { cpuRequest: '1_000' },
    { cpuRequest: ' 1' },
    { memoryRequest: '12345678901234567890' },
    { memory: '1Gi' },
  ),
  ...values(
    'labels',
    { team: 'data' },
    { team: '' },
    { team: 'a b' },
    { 'a/b/c': 'x' },
    { team: 1 },
    { '-a': 'x' },
    { a: 'x'.repeat(64) },
  ),
  ...values(
    'labels',
    { 'example.com/team': 'x' },
    { 'Example.com/team': 'x' },
    { '': 'x' },
    { 'highlander.plexobject.io/tenant': 'other' },
  ),
  ...values(
    'annotations',
    { a: 'any text\n' },
    { 'a b': 'x' },
    { 'Example.com/A': 'x' },
    { a: 1 },
    { [`${'a'.repeat(64)}`]: 'x' },
  ),
  ...values('nodeSelector', { disk: 'ssd' }, { disk: 'a b' }, { 'a b': 'c' }, { disk: true }),
  ...values('configMaps', ['app'], ['kube-root-ca.crt'], ['App'], ['a', 'a'], ['x'.repeat(200)], [''], 'app', ['a_b']),
  ...values('secrets', ['db'], ['a..b'], ['x'.repeat(254)], [1]),
  ...values('terminationGracePeriod', '30s', 30, '1h30m', '5x', -1, '1.5s', '', 'PT5S', true, '0', null),
  ...values('suspend', true, 'true', null, 1),
  ...values(
    'securityContext',
    { runAsUser: 0 },
    { runAsUser: -1 },
    { privileged: true },
    { capabilities: { drop: ['ALL'] } },
  ),
  ...values(
    'securityContext',
    { runAsUser: '1000' },
    { capabilities: { add: [''] } },
    { privileged: true, allowPrivilegeEscalation: false },
  ),
  ...values('securityContext', { seccompProfile: {} }, { runAsUser: 4294967296 }, { runAsNonRoot: true, runAsUser: 0 }),
  ...values(
    'sidecars',
    [{ name: 'log', image: 'busybox' }],
    [{ name: 'main', image: 'b' }],
    [{ name: 'log' }],
    [{ image: 'b' }],
  ),
  ...values(
    'sidecars',
    [{ name: 'Log', image: 'b' }],
    [{ name: 'a', image: 'b', volumeMounts: [{ name: 'nowhere', mountPath: '/a' }] }],
  ),
  [
    'two sidecars of one name',
    set({
      sidecars: [
        { name: 'a', image: 'b' },
        { name: 'a', image: 'b' },
      ],
    }),
  ],
  [
    'a sidecar that mounts a ConfigMap with dots',
    set({
      configMaps: ['kube-root-ca.crt'],
      sidecars: [{ name: 'a', image: 'b', volumeMounts: [{ name: 'config-kube-root-ca.crt', mountPath: '/a' }] }],
    }),
  ],
  [
    'a sidecar that mounts two at one place',
    set({
      configMaps: ['a', 'b'],
      sidecars: [
        {
          name: 'x',
          image: 'b',
          volumeMounts: [
            { name: 'config-a', mountPath: '/a' },
            { name: 'config-b', mountPath: '/a' },
          ],
        },
      ],
    }),
  ],
  ['podTemplate.restartPolicy', pod({ restartPolicy: 'Always' })],
  ['podTemplate.nodeName', pod({ nodeName: 'n' })],
  ['a container without image', pod({ containers: [{ name: 'extra' }] })],
  ['a container with image', pod({ containers: [{ name: 'extra', image: 'busybox' }] })],
  ['an init container without image', pod({ initContainers: [{ name: 'extra' }] })],
  [
    'two containers of one name',
    pod({
      containers: [
        { name: 'a', image: 'b' },
        { name: 'a', image: 'b' },
      ],
    }),
  ],
  ['a mount of no volume', main({ volumeMounts: [{ name: 'x', mountPath: '/x' }] })],
  [
    'a volume and its mount',
    pod({
      containers: [{ name: 'main', volumeMounts: [{ name: 'x', mountPath: '/x' }] }],
      volumes: [{ name: 'x', emptyDir: {} }],
    }),
  ],
  ['an octal mode', pod({ volumes: [{ name: 'x', secret: { secretName: 's', defaultMode: 0o400 } }] })],
  ['tolerations', pod({ tolerations: [{ key: 'gpu', operator: 'Exists' }] })],
  ['a grace in the template', pod({ terminationGracePeriodSeconds: 90 })],
  ['a probe of the template', main({ livenessProbe: { exec: { command: ['true'] } } })],
  [
    'variables from a secret',
    main({
      envFrom: [{ secretRef: { name: 's' } }],
      env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
    }),
  ],
  ['a reserved variable in the template', main({ env: [{ name: 'HIGHLANDER_CLUSTER', value: 'x' }] })],
  ...(
    [
      { tolerationz: [] },
      { tolerations: [{ keyy: 'gpu', operator: 'Exists' }] },
      { tolerations: {} },
      { affinity: { nodeAffinity: { requiredDuringScheduling: {} } } },
      { volumes: [{ name: 'x', emptydir: {} }] },
      { volumes: [{ name: 'x', emptyDir: { sizeLimit: '1Gi', medium: 7 } }] },
      { hostNetwork: 'yes' },
      { terminationGracePeriodSeconds: '30' },
      { securityContext: { runAsUser: '1000' } },
      { securityContext: { fsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' } } },
      { dnsConfig: { options: [{ name: 'ndots', value: '2' }], searchs: [] } },
      { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }] },
      { imagePullSecrets: ['regcred'] },
      { nodeSelector: { disk: true } },
      { priorityClass: 'high' },
    ] as const
  ).map((spec): readonly [string, Change] => [`podTemplate ${JSON.stringify(spec)}`, pod(spec)]),
  ...(
    [
      { readinessprobe: {} },
      { livenessProbe: { httpGet: { path: '/', port: 'http', schema: 'HTTPS' } } },
      { livenessProbe: { tcpSocket: { port: 80 }, periodSeconds: '10' } },
      { lifecycle: { prestop: {} } },
      { lifecycle: { preStop: { sleep: { seconds: 5 } } } },
      { envFrom: [{ secretRef: 's' }] },
      { env: [{ name: 'X', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] },
      { env: [{ name: 'X', valueFrom: { fieldRef: { path: 'status.podIP' } } }] },
      { env: [{ name: 'X', value: 1 }] },
      { resources: { requests: { cpu: 0.5, memory: '64Mi' }, limit: {} } },
      { resources: { requests: { cpu: 0.5, 'example.com/gpu': 1 }, limits: { 'example.com/gpu': 1 } } },
      { stdin: 'true' },
      { securityContext: { capabilities: { add: 'NET_ADMIN' } } },
      { workingDir: '/app', tty: true },
    ] as const
  ).map((spec): readonly [string, Change] => [`main of podTemplate ${JSON.stringify(spec)}`, main(spec)]),
  ['metadata of the pod', set({ podTemplate: { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } } } })],
  ['a wrong label of the pod', set({ podTemplate: { metadata: { labels: { a: 'b c' } } } })],
  ['unknown metadata of the pod', set({ podTemplate: { metadata: { name: 'x' } } })],
  [
    'a command and a script of the template',
    (spec) => main({ command: ['x'] })(set({ script: { commands: ['a'] } })(without('command')(spec))),
  ],
];

const OWN: Readonly<Record<string, readonly (readonly [string, Change])[]>> = {
  WorkloadProcess: [
    ...values('restartPolicy', 'Always', 'Never', 'always', null),
    ...values('maxRestarts', 0, -1, '3', 2 ** 31),
    ...values('gracePeriod', '5s', '6s'),
    ...values(
      'ports',
      [{ containerPort: 80 }],
      [{ containerPort: 0 }],
      [{ name: 'Web', containerPort: 80 }],
      [{ name: '80', containerPort: 80 }],
    ),
    ...values('schedule', '@daily'),
    ...values('replicas', 0, 1, 2, -1, '1', null),
  ],
  WorkloadCronJob: [
    ['no schedule', without('schedule')],
    ...values(
      'schedule',
      '@daily',
      '@every 1h30m',
      '@every 5x',
      '* * * *',
      '60 * * * *',
      '0 0 31 2 *',
      'TZ=UTC 0 * * * *',
      '* * * * * *',
      '',
      '5-1 * * * *',
      '0 0 * * mon-fri',
      '0 0 * * 7',
      '0 0 L * *',
      '@reboot',
      '1,2,3 */5 ? * *',
    ),
    ...values(
      'timeZone',
      'Europe/Berlin',
      'europe/berlin',
      'Etc/UTC',
      'UTC',
      'utc',
      'US/Eastern',
      'us/eastern',
      'EST5EDT',
      'PST',
      'Local',
      '+01:00',
      'Mars/Phobos',
      '',
      'Asia/Calcutta',
      'Asia/Kolkata',
      'Europe/Kyiv',
      'GMT+0',
      'SystemV/EST5',
      null,
    ),
    ...values('concurrencyPolicy', 'Forbid', 'Allow', 'forbid'),
    ...values('restartPolicy', 'Never', 'Always'),
    ...values('backoffLimit', 0, -1, 1.5),
    ...values('activeDeadlineSeconds', 1, 0),
    ...values('startingDeadlineSeconds', 0, -5, '10'),
    ...values('ttlSecondsAfterFinished', 100, -1),
    ...values('catchUp', 'All', 'all'),
    ...values('parallelism', 4, 0, -1, '4'),
    ...values(
      'jobTemplate',
      { spec: { backoffLimitPerIndx: 1 } },
      { spec: { podFailurePolicy: { rules: [{ action: 'FailJob', onExitCode: {} }] } } },
      { spec: { suspended: true } },
    ),
    ...values('completions', 4, -1),
    ...values('completionMode', 'NonIndexed', 'Indexed', 'indexed'),
    ['an indexed Job', set({ completionMode: 'Indexed', completions: 2, parallelism: 2 })],
    [
      'an indexed Job whose number is in jobTemplate',
      set({ completionMode: 'Indexed', jobTemplate: { spec: { completions: 2 } } }),
    ],
    ...values(
      'podFailurePolicy',
      { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }] },
      'x',
      {},
    ),
    ['a policy for containers that start again', set({ podFailurePolicy: { rules: [] }, restartPolicy: 'OnFailure' })],
  ],
  WorkloadService: [
    ...values('replicas', 0, 3, -1, '1', null),
    ...values('healthCheckPath', '', 'healthz', 7),
    ...values('healthCheckPort', 0, 65_535, 65_536, '80'),
    ...values('readinessTimeout', '90s', 0, 'x'),
    ['no ports', without('ports')],
    ...values(
      'ports',
      [],
      [
        { name: 'a', containerPort: 80 },
        { name: 'a', containerPort: 81 },
      ],
      [{ containerPort: 80 }, { containerPort: 80 }],
    ),
    ...values(
      'ports',
      [{ containerPort: 80, protocol: 'udp' }],
      [{ containerPort: 80, servicePort: 8080, hostPort: 1 }],
      [{ containerPort: 53 }, { containerPort: 53, protocol: 'UDP' }],
    ),
    ...values(
      'ports',
      [{ name: 'a--b', containerPort: 80 }],
      [{ name: '123', containerPort: 80 }],
      [{ name: 'a-name-that-is-too-long', containerPort: 80 }],
    ),
    ...values(
      'serviceTemplate',
      { spec: { type: 'LoadBalancer' } },
      { spec: { selector: {} } },
      { spec: { type: 'ExternalName' } },
      { metadata: { annotations: { a: 'b' } } },
      { spec: { ports: [{ port: 80, appProtocol: 'http' }] } },
      { spec: { ports: [{ port: 80, targetport: 8080 }] } },
      { spec: { typ: 'NodePort' } },
      { spec: { publishNotReadyAddresses: 'true' } },
    ),
    ...values(
      'deploymentTemplate',
      { spec: { minReadySeconds: 10 } },
      { spec: { replicas: 2 } },
      { spec: { strategy: { type: 'RollingUpdate' } } },
      { spec: { minReadySecond: 10 } },
      { spec: { minReadySeconds: true } },
    ),
    [
      'a strategy of several',
      set({
        replicas: 3,
        deploymentTemplate: { spec: { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } } },
      }),
    ],
  ],
  WorkloadPersistent: [
    ...values('replicas', 0, 3, -1),
    ...values('serviceName', 'nodes', 'Nodes', '1a', ''),
    ...values('podManagementPolicy', 'Parallel', 'parallel'),
    ...values('persistentVolumeClaimRetentionPolicy', { whenDeleted: 'Delete' }, { whenDeleted: 'delete' }, {}),
    ...values(
      'persistentVolumes',
      [],
      [{ name: 'data', mountPath: '/d', size: '1024Mi' }],
      [{ name: 'data', mountPath: '/d' }],
      [{ name: 'data', mountPath: '/d', size: 0 }],
      [{ name: 'data', mountPath: '/d', size: 1 }],
      [{ name: 'data', mountPath: '/d', size: '-1Gi' }],
    ),
    ...values(
      'persistentVolumes',
      [
        { name: 'data', mountPath: '/a', size: '1' },
        { name: 'data', mountPath: '/b', size: '1' },
      ],
      [
        { name: 'a', mountPath: '/a', size: '1' },
        { name: 'b', mountPath: '/a', size: '1' },
      ],
      [{ name: 'Data', mountPath: '/d', size: '1' }],
    ),
    ...values(
      'persistentVolumes',
      [{ name: 'data', mountPath: 'd:e', size: '1' }],
      [{ name: 'data', mountPath: '/d', size: '1', accessMode: 'RWO' }],
      [{ name: 'data', mountPath: '/d', size: '1', storageClassName: 'Fast_SSD' }],
    ),
    ...values('serviceTemplate', { spec: { type: 'LoadBalancer' } }, { spec: { type: 'NodePort' } }),
    ...values('serviceType', 'LoadBalancer', 'NodePort', 'ClusterIP', 'ExternalName', 'loadbalancer', null),
    ...values('serviceAnnotations', { a: 'b' }, { a: 1 }, { 'a b': 'c' }),
    ...values(
      'updateStrategy',
      { type: 'OnDelete' },
      { type: 'Recreate' },
      { rollingUpdate: { partition: 1 } },
      {},
      'OnDelete',
    ),
    ...values(
      'persistentVolumes',
      [{ name: 'data', mountPath: '/d', size: '1Gi', labels: { backup: 'yes' }, volumeMode: 'Filesystem' }],
      [{ name: 'data', mountPath: '/dev/x', size: '1Gi', volumeMode: 'Block' }],
      [{ name: 'data', mountPath: '/d', size: '1Gi', volumeMode: 'block' }],
      [{ name: 'data', mountPath: '/d', size: '1Gi', labels: { backup: true } }],
    ),
    ...values(
      'statefulSetTemplate',
      { spec: { updateStrategy: { type: 'OnDelete' } } },
      { spec: { serviceName: 'x' } },
      { spec: { minReadySeconds: 5, revisionHistoryLimit: 2 } },
      { spec: { minReadySecond: 5 } },
      { spec: { minReadySeconds: '5' } },
      { spec: { updateStrategy: { kind: 'OnDelete' } } },
    ),
    ...values(
      'volumeClaimTemplates',
      [{ metadata: { name: 'data', labels: { backup: 'yes' } }, spec: { volumeMode: 'Filesystem' } }],
      [{ spec: {} }],
      [{ metadata: { name: 'data' }, spec: { volumeMod: 'Filesystem' } }],
    ),
  ],
};

const NAMES = [
  'a',
  'a-1',
  'A',
  '-a',
  'a-',
  'a.b',
  'a_b',
  '1a',
  'x'.repeat(52),
  'x'.repeat(53),
  'x'.repeat(63),
  'x'.repeat(64),
  '',
  7,
  null,
];

const METADATA: readonly Spec[] = [
  { labels: { a: 'b' } },
  { labels: { a: 1 } },
  { labels: { 'a b': 'c' } },
  { labels: { a: 'b c' } },
  { annotations: { a: true } },
  { annotations: { 'a b': 'c' } },
  { annotations: { a: 'b' } },
  { naem: 'x' },
  { finalizers: ['a'] },
  { namespace: 'shop' },
];

/** Every base with every change. */
export function mutations(): readonly Input[] {
  return Object.entries(BASES).flatMap(([kind, base]) => [
    ...[...SHARED, ...(OWN[kind] ?? [])].map(([name, change]) => input(kind, name, { spec: change(base) })),
    ...NAMES.map((name) =>
      input(kind, `name ${String(name).slice(0, 20)} (${String(name).length})`, { metadata: { name }, spec: base }),
    ),
    ...METADATA.map((more) =>
      input(kind, `metadata ${JSON.stringify(more)}`, { metadata: { name: 'app', ...more }, spec: base }),
    ),
    ...[{ spec: null }, { spec: [] }, { spec: 'x' }, { spec: base, status: {} }, { spec: base, extra: 1 }].map((more) =>
      input(kind, `object ${Object.keys(more).join(' ')} ${typeof more.spec}`, more),
    ),
  ]);
}

function input(kind: string, name: string, more: object): Input {
  const object = { apiVersion: 'highlander.plexobject.io/v1', kind, metadata: { name: 'app' }, ...more };
  return { group: kind, name, text: stringifyYaml(object) };
}
