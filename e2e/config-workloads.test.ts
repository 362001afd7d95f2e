/** Workloads of the configuration file on a real cluster: the published examples as they stand, and what is done to them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { examples } from '../operator/config/testing/published.ts';
import { waitFor } from './support/cluster/index.ts';
import { Stage } from './support/stage.ts';

const MARK = 'highlander.plexobject.io/declared-in=config';
const LISTS = ['processes', 'cronJobs', 'services', 'persistentSets'];

/** The four short examples, each of which has a list of its own at the top level, are one file together. */
const short = examples.config.filter(({ content }) => LISTS.some((list) => list in content)).map(({ text }) => text);
const basic = examples.config.find(({ text }) => text.includes('singleton-processor'))?.text ?? '';
const custom = examples.manifests.find(({ content }) => content['kind'] === 'WorkloadCronJob')?.text ?? '';

let stage: Stage;
let folder: string;

/** A volume for the example that claims one. */
const volume = () => `apiVersion: v1
kind: PersistentVolume
metadata: {name: published-example}
spec:
  capacity: {storage: 10Gi}
  accessModes: [ReadWriteOnce]
  hostPath: {path: ${folder}}
`;

const start = (name: string, file: string, tenant?: string) =>
  stage.startController(name, {
    file,
    env: { HIGHLANDER_REDIS_ADDR: stage.redis?.addr ?? '', ...(tenant && { HIGHLANDER_TENANT: tenant }) },
  });

const process = (name: string) => stage.workload(name);
const withProcess = (spec: object) => stringify({ workloads: { processes: [{ name: 'declared', ...spec }] } });
const IDLE = { image: 'busybox:latest', script: { commands: ['sleep 1000'] }, terminationGracePeriod: '1s' };

beforeAll(async () => {
  stage = await Stage.open();
  folder = mkdtempSync(join(tmpdir(), 'highlander-volume-'));
  await stage.kube.apply(volume());
}, 600_000);

afterAll(async () => {
  await stage?.endControllers();
  await start('cleaner', 'tenant: default\n');
  await start('short-cleaner', 'tenant: short\n');
  await stage?.kube.run('delete', 'highlander', '--all', '--timeout=60s');
  await stage?.kube.run('delete', 'pvc', '--all', '--wait=false');
  await stage?.kube.run('delete', 'pv', 'published-example', '--wait=false');
  await stage?.close();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

describe.skipIf(!inject('realNodes'))('workloads of the configuration file', () => {
  it('are those of the published examples, unchanged, and all become ready', async () => {
    expect(short).toHaveLength(4);
    await Promise.all([start('short', short.join('\n'), 'short'), start('basic', basic)]);
    await stage.kube.apply(custom);
    await Promise.all([
      stage.reason('data-processor', 'Running'),
      stage.reason('singleton-processor', 'Running'),
      stage.reason('daily-report', 'Scheduled', 'default', 'workloadcronjobs'),
      stage.reason('sample-cronjob', 'Scheduled', 'default', 'workloadcronjobs'),
      stage.reason('admin-api', 'Running', 'default', 'workloadservices'),
      stage.reason('message-queue', 'Running', 'default', 'workloadpersistents'),
    ]);
    const shown = await stage.kube.run('get', 'highlander', '-l', MARK, '--no-headers');
    const names = shown
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(/\s/)[0]?.split('/')[1]);
    expect(new Set(names)).toEqual(
      new Set(['admin-api', 'daily-report', 'data-processor', 'message-queue', 'singleton-processor']),
    );
  });

  it('are put back when somebody edits or deletes them', async () => {
    const patch = '{"spec":{"image":"busybox:1.36"}}';
    await stage.kube.run('patch', 'workloadprocess', 'singleton-processor', '--type=merge', '-p', patch);
    const image = () => stage.kube.run('get', 'workloadprocess', 'singleton-processor', '-o', 'jsonpath={.spec.image}');
    await waitFor('the image', async () => (await image()) === 'busybox:latest');
    const before = await process('singleton-processor');
    await stage.kube.run('delete', 'workloadprocess', 'singleton-processor');
    await waitFor('another one', async () => {
      const now = await process('singleton-processor');
      return now !== undefined && now.metadata.uid !== before?.metadata.uid;
    });
  });

  it('run on, as they are, when a standby with the same file takes over', async () => {
    await stage.endControllers();
    const first = await start('first', withProcess(IDLE));
    await stage.reason('declared', 'Running');
    const before = [await process('declared'), await stage.runningPod('declared-pod')] as const;
    await start('second', withProcess(IDLE));
    await first.end('SIGTERM');
    await waitFor('the next leader', async () =>
      (await process('declared'))?.status?.controller?.holder.startsWith('second'),
    );
    expect((await process('declared'))?.metadata).toMatchObject({
      uid: before[0]?.metadata.uid,
      generation: before[0]?.metadata.generation,
    });
    expect((await stage.runningPod('declared-pod')).metadata.uid).toBe(before[1].metadata.uid);
    // What the file of this tenant does not name any more has gone; the other tenant's has not.
    expect(await process('singleton-processor')).toBeUndefined();
    expect(await process('data-processor')).toBeDefined();
  });

  it('leave alone what a person has made under the same name, and say so', async () => {
    await stage.endControllers();
    await stage.kube.run('label', 'workloadprocess', 'declared', 'highlander.plexobject.io/declared-in-');
    const controller = await start('third', withProcess({ ...IDLE, image: 'busybox:1.36' }));
    const { reason } = await controller.logged('Declared workload was not applied');
    expect(reason).toContain('WorkloadProcess default/declared exists but was not created from the configuration file');
    const events = await waitFor('the event', async () => {
      const text = await stage.kube.run('get', 'events', '--field-selector=reason=ConfigConflict', '-o', 'name');
      return text || undefined;
    });
    expect(events).toMatch(/event/);
    const image = await stage.kube.run('get', 'workloadprocess', 'declared', '-o', 'jsonpath={.spec.image}');
    expect(image).toBe('busybox:latest');
  });
});
