import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { render } from './render.ts';
import { validate } from './validate.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'highlander-cli-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** Lines of both streams, without the folder. */
function capture(act: (streams: { out: (text: string) => void; err: (text: string) => void }) => number) {
  let [stdout, stderr] = ['', ''];
  const code = act({ out: (text) => void (stdout += text), err: (text) => void (stderr += text) });
  return { code, stdout, stderr: stderr.replaceAll(`${folder}/`, '').trimEnd() };
}

const check = (...paths: readonly string[]) => capture((streams) => validate(paths, streams));

const HEAD = 'apiVersion: highlander.plexobject.io/v1\nkind: WorkloadProcess\nmetadata: {name: a}\n';

describe('validate', () => {
  it('checks the settings of a file without workloads, and the files that they name', () => {
    const token = file('token', 'short');
    const path = file('config.yaml', `databaseURL: postgres://a:b@db/x\napi: {tokenFile: ${token}}\nport: 70000\n`);
    const { code, stderr, stdout } = check(path);
    expect(code).toBe(1);
    expect(stderr).toContain('api.tokenFile names a file with a token of 5 characters: at least 16 are required');
    expect(stderr).toContain('port: 70000');
    expect(stdout).toContain('2 problems');
    const fine = check(file('config.yaml', 'databaseURL: postgres://a:b@db/x\nport: 8080\n'));
    expect(fine).toMatchObject({ code: 0, stdout: '1 file, 2 settings, 0 valid workloads: 0 problems\n' });
    expect(fine.stderr).toContain('warning: databaseURL: the connection to db is not encrypted');
  });

  it('accepts workloads, lists, configuration files and what is not ours, in folders too', () => {
    file('a.yaml', `${HEAD}spec: {image: busybox}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n`);
    file('below/b.json', '{"apiVersion": "v1", "kind": "List", "items": []}');
    file('below/config.yml', 'redis: {addr: "r:1"}\nworkloads: {processes: [{name: b, image: busybox}]}\n');
    file('below/readme.md', ': not yaml');
    expect(check(folder)).toEqual({
      code: 0,
      stdout: '3 files, 2 settings, 2 valid workloads: 0 problems\n',
      stderr: '',
    });
  });

  it.each([
    ['spec: {}', 'a.yaml:4:7: spec.image is required'],
    ['spec: {image: busybox, comand: [x]}', 'a.yaml:4:32: spec.comand is not a known field; did you mean command?'],
    [
      'spec:\n  image: busybox\n  resources:\n    cpuLimit: fast',
      'a.yaml:7:15: spec.resources.cpuLimit: "fast" is not a quantity; examples: 250m or 2 for CPU, 64Mi or 1Gi for memory',
    ],
    ['spec: {image: b, env: {PASSWORD: 1234}}', 'a.yaml:4:34: spec.env.PASSWORD must be a string'],
    [
      'spec:\n  image: busybox\n  podTemplate:\n    spec:\n      tolerations:\n        - {keyy: gpu}',
      'a.yaml:9:18: spec.podTemplate.spec.tolerations[0].keyy: "gpu" is not a field that Kubernetes knows; did you mean key?',
    ],
    [
      'spec: {image: b, podTemplate: {spec: {hostNetwork: "yes"}}}',
      'a.yaml:4:52: spec.podTemplate.spec.hostNetwork: "yes" must be true or false',
    ],
    ['spce: {image: busybox}', 'spce is not a known field; known fields: apiVersion, kind, metadata, spec, status'],
  ])('%s', (spec, finding) => {
    const { code, stderr } = check(file('a.yaml', `${HEAD}${spec}\n`));
    expect(code).toBe(1);
    expect(stderr).toContain(finding);
    expect(stderr).not.toContain('1234');
  });

  it.each([
    [
      'apiVersion: highlander.plexobject.io/v1\nkind: WorkloadCronJob\nmetadata: {name: a}\nspec:\n  image: b\n  schedule: 0 6 * * *\n  timeZone: europe/berlin\n',
      ':7:13: spec.timeZone: "europe/berlin" is not a time zone that Kubernetes knows: write it like Europe/Berlin, in exactly this case',
    ],
    [
      'apiVersion: highlander.plexobject.io/v1\nkind: WorkloadProces\n',
      ':2:7: unsupported kind "WorkloadProces": did you mean WorkloadProcess?',
    ],
    [
      'apiVersion: highlander.plexobject.io/v2\nkind: WorkloadProcess\n',
      ':1:13: apiVersion: "highlander.plexobject.io/v2" must be highlander.plexobject.io/v1',
    ],
    [
      'apiVersion: v1\nkind: WorkloadService\n',
      ':1:13: apiVersion: "v1" must be highlander.plexobject.io/v1 for a WorkloadService',
    ],
    ['a: [\n', 'is not valid YAML'],
    ['hello: world\n', ':1:1: is neither a Kubernetes object (apiVersion, kind) nor a configuration file'],
    ['redis: {addr: "r:1"}\nlease: {ttl: 5s}\n', 'lease is invalid: renewDeadline'],
    ['prot: 8080\nredis: {addr: "r:1"}\n', ':1:7: prot is not a known key; did you mean "port"?'],
    [
      'redis: {addr: "r:1"}\nworkloads:\n  processes:\n    - name: a\n      image: b\n      podTemplate: {spec: {containers: [{name: main, envfrom: []}]}}\n',
      ':6:63: workloads.processes[0].podTemplate.spec.containers[0].envfrom is not a field that Kubernetes knows; did you mean envFrom?',
    ],
    [
      'redis: {addr: "r:1"}\nservices: [{name: a, image: b, replicas: many}]\n',
      ':2:42: workloads.services[0].replicas: "many" is not valid',
    ],
  ])('%j', (text, finding) => {
    const { code, stderr } = check(file('a.yaml', text));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(finding) as string });
  });

  it.each([
    [
      '',
      /^a\.yaml:6:13: warning: spec\.schedule of a: "30 2 \* \* \*" does not run on \d{4}-03-\d\d and runs twice on \d{4}-10-\d\d, when clocks change in Europe\/Berlin; choose/,
    ],
    ['  catchUp: All\n', /^$/],
    ['  timeZone: Etc/UTC\n', /^$/],
  ])('warns of nights in which the clock changes, where Kubernetes alone starts the runs: %j', (more, warning) => {
    const zone = more.includes('timeZone') ? '' : '  timeZone: Europe/Berlin\n';
    const text = `apiVersion: highlander.plexobject.io/v1\nkind: WorkloadCronJob\nmetadata: {name: a}\nspec:\n  image: b\n  schedule: 30 2 * * *\n${zone}${more}`;
    const { code, stderr } = check(file('a.yaml', text));
    expect(code).toBe(0);
    expect(stderr).toMatch(warning);
  });

  it.each([
    [
      'spec: {image: b, terminationGracePeriod: 2h}',
      'a.yaml:4:42: spec.terminationGracePeriod: "2h" is longer than maxGracePeriod (3600 s)',
    ],
    ['spec: {image: b, gracePeriod: 7200}', 'a.yaml:4:31: spec.gracePeriod: 7200 is longer'],
    [
      'spec: {image: b, podTemplate: {spec: {terminationGracePeriodSeconds: 4000}}}',
      'a.yaml:4:70: spec.podTemplate.spec.terminationGracePeriodSeconds: 4000 is longer',
    ],
  ])('a time to stop beyond maxGracePeriod: %s', (spec, finding) => {
    const path = file('a.yaml', `${HEAD}${spec}\n`);
    const { code, stderr } = check(path);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(finding) as string });
    expect(check(path, file('config.yaml', 'redis: {addr: "r:1"}\nmaxGracePeriod: 3h\n'))).toMatchObject({
      code: 0,
      stderr: '',
    });
    const short = file(
      'config.yaml',
      'redis: {addr: "r:1"}\nmaxGracePeriod: 1m\nprocesses: [{name: b, image: b, gracePeriod: 2m}]\n',
    );
    expect(check(short).stderr).toContain(
      'config.yaml:3:46: processes[0].gracePeriod: "2m" is longer than maxGracePeriod (60 s)',
    );
  });

  it('a mount of a volume that a webhook may bring is a warning where the pod asks for it', () => {
    const main = '{containers: [{name: main, volumeMounts: [{name: certs, mountPath: /certs}]}]}';
    const asks = 'metadata: {annotations: {vault.hashicorp.com/agent-inject: "true"}}, ';
    const of = (metadata: string) =>
      check(file('a.yaml', `${HEAD}spec: {image: b, podTemplate: {${metadata}spec: ${main}}}\n`));
    expect(of('')).toMatchObject({ code: 1 });
    const { code, stderr } = of(asks);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^a\.yaml:4:\d+: warning: .*"certs" is not the name of a volume.*must be injected/);
  });

  it('finds a workload that is there twice', () => {
    const text = `${HEAD}spec: {image: busybox}\n`;
    const { stderr } = check(file('a.yaml', text), file('b.yaml', text));
    expect(stderr).toBe('b.yaml:1:1: WorkloadProcess default/a is defined twice: also at a.yaml:1:1');
  });

  it('says which file cannot be read', () => {
    expect(() => check(join(folder, 'none.yaml'))).toThrow('none.yaml cannot be read: ENOENT');
  });
});

