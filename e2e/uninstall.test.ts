/** Namespaces that are deleted, with and without controllers, and what the documents say about uninstalling, on real kubelets. */
import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { uninstallByHand } from '../operator/cli/testing/documented.ts';
import { waitFor } from './support/cluster/index.ts';
import { Stage } from './support/stage.ts';

const ROOT = resolve(import.meta.dirname, '..');
const exec = promisify(execFile);
const NAMESPACES = ['led', 'left', 'by-hand', 'kept'];

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
  await stage.startController('uninstall-1');
  await stage.leader();
  for (const name of NAMESPACES) {
    await stage.kube.run('create', 'namespace', name);
    await stage.kube.apply(workload('app', name));
  }
  await Promise.all(NAMESPACES.map((namespace) => stage.runningPod('app-pod', { namespace })));
}, 600_000);

afterAll(async () => {
  await stage?.kube.run('delete', 'namespace', ...NAMESPACES, '--ignore-not-found', '--wait=false');
  await stage?.close();
}, 120_000);

function workload(name: string, namespace: string): string {
  const script = { commands: ['trap "exit 0" TERM', 'while true; do sleep 0.2; done'] };
  const spec = { image: 'busybox:latest', script, terminationGracePeriod: '5s' };
  return stringify({
    apiVersion: 'highlander.plexobject.io/v1',
    kind: 'WorkloadProcess',
    metadata: { name, namespace },
    spec,
  });
}

const remove = (namespace: string) => stage.kube.run('delete', 'namespace', namespace, '--wait=false');

const gone = (namespace: string, timeoutMs = 60_000) =>
  waitFor(
    `namespace ${namespace} to be gone`,
    async () => ((await stage.kube.get('namespace', namespace)) ? undefined : (true as const)),
    { timeoutMs },
  );

/** Ended by its kubelet's word, and held. */
const heldPod = (namespace: string) =>
  waitFor('the pod to have ended', async () => {
    const pod = await stage.pod('app-pod', namespace);
    const isHeld = pod?.metadata.deletionTimestamp !== undefined && pod.metadata.finalizers?.length === 1;
    return isHeld && pod.status?.phase !== 'Running' ? pod : undefined;
  });

function uninstall(...args: readonly string[]) {
  const program = [join(ROOT, 'dist/main.mjs'), 'uninstall', '--kubeconfig', stage.cluster.kubeconfigPath];
  return exec(join(ROOT, 'node_modules/.bin/node'), [...program, ...args]);
}

describe.skipIf(!inject('realNodes'))('a namespace that is deleted', () => {
  it('ends while a controller is there', async () => {
    await remove('led');
    await gone('led');
  });

  it('hangs when none is left, until highlander uninstall has been there', async () => {
    await stage.endControllers('SIGKILL');
    await remove('left');
    await heldPod('left');
    const { stdout } = await uninstall('--in', 'left', '--yes');
    expect(stdout).toContain('release Pod left/app-pod: it has ended\n');
    await gone('left');
  });

  it('hangs when none is left, until the lines of the document have been run', async () => {
    await remove('by-hand');
    await heldPod('by-hand');
    await uninstallByHand(stage.cluster.kubeconfigPath, 'by-hand');
    await gone('by-hand');
  });
});

describe.skipIf(!inject('realNodes'))('without a controller', () => {
  it('--keep leaves what runs, and nothing hangs when it is deleted', async () => {
    const before = await stage.runningPod('app-pod', { namespace: 'kept' });
    await uninstall('--in', 'kept', '--keep', '--yes');
    const after = await stage.runningPod('app-pod', { namespace: 'kept' });
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.metadata).not.toHaveProperty('ownerReferences');
    await stage.kube.run('delete', 'pod', 'app-pod', '-n', 'kept', '--timeout=60s');
  });

  it('the lines of the document end what runs', async () => {
    await stage.startController('uninstall-2');
    await stage.kube.apply(workload('again', 'kept'));
    await stage.runningPod('again-pod', { namespace: 'kept' });
    await stage.endControllers('SIGKILL');
    await uninstallByHand(stage.cluster.kubeconfigPath, 'kept');
    await stage.noPod('again-pod', 'kept');
    expect(await stage.workload('again', 'kept')).toBeUndefined();
  });
});
