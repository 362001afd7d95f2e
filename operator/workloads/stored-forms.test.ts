/**
 * What templates and amounts become in a real API server: every field is stored, and neither a second look nor a new leader
 * takes the form in which it is stored for a change by somebody else.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChildType } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import { cronJobResource } from '../api/cronjob.ts';
import { DEFAULT_TENANT } from '../api/group.ts';
import { persistentResource } from '../api/persistent.ts';
import { processResource } from '../api/process.ts';
import { serviceResource } from '../api/service.ts';
import type { KubeObject } from '../cluster/cluster-client.ts';
import { LedgerStore } from '../ledger/ledger.ts';
import { ProcessLedger } from '../ledger/process-ledger.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { systemClock } from '../lib/clock.ts';
import { contains } from '../reconcile/contains.ts';
import type { OwnedCache } from '../reconcile/ports.ts';
import { RealWorld, type RealKind } from '../reconcile/testing/real-world.ts';
import type { Pod } from '../api/kubernetes.ts';
import { CronJobReconciler } from './cronjob/reconciler.ts';
import { PersistentReconciler } from './persistent/reconciler.ts';
import { ProcessReconciler } from './process/reconciler.ts';
import { ServiceReconciler } from './service/reconciler.ts';

const { cronJobs, deployments, jobs, pods, services, statefulSets } = childTypes;
const store = new MemoryStore(systemClock);

const service: RealKind = {
  resource: serviceResource,
  types: [deployments, services],
  make: (options) => new ServiceReconciler(options),
};
const persistent: RealKind = {
  resource: persistentResource,
  types: [statefulSets, services],
  make: (options) => new PersistentReconciler(options),
};
const cronJob: RealKind = {
  resource: cronJobResource,
  types: [cronJobs, jobs],
  make: (options) =>
    new CronJobReconciler({ ...options, ledger: new LedgerStore(store, DEFAULT_TENANT), clusterId: 'east' }),
};
const process: RealKind = {
  resource: processResource,
  types: [],
  make: ({ caches, ...options }) =>
    new ProcessReconciler({
      ...options,
      pods: caches[0]?.cache as OwnedCache<KubeObject> as OwnedCache<Pod>,
      pasts: new ProcessLedger(store, DEFAULT_TENANT),
    }),
};

const kinds = [
  ['WorkloadProcess', process, pods, {}],
  ['WorkloadService', service, deployments, {}],
  ['WorkloadPersistent', persistent, statefulSets, {}],
  ['WorkloadCronJob', cronJob, cronJobs, { schedule: '@daily' }],
] as const;

let world: RealWorld;
let number = 0;

beforeAll(async () => {
  world = await RealWorld.start();
  await world.namespace('forms');
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());

interface Stored {
  readonly child: KubeObject & { readonly spec?: unknown };
  /** What a second look, and then a new leader, did. */
  readonly after: readonly string[];
}

/** The workload is applied, brought up, looked at again, and adopted by the next leader. */
async function stored(kind: RealKind, type: ChildType, spec: object, name?: string): Promise<Stored> {
  const key = { namespace: 'forms', name: `t${(number += 1)}` };
  await world.apply(kind.resource, key, { image: 'app:1', ...spec });
  world.takeChanges();
  await world.reconcile(kind, key);
  const child = await world.get<Stored['child']>(type, key, name ?? (type === pods ? `${key.name}-pod` : key.name));
  const { status } = await world.workload(kind.resource, key);
  if (!child) throw new Error(`No ${type.kind}: ${String(status['lastError'])}`);
  const first = world.takeChanges().filter((change) => !change.endsWith(': Absent'));
  await world.reconcile(kind, key);
  const second = world.takeChanges();
  await world.reconcile(kind, key, 8);
  const adopted = world.takeChanges().filter((change) => !change.endsWith(': Adopted'));
  const now = await world.get<Stored['child']>(type, key, child.metadata.name);
  expect(now?.spec).toEqual(child.spec);
  return { child, after: [...first, ...second, ...adopted] };
}

type Row = readonly [string, unknown, object];
const NONE = {};
const ports = [{ name: 'http', containerPort: 8080 }];
const LOAD_BALANCER = { type: 'LoadBalancer' };

