import { describe, expect, it } from 'vitest';
import type { StatefulSet } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import { labels } from '../../api/group.ts';
import { PERSISTENT_KIND, persistentSpec } from '../../api/persistent.ts';
import type { Claim } from '../../reconcile/child.ts';
import { claimFor, liveWith } from '../../reconcile/testing/claims.ts';
import { desired } from './desired.ts';

const DATA = { name: 'data', mountPath: '/var/mqm', size: '10Gi' };
const inOrder = (given: Record<string, unknown> = {}, more: Partial<Claim> = {}) =>
  desired(claimFor(PERSISTENT_KIND, 'persistent', more), persistentSpec.parse({ image: 'mq:1', ...given }));
/** The StatefulSet first. */
const render = (...of: Parameters<typeof inOrder>) => {
  const isSet = ({ type }: { readonly type: object }) => type === childTypes.statefulSets;
  return [...inOrder(...of).filter(isSet), ...inOrder(...of).filter((child) => !isSet(child))];
};
const set = (given = {}) => render(given)[0]!.object as StatefulSet;
const SELECTOR = { [labels.tenant]: 'default', [labels.kind]: PERSISTENT_KIND, [labels.name]: 'web' };

it('renders the message queue of the handbook', () => {
  const [first, second] = render({
    replicas: 1,
    ports: [{ name: 'mq', containerPort: 1414, servicePort: 1414 }],
    persistentVolumes: [{ ...DATA, storageClassName: 'fast' }],
    env: { LICENSE: 'accept' },
  });
  expect(first?.object).toMatchObject({
    kind: 'StatefulSet',
    spec: {
      replicas: 1,
      serviceName: 'web',
      podManagementPolicy: 'OrderedReady',
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      selector: { matchLabels: SELECTOR },
      template: { spec: { containers: [{ name: 'main', volumeMounts: [{ name: 'data', mountPath: '/var/mqm' }] }] } },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: {
            accessModes: ['ReadWriteOnce'],
            storageClassName: 'fast',
            resources: { requests: { storage: '10Gi' } },
          },
        },
      ],
    },
  });
  expect(second?.object).toMatchObject({
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { clusterIP: 'None', selector: SELECTOR, ports: [{ name: 'mq', port: 1414, targetPort: 1414 }] },
  });
});

it('has a headless Service without ports too, for the names of its pods', () => {
  expect(render({ serviceName: 'peers' })[1]?.object).toMatchObject({
    metadata: { name: 'peers' },
    spec: { clusterIP: 'None' },
  });
});

it('has a Service that translates ports where they differ, after the headless one has gone', () => {
  const given = { ports: [{ containerPort: 1414, servicePort: 80 }] };
  const [, service] = render(given);
  expect(service?.object.spec).not.toHaveProperty('clusterIP');
  const headless = render()[1]!.object;
  expect(render(given, { live: liveWith([childTypes.services, headless]) })).toHaveLength(1);
});

it('keeps the data of a parked workload', () => {
  const policy = { persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Delete' } };
  expect(set({ ...policy, suspend: true }).spec).toMatchObject({
    replicas: 0,
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
  });
});

describe('what cannot be changed', () => {
  const live = liveWith([childTypes.statefulSets, set({ persistentVolumes: [DATA], serviceName: 'a' })]);
  const change = (given: object) => () => render({ persistentVolumes: [DATA], serviceName: 'a', ...given }, { live });

  it.each([
    ['the size', { persistentVolumes: [{ ...DATA, size: '20Gi' }] }, 'spec.persistentVolumes'],
    ['the class', { persistentVolumes: [{ ...DATA, storageClassName: 'fast' }] }, 'spec.persistentVolumes'],
    ['the number of volumes', { persistentVolumes: [] }, 'spec.persistentVolumes'],
    ['the Service', { serviceName: 'b' }, 'spec.serviceName'],
    ['the order of pods', { podManagementPolicy: 'Parallel' }, 'spec.podManagementPolicy'],
  ])('is refused by name: %s', (_sentence, given, field) => expect(change(given)).toThrow(field));

  it.each([
    ['the same size in another form', { persistentVolumes: [{ ...DATA, size: '10240Mi' }] }],
    ['where it is mounted', { persistentVolumes: [{ ...DATA, mountPath: '/data' }] }],
  ])('does not include %s', (_sentence, given) => expect(change(given)).not.toThrow());
});

describe('a broker behind a load balancer', () => {
  const broker = {
    ports: [{ name: 'amqp', containerPort: 5672 }],
    serviceTemplate: { metadata: { annotations: { lb: 'nlb' } }, spec: { type: 'LoadBalancer' } },
    statefulSetTemplate: { spec: { updateStrategy: { type: 'OnDelete' } } },
    persistentVolumes: [DATA],
    volumeClaimTemplates: [
      { metadata: { name: 'data', labels: { backup: 'yes' } }, spec: { volumeMode: 'Filesystem', resources: null } },
      {
        metadata: { name: 'logs' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ],
  };

  it('has the claims, the update strategy and the Service that its templates describe', () => {
    const [first, second] = render(broker);
    expect(first?.object.spec).toMatchObject({
      updateStrategy: { type: 'OnDelete' },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data', labels: { backup: 'yes' } },
          spec: { volumeMode: 'Filesystem', resources: { requests: { storage: '10Gi' } } },
        },
        { metadata: { name: 'logs' }, spec: { resources: { requests: { storage: '1Gi' } } } },
      ],
    });
    expect(second?.object).toMatchObject({
      metadata: { name: 'web', annotations: { lb: 'nlb' } },
      spec: { type: 'LoadBalancer', selector: SELECTOR, ports: [{ name: 'amqp', port: 5672 }] },
    });
    expect(second?.object.spec).not.toHaveProperty('clusterIP');
  });

  it('keeps a headless Service for the names of its pods where serviceName names another one', () => {
    const [, headless, front] = render({ ...broker, serviceName: 'web-nodes' });
    expect(headless?.object).toMatchObject({ metadata: { name: 'web-nodes' }, spec: { clusterIP: 'None' } });
    expect(headless?.object.metadata.annotations).not.toHaveProperty('lb');
    expect(front?.object).toMatchObject({ metadata: { name: 'web' }, spec: { type: 'LoadBalancer' } });
  });

  it.each([
    [{ statefulSetTemplate: { spec: { serviceName: 'x' } } }, 'cannot be set here: use spec.serviceName'],
    [
      { volumeClaimTemplates: [{ metadata: { name: 'logs' } }] },
      'is required for a claim that persistentVolumes do not list',
    ],
    [{ persistentVolumes: [DATA, { ...DATA, name: 'more' }] }, 'is the place of another volume'],
  ])('%j is refused', (given, message) => {
    expect(() => render(given)).toThrow(message);
  });
});
