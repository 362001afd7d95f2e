/** A WorkloadService and a WorkloadPersistent of one name in one namespace, against a real API server: both run. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service, StatefulSet } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import { persistentResource } from '../api/persistent.ts';
import { serviceResource } from '../api/service.ts';
import { RealWorld, type RealKind } from '../reconcile/testing/real-world.ts';
import { PersistentReconciler } from './persistent/reconciler.ts';
import { ServiceReconciler } from './service/reconciler.ts';

const { deployments, services, statefulSets } = childTypes;
const service: RealKind = {
  resource: serviceResource,
  types: [deployments, services],
  contenders: persistentResource,
  make: (options) => new ServiceReconciler(options),
};
const persistent: RealKind = {
  resource: persistentResource,
  types: [statefulSets, services],
  contenders: serviceResource,
  make: (options) => new PersistentReconciler(options),
};
const SPEC = { image: 'broker:1', ports: [{ name: 'amqp', containerPort: 5672 }] };

let world: RealWorld;
let number = 0;
let key = { namespace: '', name: 'mq' };

beforeAll(async () => {
  world = await RealWorld.start();
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());

async function place(): Promise<void> {
  key = { namespace: `place-${(number += 1)}`, name: 'mq' };
  await world.namespace(key.namespace);
}

/** Name of each Service with the kind to whose pods it leads, and what the statuses say. */
async function outcome() {
  const { items } = await world.client.list<Service>(services, { namespace: key.namespace });
  const kindOf = ({ spec }: Service) => spec.selector?.['highlander.plexobject.io/kind'] ?? '';
  const set = await world.get<StatefulSet>(statefulSets, key, 'mq');
  const [one, other] = [await world.workload(serviceResource, key), await world.workload(persistentResource, key)];
  return {
    services: Object.fromEntries(items.map((each) => [each.metadata.name, kindOf(each)])),
    governing: set?.spec.serviceName,
    said: [one.status['serviceName'], other.status['serviceName'], other.status['podServiceName']],
    problems: [one.status['lastError'], other.status['lastError']],
    hasDeployment: (await world.get(deployments, key, 'mq')) !== undefined,
  };
}

const SERVICE_HAS_IT = {
  services: { mq: 'WorkloadService', 'mq-headless': 'WorkloadPersistent' },
  governing: 'mq-headless',
  said: ['mq', 'mq-headless', 'mq-headless'],
  problems: [undefined, undefined],
  hasDeployment: true,
};
const PERSISTENT_HAS_IT = {
  services: { mq: 'WorkloadPersistent', 'mq-service': 'WorkloadService' },
  governing: 'mq',
  said: ['mq-service', 'mq', 'mq'],
  problems: [undefined, undefined],
  hasDeployment: true,
};

async function both(first: RealKind, second: RealKind): Promise<void> {
  for (const kind of [first, second, first, second]) await world.reconcile(kind, key);
}

describe('a WorkloadService and a WorkloadPersistent of one name', () => {
  it('both run when the service was there first', async () => {
    await place();
    await world.apply(serviceResource, key, SPEC);
    await world.reconcile(service, key);
    await world.apply(persistentResource, key, SPEC);
    await both(persistent, service);
    expect(await outcome()).toEqual(SERVICE_HAS_IT);
    world.takeChanges();
    await both(persistent, service);
    expect(world.takeChanges()).toEqual([]);
  });

  it('both run when the stateful set was there first, which keeps its name', async () => {
    await place();
    await world.apply(persistentResource, key, SPEC);
    await world.reconcile(persistent, key);
    await world.apply(serviceResource, key, SPEC);
    await both(service, persistent);
    expect(await outcome()).toEqual(PERSISTENT_HAS_IT);
    world.takeChanges();
    await both(service, persistent);
    expect(world.takeChanges()).toEqual([]);
  });

  it.each([
    ['the service', service, persistent],
    ['the stateful set', persistent, service],
  ])('have the same names in a cluster that takes over and begins with %s', async (_sentence, first, second) => {
    await place();
    await world.apply(persistentResource, key, SPEC);
    await nextSecond();
    await world.apply(serviceResource, key, SPEC);
    await both(first, second);
    expect(await outcome()).toEqual(PERSISTENT_HAS_IT);
  });

  it('keep their names when the other one goes', async () => {
    await place();
    await world.apply(serviceResource, key, SPEC);
    await world.reconcile(service, key);
    await world.apply(persistentResource, key, SPEC);
    await world.reconcile(persistent, key);
    const { metadata } = await world.workload(serviceResource, key);
    await world.client.delete(serviceResource, key, { preconditions: { uid: metadata.uid ?? '' } });
    await world.reconcile(service, key);
    await world.reconcile(persistent, key);
    const set = await world.get<StatefulSet>(statefulSets, key, 'mq');
    expect(set?.spec.serviceName).toBe('mq-headless');
    expect(await world.get(services, key, 'mq-headless')).toBeDefined();
  });
});

it('a WorkloadService that takes the place of a deleted WorkloadPersistent waits for its name', async () => {
  await place();
  await world.apply(persistentResource, key, SPEC);
  await world.reconcile(persistent, key);
  const { metadata } = await world.workload(persistentResource, key);
  await world.client.delete(persistentResource, key, { preconditions: { uid: metadata.uid ?? '' } });
  await world.apply(serviceResource, key, SPEC);
  await world.reconcile(service, key);
  expect(await world.get(services, key, 'mq-service')).toBeUndefined();
  const left = await world.get<Service>(services, key, 'mq');
  await world.client.delete(services, key, { preconditions: { uid: left?.metadata.uid ?? '' } });
  await world.reconcile(service, key);
  expect((await world.workload(serviceResource, key)).status['serviceName']).toBe('mq');
});

it('a WorkloadPersistent gives way to a Service that is none of ours, and leaves it alone', async () => {
  await place();
  const theirs = { apiVersion: 'v1', kind: 'Service', metadata: { ...key }, spec: { ports: [{ port: 80 }] } };
  await world.client.create(services, theirs);
  await world.apply(persistentResource, key, SPEC);
  await world.reconcile(persistent, key);
  await world.reconcile(persistent, key);
  expect((await world.get<StatefulSet>(statefulSets, key, 'mq'))?.spec.serviceName).toBe('mq-headless');
  expect((await world.get<Service>(services, key, 'mq'))?.spec.selector).toBeUndefined();
});

/** Kubernetes tells when an object was made in whole seconds. */
async function nextSecond(): Promise<void> {
  const second = (): number => Math.floor(Date.now() / 1000);
  for (const start = second(); second() === start;) await new Promise((next) => setTimeout(next, 20));
}