describe('a field of a template is stored, and is no drift', () => {
  const serviceFields: readonly Row[] = [
    ['type', 'NodePort', NONE],
    ['loadBalancerClass', 'example.com/internal', LOAD_BALANCER],
    ['loadBalancerIP', '192.0.2.7', LOAD_BALANCER],
    ['loadBalancerSourceRanges', ['192.0.2.0/24'], LOAD_BALANCER],
    ['allocateLoadBalancerNodePorts', false, LOAD_BALANCER],
    ['externalTrafficPolicy', 'Local', LOAD_BALANCER],
    ['healthCheckNodePort', 31_999, { ...LOAD_BALANCER, externalTrafficPolicy: 'Local' }],
    ['internalTrafficPolicy', 'Local', NONE],
    ['sessionAffinity', 'ClientIP', NONE],
    ['sessionAffinityConfig', { clientIP: { timeoutSeconds: 600 } }, { sessionAffinity: 'ClientIP' }],
    ['ipFamilies', ['IPv4'], NONE],
    ['ipFamilyPolicy', 'PreferDualStack', NONE],
    ['trafficDistribution', 'PreferClose', NONE],
    ['publishNotReadyAddresses', true, NONE],
    ['publishNotReadyAddresses', false, NONE],
    ['externalIPs', ['192.0.2.9'], NONE],
    ['clusterIP', '10.0.0.77', NONE],
    ['clusterIP', 'None', NONE],
    ['ports', [{ port: 8080, appProtocol: 'kubernetes.io/h2c' }], NONE],
    ['ports', [{ port: 8080, nodePort: 31_888 }], { type: 'NodePort' }],
    ['ports', [{ name: 'more', port: 9090, targetPort: 'http' }], NONE],
  ];

  it.each(serviceFields)('Service: %s %j', async (field, value, more) => {
    const spec = { ports, serviceTemplate: { spec: { ...more, [field]: value } } };
    const { child, after } = await stored(service, services, spec);
    expect(contains(child.spec, { [field]: value, ...more })).toBe(true);
    expect(after).toEqual([]);
  });

  it.each(serviceFields.filter(([, value]) => value !== '10.0.0.77' && value !== 31_999 && field31888(value)))(
    'Service of a WorkloadPersistent: %s %j',
    async (field, value, more) => {
      const spec = { ports, serviceTemplate: { spec: { type: 'ClusterIP', clusterIP: '', ...more, [field]: value } } };
      const { child, after } = await stored(persistent, services, spec);
      expect(contains(child.spec, { [field]: value, ...more })).toBe(true);
      expect(after).toEqual([]);
    },
  );

  it.each<[string, unknown, object]>([
    ['minReadySeconds', 10, {}],
    ['minReadySeconds', 0, {}],
    ['revisionHistoryLimit', 2, {}],
    ['revisionHistoryLimit', 0, {}],
    ['strategy', { type: 'Recreate' }, { replicas: 2 }],
    ['strategy', { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }, { replicas: 2 }],
    ['strategy', { rollingUpdate: { maxSurge: '50%' } }, { replicas: 2 }],
    ['strategy', { type: 'Recreate' }, { replicas: 1 }],
  ])('Deployment: %s %j', async (field, value, more) => {
    const { child, after } = await stored(service, deployments, {
      ...more,
      deploymentTemplate: { spec: { [field]: value } },
    });
    expect(contains(child.spec, { [field]: value })).toBe(true);
    expect(after).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['updateStrategy', { type: 'OnDelete' }],
    ['updateStrategy', { type: 'RollingUpdate', rollingUpdate: { partition: 2 } }],
    ['updateStrategy', { rollingUpdate: { partition: 0 } }],
    ['minReadySeconds', 10],
    ['revisionHistoryLimit', 3],
    ['ordinals', { start: 5 }],
  ])('StatefulSet: %s %j', async (field, value) => {
    const { child, after } = await stored(persistent, statefulSets, {
      statefulSetTemplate: { spec: { [field]: value } },
    });
    expect(contains(child.spec, { [field]: value })).toBe(true);
    expect(after).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['podManagementPolicy', 'Parallel'],
    ['persistentVolumeClaimRetentionPolicy', { whenDeleted: 'Delete', whenScaled: 'Delete' }],
    ['serviceName', 'nodes'],
    ['replicas', 3],
  ])('StatefulSet, by the field of the spec: %s %j', async (field, value) => {
    const { child, after } = await stored(persistent, statefulSets, { [field]: value });
    expect(contains(child.spec, { [field]: value })).toBe(true);
    expect(after).toEqual([]);
  });

  it.each<[string, RealKind, ChildType, object]>([
    ['serviceTemplate', service, services, { ports }],
    ['serviceTemplate', persistent, services, { ports }],
    ['deploymentTemplate', service, deployments, {}],
    ['statefulSetTemplate', persistent, statefulSets, {}],
  ])('labels and annotations of %s (%#)', async (template, kind, type, more) => {
    const metadata = { labels: { team: 'data' }, annotations: { 'service.beta.kubernetes.io/lb': 'nlb' } };
    const { child, after } = await stored(kind, type, { ...more, [template]: { metadata } });
    expect(child.metadata).toMatchObject(metadata);
    expect(after).toEqual([]);
  });

  it('a broker with all that its Service, StatefulSet and claims can say', async () => {
    const { child, after } = await stored(persistent, statefulSets, {
      ports: [
        { name: 'amqp', containerPort: 5672 },
        { name: 'http', containerPort: 15_672 },
      ],
      serviceTemplate: { metadata: { annotations: { 'lb/type': 'nlb' } }, spec: LOAD_BALANCER },
      statefulSetTemplate: { spec: { updateStrategy: { type: 'OnDelete' } } },
      persistentVolumes: [{ name: 'data', mountPath: '/var/lib/rabbitmq', size: '8Gi' }],
      volumeClaimTemplates: [
        { metadata: { name: 'data', labels: { backup: 'yes' } }, spec: { volumeMode: 'Filesystem' } },
      ],
    });
    expect(child.spec).toMatchObject({
      updateStrategy: { type: 'OnDelete' },
      volumeClaimTemplates: [{ metadata: { name: 'data', labels: { backup: 'yes' } } }],
    });
    expect(after).toEqual([]);
  });
});

