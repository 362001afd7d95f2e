/** The same calls against the simulated API server and the real one: the answers are equal. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childTypes } from '../../api/children.ts';
import type { ClusterClient, KubeObject, ResourceType, WatchEvent } from '../../cluster/cluster-client.ts';
import { ApiError, core } from '../../cluster/cluster-client.ts';
import { HttpClusterClient } from '../../cluster/http-client.ts';
import { PooledKubeConfig } from '../../cluster/kube-config.ts';
import { ApiServer } from '../../lease/testing/api-server.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Event } from './client.ts';
import { SimClusterClient } from './client.ts';
import { SimApiServer } from './server.ts';

type Script = (client: ClusterClient) => Promise<unknown>;

const MANAGER = { fieldManager: 'test' } as const;
const { deployments, pods, services, jobs } = childTypes;
const { leases } = core;
const serviceAccounts = {
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
};

let real: ApiServer;
let realClient: ClusterClient;

beforeAll(async () => {
  real = await ApiServer.start();
  const path = join(real.folder, 'test-kubeconfig');
  await writeFile(path, real.kubeconfig('admin'));
  const config = PooledKubeConfig.load({ path });
  realClient = new HttpClusterClient({ config, clock: systemClock, userAgent: 'highlander/test' });
  // Its controller does not run here, and no pod is made without.
  await realClient.create<KubeObject>(serviceAccounts, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: meta('default'),
  });
});

afterAll(async () => {
  await realClient?.close();
  await real?.[Symbol.asyncDispose]();
});

function simulated(): ClusterClient {
  const server = new SimApiServer({ id: 'test', time: () => Date.now() });
  return new SimClusterClient({
    server,
    by: 'test',
    transport: {
      call: async (serve) => serve(),
      async *stream(open, { signal }) {
        const events: Event[] = [];
        let wake = () => {};
        const close = open((event) => {
          events.push(event);
          wake();
        });
        while (!signal.aborted) {
          for (const event of events.splice(0)) yield event;
          await new Promise<void>((resolve) => (wake = resolve));
        }
        close();
      },
    },
  });
}

const meta = (name: string, more: object = {}) => ({ name, namespace: 'default', ...more });
const container = { name: 'main', image: 'image' };
const pod = (name: string, more: object = {}): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta(name, more),
    spec: { containers: [container], automountServiceAccountToken: false },
  }) as KubeObject;
const deployment = (name: string, spec: object = {}, more: object = {}): KubeObject =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta(name, more),
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [container] } },
      ...spec,
    },
  }) as KubeObject;
const job = (name: string): KubeObject =>
  ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: meta(name),
    spec: { suspend: true, template: { spec: { restartPolicy: 'Never', containers: [container] } } },
  }) as KubeObject;

/** What a call came to, in words that do not depend on the server. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ApiError) return { code: error.code, reason: error.reason };
    throw error;
  }
}

function seen(object: KubeObject | undefined): unknown {
  if (!object) return undefined;
  const { metadata } = object;
  const { name, generation, labels, annotations, finalizers, deletionGracePeriodSeconds } = metadata;
  return {
    name,
    // Which pods have one depends on the version of Kubernetes.
    ...(object.kind !== 'Pod' && { generation }),
    labels: ownLabels(labels),
    annotations,
    finalizers,
    deletionGracePeriodSeconds,
    isDeleting: metadata.deletionTimestamp !== undefined,
  };
}

/** Without those that a real server puts on a Job. */
function ownLabels(labels: Readonly<Record<string, string>> = {}): object {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !/job-name|controller-uid/.test(key)));
}

const identity = ({ metadata: { uid = '', resourceVersion = '' } }: KubeObject) => ({ uid, resourceVersion });
const at = (name: string) => ({ name, namespace: 'default' });
const merge = { ...MANAGER, type: 'merge' } as const;

type Patch = readonly [type: ResourceType, name: string, patch: object, more?: object];

