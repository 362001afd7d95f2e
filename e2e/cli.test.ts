/** The command line as people type it: the built program, its exit codes, and a real cluster behind `diff`. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stage } from './support/stage.ts';

const ROOT = resolve(import.meta.dirname, '..');
const SAMPLES = join(ROOT, 'manifests/samples');

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
}, 600_000);

afterAll(async () => {
  await stage?.endControllers();
  await stage?.kube.run('delete', 'highlander', '--all', '--wait=false');
  await stage?.close();
}, 120_000);

function highlander(args: readonly string[], input = '') {
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent' };
  const program = [join(ROOT, 'node_modules/.bin/node'), join(ROOT, 'dist/main.mjs')] as const;
  const { status, stdout, stderr } = spawnSync(program[0], [program[1], ...args], { input, env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

const yaml = (name: string, image: string) => `apiVersion: highlander.plexobject.io/v1
kind: WorkloadProcess
metadata: {name: ${name}, namespace: default}
spec:
  image: "${image}"
  script: {commands: [sleep 1000]}
  terminationGracePeriod: 1s
`;

describe('highlander', () => {
  it('validates files and standard input', () => {
    expect(highlander(['validate', '-f', SAMPLES])).toEqual({
      status: 0,
      stdout: '6 files, 4 valid workloads: 0 problems\n',
      stderr: '',
    });
    const wrong = highlander(['validate', '-f', '-'], yaml('Bad_Name', 'busybox'));
    expect(wrong).toMatchObject({ status: 1, stdout: '1 file, 0 valid workloads: 1 problem\n' });
    expect(wrong.stderr).toMatch(/^stdin:3:18: metadata.name: "Bad_Name" must be a name/);
  });

  it.each([
    [[], 'missing verb: name one of these'],
    [['vaildate'], 'unknown verb "vaildate"; did you mean validate?'],
    [['validate'], 'missing -f: name a file, a folder or -'],
    [['validate', '-f', '/nonexistent.yaml'], '/nonexistent.yaml cannot be read'],
    [['run', '--prot', '1'], "Unknown option '--prot'"],
    [['render', '-f', SAMPLES, '-o', 'xml'], '-o xml: must be yaml or json'],
    [['confirm-stopped', '--redis-addr', 'r:1'], 'missing required flag --cluster'],
    [['handover', '--to', 'x', '--to-cluster', 'y'], '--to and --to-cluster are mutually exclusive'],
    [['config', 'print', '--port', 'x', '--redis-addr', 'r:1'], 'port: "x" (flag --port) must be a whole number'],
  ])('%j is refused', (args, message) => {
    const { status, stderr } = highlander(args);
    expect(stderr).toContain(message);
    expect(status).toBeGreaterThan(0);
  });

  it('renders what the API server takes', async () => {
    const rendered = highlander(['render', '-f', SAMPLES]);
    expect(rendered.status).toBe(0);
    const answer = await stage.kube.dryRun(rendered.stdout);
    for (const made of ['pod/singleton-processor-pod', 'deployment.apps/', 'statefulset.apps/', 'cronjob.batch/'])
      expect(answer).toContain(made);
  });

  it('shows what would change, and writes nothing', async () => {
    const diff = (text: string) => highlander(['diff', '-f', '-', '--kubeconfig', stage.cluster.kubeconfigPath], text);
    const fresh = diff(yaml('compared', 'busybox:latest'));
    expect(fresh.status).toBe(1);
    expect(fresh.stdout).toContain('+++ applied/Pod.default.compared-pod');
    expect(await stage.workload('compared')).toBeUndefined();
    await stage.startController('differ');
    await stage.kube.apply(yaml('compared', 'busybox:latest'));
    await stage.reason('compared', 'Running');
    expect(diff(yaml('compared', 'busybox:latest'))).toEqual({ status: 0, stdout: '', stderr: '' });
    const changed = diff(yaml('compared', 'busybox:1.36'));
    expect(changed.status).toBe(1);
    expect(changed.stdout).toMatch(/^-\s+image: busybox:latest$/m);
    expect(changed.stdout).toMatch(/^\+\s+image: busybox:1.36$/m);
    expect((await stage.workload('compared'))?.metadata.generation).toBe(1);
    expect(diff(yaml('compared', 'a b')).status).toBe(2);
  });
});
