/** What `kubectl apply` says to wrong input: the field, the value and what to write instead; and that every field is explained. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stage } from './support/stage.ts';

type Case = readonly [kind: string, spec: Readonly<Record<string, unknown>>, words: readonly string[], name?: string];

const SCRIPT = { commands: ['a'] };
const QUANTITY = 'is not a quantity; examples: 250m or 2 for CPU, 64Mi or 1Gi for memory';
const DURATION = 'is not a duration; examples: 30s, 2m30s, or a number of seconds';
const SCHEDULE = 'is not a schedule; examples: */5 * * * *, @daily, @every 1h30m';
const LABEL = 'is not a valid name: use lower-case letters, digits and -';
const ONE_WAY = 'script is mutually exclusive with command and args';

const process: readonly Case[] = [
  ['WorkloadProcess', { image: undefined }, ['spec.image: Required value']],
  ['WorkloadProcess', { image: '' }, ['spec.image', 'is not an image name; example: busybox:1.36']],
  ['WorkloadProcess', { image: 'a b' }, ['spec.image', '"a b"', 'is not an image name; example: busybox:1.36']],
  ['WorkloadProcess', { image: 5 }, ['spec.image', 'must be of type string']],
  ['WorkloadProcess', { script: {} }, ['spec.script.commands: Required value']],
  ['WorkloadProcess', { script: { commands: [] } }, ['spec.script.commands', 'at least 1 items']],
  ['WorkloadProcess', { script: { commands: 'x' } }, ['spec.script.commands', 'must be of type array']],
  ['WorkloadProcess', { script: { ...SCRIPT, shell: 'sh -e' } }, ['spec.script.shell', '"sh -e"', 'without arguments']],
  ['WorkloadProcess', { script: SCRIPT, command: ['b'] }, [ONE_WAY]],
  ['WorkloadProcess', { script: SCRIPT, args: ['b'] }, [ONE_WAY]],
  ['WorkloadProcess', { comand: ['b'] }, ['unknown field "spec.comand"']],
  ['WorkloadProcess', { env: { HIGHLANDER_TENANT: 'x' } }, ['spec.env', 'are set by the operator']],
  ['WorkloadProcess', { env: { A: 1 } }, ['spec.env.A', 'must be of type string']],
  ['WorkloadProcess', { env: ['A=b'] }, ['spec.env', 'must be of type object']],
  ['WorkloadProcess', { resources: { cpuRequest: 'fast' } }, ['spec.resources.cpuRequest', '"fast"', QUANTITY]],
  ['WorkloadProcess', { resources: { memoryLimit: '64MB' } }, ['spec.resources.memoryLimit', '"64MB"', QUANTITY]],
  [
    'WorkloadProcess',
    { resources: { cpuRequest: '2', cpuLimit: '1' } },
    ['spec.resources', 'cpuRequest must not be more than cpuLimit'],
  ],
  [
    'WorkloadProcess',
    { resources: { memoryRequest: '2Gi', memoryLimit: '1Gi' } },
    ['spec.resources', 'memoryRequest must not be more than memoryLimit'],
  ],
  ['WorkloadProcess', { resources: { cpu: '1' } }, ['unknown field "spec.resources.cpu"']],
  ['WorkloadProcess', { restartPolicy: 'Sometimes' }, ['spec.restartPolicy', '"Always", "OnFailure", "Never"']],
  ['WorkloadProcess', { maxRestarts: -1 }, ['spec.maxRestarts', 'greater than or equal to 0']],
  ['WorkloadProcess', { terminationGracePeriod: 'soon' }, ['spec.terminationGracePeriod', '"soon"', DURATION]],
  [
    'WorkloadProcess',
    { gracePeriod: '5s', terminationGracePeriod: '6s' },
    ['gracePeriod is an older name of terminationGracePeriod: specify only one of them'],
  ],
  ['WorkloadProcess', { ports: [{}] }, ['spec.ports[0].containerPort: Required value']],
  [
    'WorkloadProcess',
    { ports: [{ containerPort: 70000 }] },
    ['spec.ports[0].containerPort', 'less than or equal to 65535'],
  ],
  ['WorkloadProcess', { ports: [{ containerPort: 80, name: 'HTTP' }] }, ['spec.ports[0].name', '"HTTP"', LABEL]],
  ['WorkloadProcess', { ports: [{ containerPort: 80, protocol: 'X' }] }, ['protocol', '"TCP", "UDP", "SCTP"']],
  ['WorkloadProcess', { configMaps: ['A_b'] }, ['spec.configMaps[0]', '"A_b"', 'is not a valid object name']],
  ['WorkloadProcess', { secrets: ['a', 'a'] }, ['spec.secrets[1]', 'Duplicate value: "a"']],
  ['WorkloadProcess', { labels: { a: 'b c' } }, ['spec.labels.a', '"b c"']],
  [
    'WorkloadProcess',
    { sidecars: [{ name: 'main', image: 'a' }] },
    ["the name 'main' is reserved for the main container"],
  ],
  ['WorkloadProcess', { sidecars: [{ name: 'a' }] }, ['spec.sidecars[0].image: Required value']],
  ['WorkloadProcess', { imagePullPolicy: 'Ever' }, ['spec.imagePullPolicy', '"IfNotPresent", "Always", "Never"']],
  ['WorkloadProcess', { suspend: 'yes' }, ['spec.suspend', 'must be of type boolean']],
  ['WorkloadProcess', { podTemplate: { spec: 'x' } }, ['spec.podTemplate.spec', 'must be of type object']],
  ['WorkloadProcess', { podTemplate: { spce: {} } }, ['unknown field "spec.podTemplate.spce"']],
  ['WorkloadProcess', { securityContext: { runAsUser: -1 } }, ['runAsUser', 'greater than or equal to 0']],
  ['WorkloadProcess', {}, ['the name must not be longer than 63 characters'], 'a'.repeat(64)],
];

