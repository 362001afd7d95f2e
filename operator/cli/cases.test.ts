/** Inputs that people met with in the world, and what `validate` and `render` make of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pod } from '../api/kubernetes.ts';
import { render } from './render.ts';
import { validate } from './validate.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'highlander-cases-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function capture(text: string, act: typeof validate) {
  const path = join(folder, 'case.yaml');
  writeFileSync(path, text);
  let [stdout, stderr] = ['', ''];
  const code = act([path], { out: (more) => void (stdout += more), err: (more) => void (stderr += more) });
  return { code, stdout, stderr: stderr.replaceAll(`${folder}/`, '').trimEnd() };
}

const problems = (text: string): string => capture(text, validate).stderr;

function rendered(text: string): readonly { readonly kind: string; readonly spec: unknown }[] {
  const options = { output: 'json', clusterName: 'east', namespace: 'default' } as const;
  const { code, stdout, stderr } = capture(text, (paths, streams) => render({ ...options, paths }, streams));
  if (code !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as { items: { kind: string; spec: unknown }[] }).items;
}

/** Of a process. */
function podOf(text: string): Pod['spec'] {
  const [child] = rendered(text);
  if (child?.kind !== 'Pod') throw new Error('no pod');
  return child.spec as Pod['spec'];
}

const workload = (kind: string, spec: string) =>
  `apiVersion: highlander.plexobject.io/v1\nkind: ${kind}\nmetadata: {name: app, namespace: shop}\nspec:\n  image: alpine:3.20\n${spec}`;

describe('YAML 1.1', () => {
  it('an octal mode is octal, in workloads and in those of the configuration file', () => {
    const volumes = 'volumes: [{name: ssh, secret: {secretName: deploy-key, defaultMode: 0400}}]';
    const entry = `{name: git-sync, image: alpine, podTemplate: {spec: {${volumes}}}}`;
    for (const text of [
      workload('WorkloadProcess', `  podTemplate: {spec: {${volumes}}}\n`),
      `redis: {addr: "redis:6379"}\nworkloads: {processes: [${entry}]}\n`,
    ])
      expect(podOf(text).volumes).toMatchObject([{ secret: { defaultMode: 256 } }]);
  });

  it('yes is a boolean where one is asked for', () => {
    expect(problems(workload('WorkloadProcess', '  suspend: yes\n'))).toBe('');
    expect(rendered(workload('WorkloadService', '  suspend: on\n'))[0]?.spec).toMatchObject({ replicas: 0 });
  });

  it('NO, on and y are no texts', () => {
    const found = problems(workload('WorkloadProcess', '  env:\n    COUNTRY: NO\n    FEATURE_X: on\n    VERBOSE: y\n'));
    const fix = 'must be a string, but YAML reads it as a boolean: put it in quotes';
    expect(found.split('\n')).toEqual([
      `case.yaml:7:14: spec.env.COUNTRY ${fix}`,
      `case.yaml:8:16: spec.env.FEATURE_X ${fix}`,
      `case.yaml:9:14: spec.env.VERBOSE ${fix}`,
    ]);
  });

  it('an anchor stands for its value', () => {
    const env = '  env: &env {A: x}\n  sidecars: [{name: log, image: busybox, env: {<<: *env, B: z}}]\n';
    expect(podOf(workload('WorkloadProcess', env)).initContainers?.[0]?.env).toEqual(
      expect.arrayContaining([
        { name: 'A', value: 'x' },
        { name: 'B', value: 'z' },
      ]),
    );
  });

  it('a key that is given twice is a warning: the cluster takes the later one', () => {
    const { code, stderr } = capture(workload('WorkloadProcess', '  image: busybox\n'), validate);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'case.yaml:6:3: warning: "image" is specified twice: the later value is used',
    });
  });
});

describe('objects in lists', () => {
  const item = (name: string, more = '') => `{${more}metadata: {name: ${name}}, spec: {image: alpine, suspnd: true}}`;
  const head = 'apiVersion: highlander.plexobject.io/v1, kind: WorkloadProcess, ';
  it.each([
    ['a List', `apiVersion: v1\nkind: List\nitems:\n- ${item('a', head)}\n- ${item('b', head)}\n`],
    [
      'a list of one kind, whose items need not name it',
      `apiVersion: highlander.plexobject.io/v1\nkind: WorkloadProcessList\nitems:\n- ${item('a')}\n- ${item('b')}\n`,
    ],
    [
      'a List in a List',
      `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List, items: [${item('a', head)}]}\n- ${item('b', head)}\n`,
    ],
  ])('%s', (_, text) => {
    const lines = problems(text).split('\n').slice(0, 2);
    expect(lines).toEqual([
      expect.stringMatching(/^case\.yaml:4:\d+: spec\.suspnd: true is not a known field/) as string,
      expect.stringMatching(/^case\.yaml:5:\d+: spec\.suspnd: true is not a known field/) as string,
    ]);
  });
});

