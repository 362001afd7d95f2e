/** What holds for all kinds alike: ends, neighbours that fail, equal names, objects in the way, controllers that come and go. */
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { waitFor } from './support/cluster/index.ts';
import { Stage } from './support/stage.ts';

const KINDS = {
  WorkloadProcess: 'workloadprocesses',
  WorkloadService: 'workloadservices',
  WorkloadPersistent: 'workloadpersistents',
  WorkloadCronJob: 'workloadcronjobs',
} as const;
type Kind = keyof typeof KINDS;

const EVERYTHING = 'pods,deployments,statefulsets,cronjobs,jobs,services,replicasets';
const ENDLESS = { script: { commands: ['trap "exit 0" TERM', 'while true; do sleep 0.2; done'] } };
const SPECS: Readonly<Record<Kind, object>> = {
  WorkloadProcess: ENDLESS,
  WorkloadService: ENDLESS,
  WorkloadPersistent: { ...ENDLESS, replicas: 1 },
  WorkloadCronJob: { script: { commands: ['true'] }, schedule: '@every 2s' },
};
const UP: Readonly<Record<Kind, string>> = {
  WorkloadProcess: 'Running',
  WorkloadService: 'Running',
  WorkloadPersistent: 'Running',
  WorkloadCronJob: 'Scheduled',
};

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
  await stage.startController('lifecycle-1');
  await stage.leader();
}, 600_000);

afterAll(async () => {
  await stage?.kube.run('delete', 'highlander', '--all', '--timeout=60s');
  await stage?.kube.run('delete', 'pvc', '--all', '--wait=false');
  await stage?.close();
}, 120_000);

const kinds = Object.keys(KINDS) as Kind[];

function yaml(kind: Kind, name: string, more: object = {}): string {
  const spec = { image: 'busybox:latest', terminationGracePeriod: '2s', ...SPECS[kind], ...more };
  return stringify({ apiVersion: 'highlander.plexobject.io/v1', kind, metadata: { name, namespace: 'default' }, spec });
}

const apply = (kind: Kind, name: string, more?: object) => stage.kube.apply(yaml(kind, name, more));
const reason = (kind: Kind, name: string, wanted = UP[kind]) => stage.reason(name, wanted, 'default', KINDS[kind]);

/** Names of everything that workloads of this name have made. */
const madeFor = (name: string) =>
  stage.kube.run('get', EVERYTHING, '-l', `highlander.plexobject.io/name=${name}`, '-o', 'name');

async function podsOf(name: string): Promise<readonly string[]> {
  const pods = await Promise.all(kinds.map((kind) => stage.podsOf(kind, name)));
  return pods.flat().map(({ metadata }) => metadata.uid);
}