/** A node port is taken once. */
function field31888(value: unknown): boolean {
  return !JSON.stringify(value).includes('31888');
}

/** Memory, CPUs and a divisor of memory. */
const AMOUNTS: readonly (readonly [string | number, string | number, string | number])[] = [
  ['1024Mi', 1, '1Mi'],
  ['0.5Gi', '0.5', '1024Ki'],
  ['1.5Gi', '.5', 1],
  ['2.3Gi', '0.051', '1000k'],
  [1_048_576, '2000m', '1k'],
  ['1e9', '1e3', '1000000'],
  ['1000M', '2.', '1.0M'],
];

describe('an amount in another form than the API server stores is no drift', () => {
  const rw = ['ReadWriteOnce'];

  /** Everywhere in a pod where there may be one. */
  function everywhere([memory, cpu, divisor]: (typeof AMOUNTS)[number]): object {
    const resourceFieldRef = { resource: 'limits.memory', containerName: 'main', divisor };
    const items = [{ path: 'm', resourceFieldRef }];
    const resources = { requests: { memory, cpu }, limits: { memory, cpu, 'ephemeral-storage': memory } };
    const claim = {
      spec: { accessModes: rw, resources: { requests: { storage: memory }, limits: { storage: memory } } },
    };
    const spec = {
      containers: [
        { name: 'main', env: [{ name: 'MEMORY', valueFrom: { resourceFieldRef } }] },
        { name: 'sidecar', image: 'sidecar:1', resources },
      ],
      initContainers: [{ name: 'init', image: 'init:1', resources }],
      volumes: [
        { name: 'a', emptyDir: { medium: 'Memory', sizeLimit: memory } },
        { name: 'b', ephemeral: { volumeClaimTemplate: claim } },
        { name: 'c', downwardAPI: { items } },
        { name: 'd', projected: { sources: [{ downwardAPI: { items } }] } },
      ],
    };
    return { podTemplate: { spec } };
  }

  it.each(AMOUNTS.flatMap((amounts) => kinds.map(([name, ...kind]) => [name, amounts, kind] as const)))(
    '%s: %j',
    async (_name, amounts, [kind, type, more]) => {
      const [memory, cpu] = amounts;
      const own = { resources: { memoryRequest: memory, memoryLimit: memory, cpuRequest: cpu, cpuLimit: cpu } };
      const pod = everywhere(amounts);
      expect((await stored(kind, type, { ...own, ...pod, ...more })).after).toEqual([]);
    },
  );

  it.each(kinds)('%s: of the pod as a whole', async (_name, kind, type, more) => {
    const limits = { memory: '1024Mi', cpu: '0.051' };
    const { after } = await stored(kind, type, { ...more, podTemplate: { spec: { resources: { limits } } } });
    expect(after).toEqual([]);
  });

  it.each(kinds)('%s: nor is an edit that writes it in another form, and no pod is replaced', async (_name, ...of) => {
    const [kind, type, more] = of;
    const spec = (memoryLimit: string, memory: string) => ({
      image: 'app:1',
      ...more,
      resources: { memoryLimit, cpuLimit: memoryLimit === '1Gi' ? '1' : 1 },
      podTemplate: { spec: { volumes: [{ name: 'v', emptyDir: { sizeLimit: memory } }] } },
    });
    const key = { namespace: 'forms', name: `t${(number += 1)}` };
    const child = () => world.get<Stored['child']>(type, key, type === pods ? `${key.name}-pod` : key.name);
    await world.apply(kind.resource, key, spec('1Gi', '512Mi'));
    await world.reconcile(kind, key);
    const before = await child();
    await world.apply(kind.resource, key, spec('1024Mi', '0.5Gi'));
    world.takeChanges();
    await world.reconcile(kind, key, 8);
    const after = await child();
    expect([after?.metadata.uid, after?.spec]).toEqual([before?.metadata.uid, before?.spec]);
    expect(world.takeChanges().every((change) => change.startsWith('stamp '))).toBe(true);
  });

  it('and a request may be its limit in another form', async () => {
    const resources = { cpuRequest: '9m', cpuLimit: '0.009' };
    expect((await stored(service, deployments, { resources })).after).toEqual([]);
  });

  it.each(AMOUNTS)('claims of %j', async (size) => {
    const persistentVolumes = [{ name: 'data', mountPath: '/data', size }];
    const resources = { requests: { storage: size }, limits: { storage: size } };
    const volumeClaimTemplates = [{ metadata: { name: 'logs' }, spec: { accessModes: rw, resources } }];
    const { after } = await stored(persistent, statefulSets, { persistentVolumes, volumeClaimTemplates });
    expect(after).toEqual([]);
  });

  it.each([
    ['1024Mi', '1Gi'],
    ['0.5Gi', '512Mi'],
    [1_048_576, '1048576'],
    ['1000M', '1G'],
  ])('though it is stored in that form: %j as %j', async (memoryLimit, form) => {
    const { child } = await stored(service, deployments, { resources: { memoryLimit } });
    expect(JSON.stringify(child.spec)).toContain(`"memory":"${form}"`);
  });
});

