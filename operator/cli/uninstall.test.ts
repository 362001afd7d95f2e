/** `highlander uninstall` at a real API server: what it refuses, says and leaves. What kubelets do to it is in e2e/uninstall.test.ts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { API_VERSION, labels, POD_FINALIZER } from '../api/group.ts';
import { uninstallByHand } from './testing/documented.ts';
import { Installed } from './testing/installed.ts';

const OTHERS = 'example.com/backup';
const soon = { timeout: 30_000, interval: 100 };
const lease = { ttl: '3s', renewDeadline: '1500ms', retryPeriod: '300ms' };

let cluster: Installed;

beforeAll(async () => {
  cluster = await Installed.start({}, 'team-a', 'team-b', 'team-c', 'going');
}, 120_000);
afterAll(() => cluster?.[Symbol.asyncDispose]());

const config = () => ({ tenant: 'default', namespace: 'default', cluster: { kubeconfig: cluster.kubeconfig }, lease });

function uninstall(...args: readonly string[]) {
  const file = join(cluster.server.folder, 'uninstall.yaml');
  writeFileSync(file, stringify(config()));
  return cluster.highlander('uninstall', '--config', file, ...args);
}

/** A workload with its pod, which no node has. */
async function install(name: string, namespace: string, tenant = 'default'): Promise<void> {
  const own = { [labels.tenant]: tenant };
  const spec = { image: 'busybox' };
  const workload = {
    apiVersion: API_VERSION,
    kind: 'WorkloadProcess',
    metadata: { name, namespace, labels: own },
    spec,
  };
  await cluster.kube.apply(stringify(workload));
  const made = await cluster.kube.get<{ metadata: { uid: string } }>('workloadprocess', name, '-n', namespace);
  const owner = { apiVersion: API_VERSION, kind: 'WorkloadProcess', name, uid: made?.metadata.uid, controller: true };
  const metadata = {
    name: `${name}-pod`,
    namespace,
    labels: { ...own, [labels.kind]: 'WorkloadProcess', [labels.name]: name },
    finalizers: [POD_FINALIZER, OTHERS],
    ownerReferences: [owner],
  };
  const pod = {
    nodeName: 'node-1',
    containers: [{ name: 'main', image: 'busybox' }],
    terminationGracePeriodSeconds: 1,
  };
  await cluster.kube.apply(stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec: pod }));
}

const finalizers = async (pod: string, namespace: string) =>
  (await cluster.kube.run('get', 'pod', pod, '-n', namespace, '-o', 'jsonpath={.metadata.finalizers}')).trim();

it('is refused while a controller lives, and does nothing', async ({ onTestFinished }) => {
  await install('kept', 'team-a');
  const controller = cluster.startController(config());
  onTestFinished(() => controller.end('SIGKILL'));
  await vi.waitFor(() => expect(controller.said()).toContain('Acquired the lease'), soon);
  const { code, err } = await uninstall('--yes');
  expect(code).toBe(1);
  expect(err).toMatch(/stop all controllers of the tenant first; still alive: \S+ \(default\)/);
  expect(await cluster.kube.get('workloadprocess', 'kept', '-n', 'team-a')).toBeDefined();
}, 60_000);

