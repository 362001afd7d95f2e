/**
 * The rights that the samples grant, against the API server's own log: all that a controller asks for is granted, and all that is
 * granted is asked for.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { childTypes, type CronJob } from '../api/children.ts';
import { annotations, GROUP, labels } from '../api/group.ts';
import { clientOf } from '../lease/testing/lease-store.ts';
import { RedisServer } from '../lease/testing/redis-server.ts';
import { jobFor } from '../workloads/cronjob/jobs.ts';
import { Installed, type RunningController } from './testing/installed.ts';

const SAMPLES = resolve(import.meta.dirname, '../../manifests/samples');
const NAMESPACE = 'team-a';
const ACCOUNT = `system:serviceaccount:${NAMESPACE}:highlander`;
const soon = { timeout: 60_000, interval: 200 };

let cluster: Installed;
let redis: RedisServer;
let controller: RunningController | undefined;

beforeAll(async () => {
  const options = { admissionPlugins: ['OwnerReferencesPermissionEnforcement'], audit: true };
  [cluster, redis] = await Promise.all([Installed.start(options, NAMESPACE, 'west'), RedisServer.start()]);
  await cluster.kube.run('apply', '-f', join(SAMPLES, 'rbac-namespaced.yaml'));
}, 120_000);

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

it('of the sample for one namespace are all that a controller needs, and no more', async ({ onTestFailed }) => {
  onTestFailed(() => console.log(controller?.said()));
  const kubeconfig = await cluster.kubeconfigOf('highlander', NAMESPACE);
  const store = { redis: { addr: `127.0.0.1:${redis.address.port}` } };
  const east = { ...store, cluster: { kubeconfig, id: 'east', name: 'east' } };
  await leftover('kept-service');

  // Makes all kinds of children, those of the configuration file too.
  controller = cluster.startController(settings({ ...east, workloads: declared() }));
  await cluster.kube.apply(`${workloads('kept', 'busybox:1', '1Gi')}---\n${workloads('gone', 'busybox:1', '1Gi')}`);
  await vi.waitFor(() => expect(used()).toContain('get replicasets.apps'), soon);
  await cluster.kube.run('delete', 'pod', 'leftover', '-n', NAMESPACE, '--wait=false');
  const first = await allStamped(0);
  await beginsByHand('by-hand');
  await controller.end('SIGKILL');

  // Stamps what there is, deletes what the file names no more, replaces what is edited, makes claims larger, and takes runs away that nobody asked for.
  controller = cluster.startController(settings(east));
  await allStamped(first);
  await makesRun('kept-cronjob', kubeconfig);
  await strayRun('kept-cronjob');
  await vi.waitFor(() => expect(used()).toContain('delete jobs.batch'), soon);
  await claim('kept-persistent');
  const before = await named('pods', 'kept-process-pod');
  await cluster.kube.apply(workloads('kept', 'busybox:2', '2Gi'));
  await vi.waitFor(async () => {
    expect((await named('pods', 'kept-process-pod'))?.metadata.uid).not.toBe(before?.metadata.uid);
    expect(used()).toContain('patch persistentvolumeclaims.');
  }, soon);

  // Deletes the children of what is deleted.
  const names = ['process', 'service', 'persistent', 'cronjob'].map((kind) => `workload${kind}/gone-${kind}`);
  await cluster.kube.run('delete', ...names, '-n', NAMESPACE);
  await vi.waitFor(async () => {
    const left = (await children()).filter(({ metadata }) => metadata.name.startsWith('gone-'));
    expect(left.filter(({ metadata }) => metadata.deletionTimestamp === undefined)).toEqual([]);
  }, soon);

  // Stops everything as it leaves to another cluster, and keeps a lease in the API server.
  const west = { ...store, tenant: NAMESPACE, namespace: 'west', watchNamespaces: ['west'] };
  cluster.startController({
    ...settings(west),
    cluster: { kubeconfig: cluster.kubeconfig, id: 'west', name: 'west' },
  });
  await vi.waitFor(() => expect(controller?.said()).toContain('did not enforce permits'), soon);
  // Nothing here says that it has ended, so that the controller would stay.
  void controller.end('SIGTERM');
  await vi.waitFor(async () => expect((await makersLeft()).filter(({ spec }) => !isParked(spec))).toEqual([]), soon);
  await controller.end('SIGKILL');
  controller = cluster.startController(settings({ tenant: 'side', storageType: 'kubernetes', cluster: east.cluster }));
  await vi.waitFor(() => expect(controller?.said()).toContain('Acquired the lease'), soon);
  await controller.end('SIGTERM');

  const refused = asked().filter(({ code, at }) => code === 403 && !at.startsWith('kube-system/'));
  expect(refused).toEqual([]);
  const unused = granted().filter((right) => !used().includes(right));
  // The plug-in judges by the first; the other is for what happens again and again.
  expect(unused.filter((right) => !right.startsWith('update') && right !== 'patch events.events.k8s.io')).toEqual([]);
}, 300_000);

it('of the sample for a whole cluster are the same', () => {
  expect(granted('rbac-cluster.yaml').toSorted()).toEqual(granted().toSorted());
});

interface Request {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code: number; readonly message?: string };
}

interface Asked {
  /** `VERB RESOURCE.GROUP` */
  readonly what: string;
  readonly code: number;
  /** `NAMESPACE/NAME`, and what the API server says to it. */
  readonly at: string;
}