const others: readonly Case[] = [
  ['WorkloadCronJob', { schedule: undefined }, ['spec.schedule: Required value']],
  ['WorkloadCronJob', { schedule: '@sometimes' }, ['spec.schedule', '"@sometimes"', SCHEDULE]],
  ['WorkloadCronJob', { schedule: '* * * *' }, ['spec.schedule', SCHEDULE]],
  [
    'WorkloadCronJob',
    { timeZone: 'Mars Base' },
    ['spec.timeZone', '"Mars Base"', 'is not a time zone; examples: Etc/UTC, Europe/Berlin'],
  ],
  ['WorkloadCronJob', { concurrencyPolicy: 'Maybe' }, ['spec.concurrencyPolicy', '"Forbid", "Replace", "Allow"']],
  ['WorkloadCronJob', { restartPolicy: 'Always' }, ['spec.restartPolicy', '"OnFailure", "Never"']],
  ['WorkloadCronJob', { catchUp: 'Some' }, ['spec.catchUp', '"None", "Last", "All"']],
  ['WorkloadCronJob', { startingDeadlineSeconds: -1 }, ['spec.startingDeadlineSeconds', 'greater than or equal to 0']],
  ['WorkloadCronJob', {}, ['the name must not be longer than 52 characters'], 'a'.repeat(53)],
  ['WorkloadService', { replicas: -1 }, ['spec.replicas', 'greater than or equal to 0']],
  ['WorkloadService', { healthCheckPath: '/x' }, ['healthCheckPath requires healthCheckPort or ports']],
  ['WorkloadService', { readinessTimeout: 'later' }, ['spec.readinessTimeout', '"later"', DURATION]],
  ['WorkloadService', { ports: [{ containerPort: 80 }] }, ['the name is also that of a Service'], '1a'],
  ['WorkloadPersistent', { persistentVolumes: [{ name: 'a' }] }, ['mountPath: Required value', 'size: Required value']],
  [
    'WorkloadPersistent',
    { persistentVolumes: [{ name: 'a', mountPath: '/a', size: 'big' }] },
    ['spec.persistentVolumes[0].size', '"big"', QUANTITY],
  ],
  [
    'WorkloadPersistent',
    { persistentVolumes: [{ name: 'A', mountPath: '/a', size: '1Gi' }] },
    ['spec.persistentVolumes[0].name', '"A"', LABEL],
  ],
  ['WorkloadPersistent', { serviceName: 'A b' }, ['spec.serviceName', '"A b"', LABEL]],
  ['WorkloadPersistent', { podManagementPolicy: 'Random' }, ['"OrderedReady", "Parallel"']],
  [
    'WorkloadPersistent',
    { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Maybe' } },
    ['whenDeleted', '"Retain", "Delete"'],
  ],
];

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open({ store: 'kubernetes' });
}, 600_000);

afterAll(() => stage?.close(), 120_000);

const NEEDED: Readonly<Record<string, object>> = { WorkloadCronJob: { schedule: '@daily' } };

describe('wrong input', () => {
  const cases = [...process, ...others].map(([kind, spec, words, name = 'wrong']) => ({ kind, spec, words, name }));

  it.each(cases)('$kind $spec', async ({ kind, spec, words, name }) => {
    const object = {
      apiVersion: 'highlander.plexobject.io/v1',
      kind,
      metadata: { name, namespace: 'default' },
      spec: { image: 'busybox', ...NEEDED[kind], ...spec },
    };
    const answer = await stage.kube.dryRun(JSON.stringify(object)).catch((error: unknown) => String(error));
    for (const word of words) expect(answer).toContain(word);
  });
});

describe('kubectl explain', () => {
  it.each(['workloadprocess', 'workloadcronjob', 'workloadservice', 'workloadpersistent'])(
    '%s tells of every field what it is',
    async (kind) => {
      const crd = await stage.kube.get<{ spec: { versions: [{ schema: { openAPIV3Schema: Schema } }] } }>(
        'crd',
        `${kind}${kind.endsWith('s') ? 'es' : 's'}.highlander.plexobject.io`,
      );
      const schema = crd?.spec.versions[0].schema.openAPIV3Schema;
      const { spec, status } = schema?.properties ?? {};
      expect([...undescribed(spec, 'spec'), ...undescribed(status, 'status')]).toEqual([]);
      const explained = await stage.kube.run('explain', `${kind}.spec`);
      for (const field of Object.keys(spec?.properties ?? {})) expect(explained).toContain(`  ${field}\t<`);
    },
  );
});

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

function undescribed(schema: Schema | undefined, path: string): readonly string[] {
  if (!schema) return [path];
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
    undescribed(child, `${path}.${name}`),
  );
  const inside = Object.entries(schema.items?.properties ?? {}).flatMap(([name, child]) =>
    undescribed(child, `${path}[].${name}`),
  );
  return [...(schema.description ? [] : [path]), ...below, ...inside];
}