it('says what it would do, and does it with --yes: what may run is waited for', async () => {
  await install('ends', 'team-b');
  const first = await uninstall('--in', 'team-b');
  expect(first.code).toBe(1);
  expect(first.out).toContain('would delete WorkloadProcess team-b/ends');
  expect(first.out).toContain('would delete Pod team-b/ends-pod');
  expect(await cluster.kube.get('workloadprocess', 'ends', '-n', 'team-b')).toBeDefined();

  const second = uninstall('--in', 'team-b', '--yes', '-o', 'json');
  await cluster.kube.run('wait', '--for=delete', 'workloadprocess/ends', '-n', 'team-b', '--timeout=20s');
  expect(await finalizers('ends-pod', 'team-b')).toContain(POD_FINALIZER);
  const finishedAt = new Date(Date.now() + 60_000).toISOString().replace(/\.\d+/, '');
  const terminated = { exitCode: 0, finishedAt, startedAt: finishedAt, reason: 'Completed' };
  const containerStatuses = [
    { name: 'main', ready: false, restartCount: 0, image: 'b', imageID: 'b', state: { terminated } },
  ];
  const patch = JSON.stringify({ status: { phase: 'Succeeded', containerStatuses } });
  await cluster.kube.run(
    'patch',
    'pod',
    'ends-pod',
    '-n',
    'team-b',
    '--subresource=status',
    '--type=merge',
    '-p',
    patch,
  );
  await vi.waitFor(async () => expect(await finalizers('ends-pod', 'team-b')).toBe(`["${OTHERS}"]`), soon);
  await cluster.kube.run(
    'patch',
    'pod',
    'ends-pod',
    '-n',
    'team-b',
    '--type=merge',
    '-p',
    '{"metadata":{"finalizers":null}}',
  );
  await cluster.kube.run('delete', 'pod', 'ends-pod', '-n', 'team-b', '--force', '--ignore-not-found');
  const { code, out } = await second;
  expect(JSON.parse(out)).toMatchObject({ tenants: ['default'], written: true, left: [] });
  expect(code).toBe(0);
  expect(await uninstall('--in', 'team-b')).toMatchObject({ code: 0, out: 'Nothing to do\n' });
}, 60_000);

it('lets go what ends with its namespace, and leaves other tenants alone', async () => {
  await install('ours', 'going');
  await install('theirs', 'going', 'other');
  await cluster.kube.run('delete', 'namespace', 'going', '--wait=false');
  for (const name of ['ours', 'theirs'])
    await cluster.kube.run('delete', 'pod', `${name}-pod`, '-n', 'going', '--wait=false');
  const ended = uninstall('--in', 'going', '--yes');
  await vi.waitFor(async () => expect(await finalizers('ours-pod', 'going')).toBe(`["${OTHERS}"]`), soon);
  expect(await finalizers('theirs-pod', 'going')).toContain(POD_FINALIZER);
  await cluster.kube.run(
    'patch',
    'pod',
    'ours-pod',
    '-n',
    'going',
    '--type=merge',
    '-p',
    '{"metadata":{"finalizers":null}}',
  );
  await cluster.kube.run('delete', 'pod', 'ours-pod', '-n', 'going', '--force', '--ignore-not-found');
  expect(await ended).toMatchObject({ code: 0 });
}, 60_000);

it('leaves what runs with --keep, and no finalizer of ours on it', async () => {
  await install('stays', 'team-b');
  const ended = uninstall('--in', 'team-b', '--keep', '--yes');
  await vi.waitFor(async () => expect(await finalizers('stays-pod', 'team-b')).toBe(`["${OTHERS}"]`), soon);
  // As Kubernetes' garbage collector does when it has taken the owner from what was made.
  const patch = '{"metadata":{"finalizers":null}}';
  await cluster.kube.run('patch', 'workloadprocess', 'stays', '-n', 'team-b', '--type=merge', '-p', patch);
  expect(await ended).toMatchObject({ code: 0 });
  const pod = await cluster.kube.get<{ metadata: { deletionTimestamp?: string } }>('pod', 'stays-pod', '-n', 'team-b');
  expect(pod?.metadata.deletionTimestamp).toBeUndefined();
}, 60_000);

it('by hand, as the document says: only our finalizers, and only of pods that are being deleted', async () => {
  await install('by-hand', 'team-c');
  const name = 'mere-pod';
  const mere = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'team-c', finalizers: [POD_FINALIZER] } };
  await cluster.kube.apply(stringify({ ...mere, spec: { containers: [{ name: 'main', image: 'busybox' }] } }));
  await uninstallByHand(cluster.kubeconfig, 'team-c');
  expect(await cluster.kube.get('workloadprocess', 'by-hand', '-n', 'team-c')).toBeUndefined();
  expect(await finalizers('by-hand-pod', 'team-c')).toBe(`["${OTHERS}"]`);
  expect(await finalizers(name, 'team-c')).toContain(POD_FINALIZER);
}, 60_000);