describe('render', () => {
  const options = { output: 'yaml', clusterName: 'east', namespace: 'apps' } as const;

  it('prints what would be applied, ready for kubectl', () => {
    const path = file(
      'a.yaml',
      'apiVersion: highlander.plexobject.io/v1\nkind: WorkloadService\nmetadata: {name: web}\nspec: {image: busybox, ports: [{containerPort: 80}]}\n',
    );
    const { code, stdout } = capture((streams) => render({ ...options, paths: [path] }, streams));
    expect(code).toBe(0);
    const [deployment, service] = parseAllDocuments(stdout).map((each) => each.toJS() as object);
    expect(deployment).toMatchObject({ kind: 'Deployment', metadata: { name: 'web', namespace: 'apps' } });
    expect(deployment).not.toHaveProperty('metadata.ownerReferences');
    expect(service).toMatchObject({ kind: 'Service', spec: { ports: [{ port: 80 }] } });
  });

  it('prints workloads of a configuration file, for its tenant, as JSON too', () => {
    const path = file('c.yaml', 'tenant: team-a\nnamespace: own\nprocesses: [{name: a, image: busybox}]\n');
    const { stdout } = capture((streams) => render({ ...options, output: 'json', paths: [path] }, streams));
    const labels = { 'highlander.plexobject.io/tenant': 'team-a' };
    expect(parse(stdout)).toMatchObject({
      kind: 'List',
      items: [{ metadata: { name: 'a-pod', namespace: 'own', labels } }],
    });
  });

  it('prints nothing when something is wrong', () => {
    const { code, stdout, stderr } = capture((streams) =>
      render({ ...options, paths: [file('a.yaml', `${HEAD}spec: {}\n`)] }, streams),
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('spec.image is required');
  });
});