describe('what can be stored, but never run', () => {
  it.each([
    ['  script: {commands: ["X"]}\n', ' is longer than 131071 bytes'],
    ['  args: [a, "X"]\n', ' is longer than 131071 bytes'],
    ['  env: {A: "X"}\n', 'spec.env.A is longer than 131071 bytes with its name'],
  ])('%s', (spec, finding) => {
    const found = problems(workload('WorkloadProcess', spec.replace('X', 'x'.repeat(131_072))));
    expect(found).toContain(finding);
    expect(found.startsWith('case.yaml:6:')).toBe(true);
    expect(found.length).toBeLessThan(500);
  });
});

it('a claim on a raw device is one in the container, too', () => {
  const volumes =
    '{name: data, mountPath: /data, size: 1Gi}, {name: raw, mountPath: /dev/raw, size: 1Gi, volumeMode: Block}';
  const children = rendered(workload('WorkloadPersistent', `  persistentVolumes: [${volumes}]\n`));
  const set = children.find(({ kind }) => kind === 'StatefulSet');
  expect(set?.spec).toMatchObject({
    volumeClaimTemplates: [
      { metadata: { name: 'data' } },
      { metadata: { name: 'raw' }, spec: { volumeMode: 'Block' } },
    ],
    template: {
      spec: {
        containers: [
          {
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
            volumeDevices: [{ name: 'raw', devicePath: '/dev/raw' }],
          },
        ],
      },
    },
  });
});

describe('safe-to-evict', () => {
  const note = { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' };

  it.each([
    ['WorkloadProcess', '', []],
    ['WorkloadService', '', ['template']],
    ['WorkloadPersistent', '', ['template']],
    ['WorkloadCronJob', '  schedule: "@daily"\n', ['jobTemplate', 'spec', 'template']],
  ])('of %s reaches the pods by annotations and by podTemplate', (kind, more, path) => {
    const notes = `annotations: ${JSON.stringify(note)}`;
    for (const given of [notes, `podTemplate: {metadata: {${notes}}}`]) {
      const children = rendered(workload(kind, `${more}  ${given}\n`));
      const child = children.find((each) => each.kind !== 'Service');
      const inner = path.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], child?.spec);
      expect(path.length === 0 ? child : inner).toMatchObject({ metadata: { annotations: note } });
    }
  });
});

it.each(['9Ei', '10Ei', '1E3', '1n'])('an amount of %s is one', (amount) => {
  expect(problems(workload('WorkloadProcess', `  resources: {memoryRequest: ${amount}}\n`))).toBe('');
});

it.each(['-1', '30.5'])('a grace of %s in podTemplate is none', (seconds) => {
  const spec = `  podTemplate: {spec: {terminationGracePeriodSeconds: ${seconds}}}\n`;
  expect(problems(workload('WorkloadProcess', spec))).toContain('terminationGracePeriodSeconds: ');
});

it('an empty namespace is that of the context, and annotations have a size together', () => {
  const text = workload('WorkloadProcess', '');
  expect(problems(text.replace('namespace: shop', "namespace: ''"))).toBe('');
  const long = 'v'.repeat(140_000);
  expect(problems(text.replace('namespace: shop', `annotations: {a: ${long}, b: ${long}}`))).toContain(
    'metadata.annotations must not be longer than 262144 bytes together',
  );
});

it('a file in another encoding is refused as such', () => {
  const path = join(folder, 'utf-16.yaml');
  writeFileSync(path, `\ufeff${workload('WorkloadProcess', '')}`, 'utf16le');
  expect(() => validate([path], { out: () => undefined, err: () => undefined })).toThrow(/it is not UTF-8/);
});

it('what the API server refuses in a pod is refused in a template, where it stands', () => {
  const template =
    '{volumes: [{name: a.b}], containers: [{name: log, image: busybox, livenessProbe: {exec: {command: [a]}, tcpSocket: {port: 1}}}]}';
  expect(problems(workload('WorkloadProcess', `  podTemplate: {spec: ${template}}\n`)).split('\n')).toEqual([
    expect.stringMatching(
      /^case\.yaml:6:41: spec\.podTemplate\.spec\.volumes\[0\]\.name: "a\.b" must be at most 63/,
    ) as string,
    'case.yaml:6:104: spec.podTemplate.spec.containers[0].livenessProbe has exec and tcpSocket, of which one alone may be there',
  ]);
});

describe('names that lead nowhere', () => {
  it('a container that is neither main nor has an image', () => {
    const found = problems(workload('WorkloadProcess', '  podTemplate: {spec: {containers: [{name: mian}]}}\n'));
    expect(found).toBe(
      'case.yaml:6:37: spec.podTemplate.spec.containers[0].image is required: in this list only main may leave it out, because the spec specifies their image',
    );
  });

  it('a mount of a volume that there is not', () => {
    const sidecar = '{name: log, image: busybox, volumeMounts: [{name: config-ap, mountPath: /a}]}';
    const found = problems(workload('WorkloadProcess', `  configMaps: [app]\n  sidecars: [${sidecar}]\n`));
    expect(found).toBe(
      'case.yaml:7:64: spec.sidecars[0].volumeMounts[0].name: "config-ap" is not the name of a volume; known volumes: config-app',
    );
  });

  it('a time zone in the wrong case', () => {
    const found = problems(workload('WorkloadCronJob', '  schedule: "0 6 * * *"\n  timeZone: europe/berlin\n'));
    expect(found).toContain('case.yaml:7:13: spec.timeZone: "europe/berlin" is not a time zone');
  });
});