describe.skipIf(!inject('realNodes'))('workloads of all kinds', () => {
  it('may have one name, and whoever comes second to a Service of that name takes another', async () => {
    await Promise.all(kinds.map((kind) => apply(kind, 'same')));
    await Promise.all(kinds.map((kind) => reason(kind, 'same')));
    await apply('WorkloadService', 'same', { ports: [{ containerPort: 80 }] });
    await waitFor('its Service', async () => (await madeFor('same')).includes('service/same-service'));
    for (const kind of kinds) expect((await reason(kind, 'same')).status?.healthy).toBe(true);
  });

  it('take everything with them that they made, also when nobody was there to see them go', async () => {
    await Promise.all(kinds.map((kind) => apply(kind, 'gone')));
    await Promise.all(kinds.map((kind) => reason(kind, 'gone')));
    await stage.endControllers();
    for (const kind of kinds) await stage.kube.run('delete', KINDS[kind], 'gone', '--wait=false');
    await stage.startController('lifecycle-2');
    await stage.leader();
    await waitFor('nothing to be left', async () => (await madeFor('gone')) === '', { timeoutMs: 60_000 });
  });

  it('keep the claims of a deleted workload, unless the spec says otherwise', async () => {
    const persistentVolumes = [{ name: 'data', mountPath: '/data', size: '1Mi' }];
    const remove = { persistentVolumes, persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete' } };
    await apply('WorkloadPersistent', 'kept', { persistentVolumes });
    await apply('WorkloadPersistent', 'removed', remove);
    const claim = (name: string) => stage.object('api/v1', `persistentvolumeclaims/data-${name}-0`);
    await waitFor('both claims', async () => (await claim('kept')) && (await claim('removed')));
    await stage.kube.run('delete', KINDS.WorkloadPersistent, 'kept', 'removed');
    await waitFor('one claim to go', async () => (await claim('removed')) === undefined);
    expect(await claim('kept')).toBeDefined();
  });

  it('do not mind others that fail, are edited and deleted', async () => {
    await Promise.all(kinds.map((kind) => apply(kind, 'well')));
    await Promise.all(kinds.map((kind) => reason(kind, 'well')));
    const steady = async () => (await podsOf('well')).slice(0, 3);
    const before = await steady();
    const failing: Readonly<Record<Kind, object>> = {
      WorkloadProcess: { script: { commands: ['exit 1'] } },
      WorkloadService: { image: 'no-such-image:1' },
      WorkloadPersistent: { script: { commands: ['exit 1'] } },
      WorkloadCronJob: { script: { commands: ['exit 1'] }, backoffLimit: 0, restartPolicy: 'Never' },
    };
    await Promise.all(kinds.map((kind) => apply(kind, 'ill', failing[kind])));
    await waitFor('its failures to be told', async () => {
      const found = await stage.workload('ill');
      return found?.status?.lastError?.includes('exit code 1') ? found : undefined;
    });
    await reason('WorkloadCronJob', 'ill', 'LastRunFailed');
    await Promise.all(kinds.map((kind) => apply(kind, 'ill', { ...failing[kind], env: { EDITED: 'once' } })));
    await Promise.all(kinds.map((kind) => stage.kube.run('delete', KINDS[kind], 'ill')));
    expect(await steady()).toEqual(before);
    for (const kind of kinds) expect((await reason(kind, 'well')).status?.healthy).toBe(true);
  });

  it.each([
    ['WorkloadCronJob', 'cronjob', { apiVersion: 'batch/v1', kind: 'CronJob' }],
    ['WorkloadPersistent', 'statefulset', { apiVersion: 'apps/v1', kind: 'StatefulSet' }],
  ] as const)(
    '%s: never touches an object that is not its own, and comes up when it has gone',
    async (kind, type, head) => {
      const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'x', image: 'busybox:latest' }] } };
      const spec =
        type === 'statefulset'
          ? {
              serviceName: 'foreign',
              replicas: 0,
              selector: { matchLabels: { app: 'x' } },
              template: { metadata: { labels: { app: 'x' } }, spec: { containers: template.spec.containers } },
            }
          : { schedule: '@yearly', jobTemplate: { spec: { template } } };
      await stage.kube.apply(stringify({ ...head, metadata: { name: 'foreign', namespace: 'default' }, spec }));
      await apply(kind, 'foreign');
      const { status } = await reason(kind, 'foreign', 'Conflict');
      expect(status?.lastError).toContain(
        `${head.kind} default/foreign already exists and is not managed by this operator`,
      );
      await stage.kube.run('delete', type, 'foreign');
      await reason(kind, 'foreign');
      await stage.kube.run('delete', KINDS[kind], 'foreign');
    },
  );

  it.each([
    ['service', 'WorkloadService'],
    ['statefulset', 'WorkloadPersistent'],
    ['cronjob', 'WorkloadCronJob'],
  ] as const)('have a %s made anew that somebody has deleted', async (type, kind) => {
    const uid = () => stage.kube.run('get', type, 'well', '--ignore-not-found', '-o', 'jsonpath={.metadata.uid}');
    const before = await uid();
    await stage.kube.run('delete', type, 'well');
    await waitFor(`another ${type}`, async () => !['', before].includes(await uid()));
    await reason(kind, 'well');
  });

  it('go on as they are when their controller is killed and comes back, and when it is rolled out', async () => {
    const ready = () =>
      Promise.all(kinds.slice(0, 3).map(async (kind) => (await reason(kind, 'well')).status?.conditions?.[0]));
    const look = async () => ({ pods: (await podsOf('well')).slice(0, 3), ready: await ready() });
    // What the tests before have deleted is back, and told of.
    const before = await waitFor('all to be quiet', async () => {
      const first = await look();
      await sleep(3000);
      return JSON.stringify(await look()) === JSON.stringify(first) ? first : undefined;
    });
    await stage.endControllers();
    await stage.startController('lifecycle-3');
    await stage.leader();
    await stage.startController('lifecycle-4');
    await stage.endFirst('SIGTERM');
    const { term = 0 } = (await reason('WorkloadProcess', 'well')).status?.controller ?? {};
    await waitFor(
      'the next leader to look',
      async () => ((await reason('WorkloadProcess', 'well')).status?.controller?.term ?? 0) >= term,
    );
    expect((await podsOf('well')).slice(0, 3)).toEqual(before.pods);
    const times = (conditions: typeof before.ready) => conditions.map((each) => each?.lastTransitionTime);
    expect(times(await ready())).toEqual(times(before.ready));
  });
});