describe('a number or a name is stored as it is written, and is no drift', () => {
  const handlers = (port: string | number) => ({
    ports,
    podTemplate: {
      spec: {
        containers: [
          {
            name: 'main',
            livenessProbe: { tcpSocket: { port } },
            readinessProbe: { httpGet: { path: '/', port } },
            startupProbe: { grpc: { port: 8080 } },
            lifecycle: { preStop: { httpGet: { path: '/', port } } },
          },
        ],
      },
    },
  });

  it.each([8080, 'http'])('port %j of handlers', async (port) => {
    for (const [, kind, type, more] of kinds) {
      const { child, after } = await stored(kind, type, { ...handlers(port), ...more });
      expect(JSON.stringify(child.spec)).toContain(`"preStop":{"httpGet":{"path":"/","port":${JSON.stringify(port)}`);
      expect(after).toEqual([]);
    }
  });

  it.each(['1m', '60s', '0.5m'])('durations: %s', async (duration) => {
    const { after } = await stored(service, deployments, {
      readinessTimeout: duration,
      terminationGracePeriod: duration,
    });
    expect(after).toEqual([]);
  });

  it.each(['25%', 1, 0])('maxSurge %j', async (maxSurge) => {
    const rollingUpdate = { maxSurge, maxUnavailable: 1 };
    const spec = { replicas: 3, deploymentTemplate: { spec: { strategy: { rollingUpdate } } } };
    expect((await stored(service, deployments, spec)).after).toEqual([]);
  });
});