async function patched(client: ClusterClient, ...[type, name, patch, more = {}]: Patch) {
  const before = await client.get(type, at(name));
  const answer = await outcome(client.patch(type, at(name), patch, { ...merge, ...more }));
  const after = await client.get(type, at(name));
  const isChanged = before?.metadata.resourceVersion !== after?.metadata.resourceVersion;
  return [answer && 'metadata' in (answer as object) ? seen(answer as KubeObject) : answer, isChanged];
}

async function firstEvents(
  client: ClusterClient,
  type: ResourceType,
  { count, ...where }: { readonly labelSelector: string; readonly resourceVersion: string; readonly count: number },
): Promise<readonly unknown[]> {
  const ending = new AbortController();
  const events: unknown[] = [];
  const options = { ...where, timeoutSeconds: 60, idleMs: 60_000, signal: ending.signal };
  for await (const event of client.watch(type, options) as AsyncIterable<WatchEvent<KubeObject>>) {
    if (event.type === 'BOOKMARK') continue;
    events.push([event.type, seen(event.object)]);
    if (events.length === count) break;
  }
  ending.abort();
  return events;
}

const scripts: Readonly<Record<string, Script>> = {
  'what is there is not made again, nor by a dry run': async (client) => [
    seen(await client.create(pods, pod('once'), { dryRun: true })),
    await client.get(pods, at('once')),
    seen(await client.create(pods, pod('once', { uid: 'mine' }))),
    await outcome(client.create(pods, pod('once'))),
    await outcome(client.create(pods, pod('once'), { dryRun: true })),
  ],
  'what is not there is not found': async (client) => [
    await client.get(pods, at('none')),
    await outcome(client.patch(pods, at('none'), {}, merge)),
    await client.delete(pods, at('none'), { preconditions: { uid: 'x' } }),
    await outcome(client.apply(deployments, deployment('none', {}, { uid: 'x' }), MANAGER)),
  ],
  'an apply that names a version makes what is not there, and conflicts with what is': async (client) => [
    seen(await client.apply(deployments, deployment('version', {}, { resourceVersion: '1' }), MANAGER)),
    await outcome(client.apply(deployments, deployment('version', {}, { resourceVersion: '1' }), MANAGER)),
  ],
  'preconditions of patches and deletions': async (client) => {
    const made = await client.create(deployments, deployment('conditions'), MANAGER);
    const { uid, resourceVersion } = identity(made);
    return [
      await patched(client, deployments, 'conditions', { metadata: { uid: 'other', labels: { a: '1' } } }),
      await patched(client, deployments, 'conditions', { metadata: { uid: 'other', resourceVersion: '1' } }),
      await patched(client, deployments, 'conditions', { metadata: { resourceVersion: '1', labels: { a: '1' } } }),
      await patched(client, deployments, 'conditions', { metadata: { uid, resourceVersion, labels: { a: '1' } } }),
      await outcome(client.delete(deployments, at('conditions'), { preconditions: { uid, resourceVersion } })),
      await outcome(client.delete(deployments, at('conditions'), { preconditions: { uid: 'other' } })),
      await outcome(client.delete(deployments, at('conditions'), { preconditions: { uid } })),
      await client.get(deployments, at('conditions')),
    ];
  },
  'what changes nothing is no new version; generations': async (client) => {
    await client.create(deployments, deployment('generations'), MANAGER);
    return [
      await patched(client, deployments, 'generations', { metadata: { labels: { a: '1' } } }),
      await patched(client, deployments, 'generations', { metadata: { labels: { a: '1' } } }),
      await patched(client, deployments, 'generations', { metadata: { annotations: { a: '1' } } }),
      await patched(client, deployments, 'generations', { spec: { replicas: 0 } }),
      await patched(client, deployments, 'generations', { spec: { replicas: 0 } }),
      await patched(client, deployments, 'generations', { status: { replicas: 3 } }),
      await patched(
        client,
        deployments,
        'generations',
        { status: { observedGeneration: 3 } },
        { subresource: 'status' },
      ),
    ];
  },
  'jobs: what may change': async (client) => {
    await client.create(jobs, job('fixed'), MANAGER);
    return [
      await patched(client, jobs, 'fixed', { spec: { suspend: false } }),
      await patched(client, jobs, 'fixed', { spec: { template: { spec: { priorityClassName: 'x' } } } }),
      await patched(client, jobs, 'fixed', { metadata: { annotations: { term: '1' } } }),
    ];
  },
  'the spec of a pod does not change': async (client) => {
    await client.create(pods, pod('fixed'));
    return patched(client, pods, 'fixed', { spec: { hostname: 'other' } });
  },
  'a pod that no node has goes at once; one with a finalizer when that is taken off': async (client) => {
    const free = await client.create(pods, pod('free'));
    const held = await client.create(pods, pod('held', { finalizers: ['example.com/held'] }));
    await client.delete(pods, at('free'), { preconditions: { uid: identity(free).uid } });
    await client.delete(pods, at('held'), { preconditions: { uid: identity(held).uid } });
    const now = await client.get(pods, at('held'));
    return [
      await client.get(pods, at('free')),
      seen(now),
      await patched(client, pods, 'held', { metadata: { finalizers: ['example.com/held', 'example.com/new'] } }),
      await outcome(client.create(pods, pod('held'))),
      await patched(client, pods, 'held', { metadata: { finalizers: [] } }),
      await client.get(pods, at('held')),
    ];
  },
  'a pod that a node has is given its grace, which may become shorter': async (client) => {
    const bound = {
      ...pod('bound'),
      spec: { nodeName: 'node', terminationGracePeriodSeconds: 20, containers: [container] },
    };
    const { uid } = identity(await client.create(pods, bound));
    const preconditions = { uid };
    await client.delete(pods, at('bound'), { preconditions });
    const first = await client.get(pods, at('bound'));
    await client.delete(pods, at('bound'), { preconditions });
    const second = await client.get(pods, at('bound'));
    await client.delete(pods, at('bound'), { preconditions, gracePeriodSeconds: 5 });
    const third = await client.get(pods, at('bound'));
    await client.delete(pods, at('bound'), { preconditions, gracePeriodSeconds: 0 });
    return [first, second, third, await client.get(pods, at('bound'))].map(seen);
  },
  'a pod that has ended needs no grace': async (client) => {
    const bound = { ...pod('ended'), spec: { nodeName: 'node', containers: [container] } };
    const { uid } = identity(await client.create(pods, bound));
    await client.patch(pods, at('ended'), { status: { phase: 'Succeeded' } }, { ...merge, subresource: 'status' });
    await client.delete(pods, at('ended'), { preconditions: { uid } });
    return client.get(pods, at('ended'));
  },
  'a watch shows the end of a pod': async (client) => {
    const bound = { ...pod('shown'), spec: { nodeName: 'node', containers: [container] } };
    const names = ['shown', 'hidden'];
    for (const each of [bound, pod('hidden', { finalizers: ['example.com/held'] })]) {
      const { labels = {} } = each.metadata;
      await client.create(pods, { ...each, metadata: { ...each.metadata, labels: { ...labels, end: 'shown' } } });
    }
    const { resourceVersion, items } = await client.list(pods, { labelSelector: 'end=shown' });
    const preconditions = (name: string) => ({
      uid: items.find(({ metadata }) => metadata.name === name)?.metadata.uid ?? '',
    });
    for (const name of names) await client.delete(pods, at(name), { preconditions: preconditions(name) });
    await client.delete(pods, at('shown'), { preconditions: preconditions('shown'), gracePeriodSeconds: 0 });
    await client.patch(pods, at('hidden'), { metadata: { finalizers: null } }, merge);
    return firstEvents(client, pods, { labelSelector: 'end=shown', resourceVersion, count: 5 });
  },
  'server-side apply takes away what it set before, and leaves what others set': async (client) => {
    const first = deployment(
      'applied',
      { minReadySeconds: 1, revisionHistoryLimit: 3 },
      { labels: { a: '1', b: '1' }, annotations: { x: '1' } },
    );
    await client.apply(deployments, first, MANAGER);
    await client.patch(
      deployments,
      at('applied'),
      { metadata: { labels: { c: '1' } }, spec: { paused: true } },
      { ...merge, fieldManager: 'other' },
    );
    const second = deployment('applied', { minReadySeconds: 2 }, { labels: { a: '2' } });
    const same = await client.apply<KubeObject & { spec: Record<string, unknown> }>(
      deployments,
      second as never,
      MANAGER,
    );
    const again = await client.apply(deployments, second, MANAGER);
    const { minReadySeconds, revisionHistoryLimit, paused } = same.spec;
    return [
      seen(same),
      minReadySeconds,
      revisionHistoryLimit,
      paused,
      same.metadata.resourceVersion === again.metadata.resourceVersion,
    ];
  },
  'server-side apply keeps the items of lists apart': async (client) => {
    const spec = (env: object[]) => ({
      template: { metadata: { labels: { app: 'lists' } }, spec: { containers: [{ ...container, env }] } },
    });
    const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ name, value: '1' })) as [object, object, object];
    await client.apply(deployments, deployment('lists', spec([a, b])), MANAGER);
    await client.apply(deployments, deployment('lists', spec([c])), { fieldManager: 'other' });
    const last = await client.apply(deployments, deployment('lists', spec([a])), MANAGER);
    const { containers } = (
      last as unknown as { spec: { template: { spec: { containers: { env: { name: string }[] }[] } } } }
    ).spec.template.spec;
    return containers.map(({ env }) => env.map(({ name }) => name).toSorted());
  },
  'foreground deletion waits for its finalizer': async (client) => {
    const { uid } = identity(await client.create(deployments, deployment('foreground'), MANAGER));
    await client.delete(deployments, at('foreground'), { preconditions: { uid }, propagationPolicy: 'Foreground' });
    return seen(await client.get(deployments, at('foreground')));
  },
  'a Lease has no generation, and keeps what an apply does not name': async (client) => {
    const lease = (spec: object, notes: object) =>
      ({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: meta('permit', { annotations: notes }),
        spec,
      }) as never;
    const made = await client.create<KubeObject>(leases, lease({ leaseDurationSeconds: 5 }, { a: '1' }), MANAGER);
    const next = await client.apply<KubeObject & { spec: object }>(
      leases,
      lease({ renewTime: '2030-01-01T00:00:00.000000Z' }, { b: '1' }),
      MANAGER,
    );
    return [seen(made), seen(next), next.spec];
  },
  'lists by label, in pages': async (client) => {
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      await client.create(services, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: meta(`page-${name}`, { labels: { page: name < 'd' ? 'yes' : 'no' } }),
        spec: { clusterIP: 'None', selector: { a: 'b' } },
      } as KubeObject);
    const names = async (labelSelector: string) =>
      (await client.list(services, { labelSelector, pageSize: 2 })).items.map(({ metadata }) => metadata.name);
    return [await names('page=yes'), await names('page'), await names('page,page=no')];
  },
  'a watch goes on from a version, and sees what comes to fit its selector or ceases to': async (client) => {
    const labels = { watched: 'yes' };
    await client.create(services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta('watched', { labels }),
      spec: { clusterIP: 'None', selector: { a: 'b' } },
    } as KubeObject);
    const { resourceVersion } = await client.list(services, { labelSelector: 'watched=yes' });
    const change = (value: string) =>
      client.patch(services, at('watched'), { metadata: { labels: { watched: value } } }, merge);
    await client.patch(services, at('watched'), { metadata: { annotations: { a: '1' } } }, merge);
    await change('no');
    const last = await change('yes');
    await client.delete(services, at('watched'), { preconditions: { uid: identity(last).uid } });
    return firstEvents(client, services, { labelSelector: 'watched=yes', resourceVersion, count: 4 });
  },
};

describe('the simulated API server answers as the real one', () => {
  it.each(Object.keys(scripts))('%s', async (name) => {
    const script = scripts[name];
    const [expected, answered] = [await script?.(realClient), await script?.(simulated())];
    expect(answered).toEqual(expected);
  });
});