/** What the account has asked for. */
function asked(): readonly Asked[] {
  const lines = readFileSync(join(cluster.server.folder, 'audit.log'), 'utf8').split('\n').filter(Boolean);
  return lines.flatMap((line) => {
    const { verb, user, objectRef: to, responseStatus } = JSON.parse(line) as Request;
    if (user.username !== ACCOUNT || to?.resource === undefined) return [];
    const resource = to.subresource === undefined ? to.resource : `${to.resource}/${to.subresource}`;
    const at = `${to.namespace ?? ''}/${to.name ?? ''} ${responseStatus?.message ?? ''}`;
    return [{ what: `${verb} ${resource}.${to.apiGroup ?? ''}`, code: responseStatus?.code ?? 0, at }];
  });
}

/** With the rights to create what was applied, and to update the finalizers of owners, which no request names. */
function used(): readonly string[] {
  return asked().flatMap(({ what, code }) => {
    if (code === 403) return [];
    return code === 201 ? [what, what.replace(/^patch/, 'create')] : [what];
  });
}

function granted(sample = 'rbac-namespaced.yaml'): readonly string[] {
  const objects = parseAllDocuments(readFileSync(join(SAMPLES, sample), 'utf8')).map((each) => each.toJS() as Granting);
  const rules = objects
    .filter(({ metadata }) => metadata.namespace !== 'kube-node-lease')
    .flatMap((each) => each.rules ?? []);
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}.${apiGroups[0]}`)),
  );
}

interface Granting {
  readonly metadata: { readonly namespace?: string };
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

const settings = (more: object) => ({
  tenant: NAMESPACE,
  namespace: NAMESPACE,
  watchNamespaces: [NAMESPACE],
  lease: { ttl: '6s', renewDeadline: '4s', retryPeriod: '1s' },
  ...more,
});

const GRACE = { terminationGracePeriod: '1s' };

/** For the configuration file, one of each kind. */
function declared() {
  const one = (more: object = {}) => [{ name: 'declared', image: 'busybox', ...GRACE, ...more }];
  return {
    processes: one(),
    services: one({ name: 'declared-service' }),
    persistentSets: one({ name: 'declared-persistent' }),
    cronJobs: one({ name: 'declared-cron', schedule: '0 0 1 1 *' }),
  };
}

/** Of each kind, with the name `PREFIX-KIND`. */
function workloads(prefix: string, image: string, size: string): string {
  const one = (kind: string, spec: object = {}) =>
    stringify({
      apiVersion: `${GROUP}/v1`,
      kind: `Workload${kind}`,
      metadata: {
        name: `${prefix}-${kind.toLowerCase()}`,
        namespace: NAMESPACE,
        labels: { [labels.tenant]: NAMESPACE },
      },
      spec: { image, ...GRACE, ...spec },
    });
  const ports = [{ containerPort: 80 }];
  return [
    one('Process'),
    one('Service', { ports }),
    one('Persistent', { ports, persistentVolumes: [{ name: 'data', mountPath: '/data', size }] }),
    one('CronJob', { schedule: '0 0 1 1 *', catchUp: 'All' }),
  ].join('---\n');
}

interface Child {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly replicas?: number; readonly suspend?: boolean };
}

async function children(types = 'pods,deployments,statefulsets,cronjobs,services'): Promise<readonly Child[]> {
  const selector = `${labels.tenant}=${NAMESPACE}`;
  const found = await cluster.kube.get<{ readonly items: readonly Child[] }>(types, '-n', NAMESPACE, '-l', selector);
  return found?.items ?? [];
}

async function named(types: string, name: string): Promise<Child | undefined> {
  return (await children(types)).find(({ metadata }) => metadata.name === name);
}

/** Resolves to the lowest term when all children are there, each with a later term than `after`. */
const allStamped = (after: number): Promise<number> =>
  vi.waitFor(async () => {
    const all = await children();
    const found = all.map(({ kind, metadata: { name } }) => `${kind} ${name}`);
    const own = ['kept', 'gone'].flatMap((prefix) => CHILDREN.map((child) => child.replace(' ', ` ${prefix}-`)));
    expect(found).toEqual(expect.arrayContaining(own));
    const staying = all.filter(({ metadata }) => !metadata.name.startsWith('declared'));
    const terms = staying.map(({ metadata }) => Number(metadata.annotations?.[annotations.term] ?? 0));
    expect(Math.min(...terms)).toBeGreaterThan(after);
    return Math.min(...terms);
  }, soon);

const CHILDREN = [
  'Pod process-pod',
  'Deployment service',
  'Service service',
  'StatefulSet persistent',
  'Service persistent',
  'CronJob cronjob',
];

/** What makes pods, and is not being deleted. */
async function makersLeft(): Promise<readonly Child[]> {
  const makers = await children('deployments,statefulsets,cronjobs');
  return makers.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

const isParked = ({ replicas, suspend }: Child['spec']) => replicas === 0 || suspend === true;

/** A pod of an earlier Deployment of that service, which is about to go. */
async function leftover(service: string): Promise<void> {
  const own = { [labels.tenant]: NAMESPACE, [labels.kind]: 'WorkloadService', [labels.name]: service };
  const replicaSet = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: service, uid: '1-2', controller: true };
  const metadata = { name: 'leftover', namespace: NAMESPACE, labels: own, ownerReferences: [replicaSet] };
  const spec = { containers: [{ name: 'main', image: 'busybox' }] };
  await cluster.kube.apply(stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec }));
}

/** As Kubernetes makes it for the first pod, on storage that can grow. */
async function claim(set: string): Promise<void> {
  const storageClass = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'grows' } };
  await cluster.kube.apply(stringify({ ...storageClass, provisioner: 'none', allowVolumeExpansion: true }));
  const name = `data-${set}-0`;
  const own = { [labels.tenant]: NAMESPACE, [labels.kind]: 'WorkloadPersistent', [labels.name]: set };
  const size = { storage: '1Gi' };
  const spec = { accessModes: ['ReadWriteOnce'], storageClassName: 'grows', resources: { requests: size } };
  const metadata = { name, namespace: NAMESPACE, labels: own };
  await cluster.kube.apply(stringify({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec }));
  const patch = JSON.stringify({ status: { phase: 'Bound', capacity: size } });
  await cluster.kube.run('patch', 'pvc', name, '-n', NAMESPACE, '--subresource=status', '--type=merge', '-p', patch);
}

async function beginsByHand(name: string): Promise<void> {
  await cluster.kube.run('create', 'job', name, '--from=cronjob/kept-cronjob', '-n', NAMESPACE);
  await vi.waitFor(async () => expect((await named('jobs', name))?.spec.suspend).toBe(false), soon);
}

/** As Kubernetes would make it for a time long gone. */
async function strayRun(cronJob: string): Promise<void> {
  const owner = await named('cronjobs', cronJob);
  const metadata = {
    name: `${cronJob}-11111112`,
    namespace: NAMESPACE,
    labels: { [labels.tenant]: NAMESPACE, [labels.kind]: 'WorkloadCronJob', [labels.name]: cronJob },
    ownerReferences: [
      { apiVersion: 'batch/v1', kind: 'CronJob', name: cronJob, uid: owner?.metadata.uid, controller: true },
    ],
  };
  const pod = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] } };
  await cluster.kube.apply(
    stringify({ apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { suspend: true, template: pod } }),
  );
}

/** As it does for a run that is due and that Kubernetes has not made; tried out, since that takes minutes. */
async function makesRun(cronJob: string, kubeconfig: string): Promise<void> {
  const client = clientOf(kubeconfig);
  const at = { name: cronJob, namespace: NAMESPACE };
  const found = await client.get<CronJob>(childTypes.cronJobs, at);
  if (!found) throw new Error(`There is no CronJob ${cronJob}`);
  await client.create(childTypes.jobs, jobFor(found, Date.now()), { dryRun: true });
  await client.close();
}
