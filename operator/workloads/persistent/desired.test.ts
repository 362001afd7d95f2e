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
  const spec = {
    persistentVolumes: [DATA],
    serviceName: 'a',
    volumeClaimTemplates: [
      {
        metadata: { name: 'logs' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ],
  };
  const live = liveWith([childTypes.statefulSets, set(spec)]);
  const change = (given: object) => () => render({ ...spec, ...given }, { live });
  const logs = (more: object) => ({
    volumeClaimTemplates: [{ ...spec.volumeClaimTemplates[0], ...more }],
  });
  const logsSpec = (more: object) => logs({ spec: { ...spec.volumeClaimTemplates[0]?.spec, ...more } });

  it.each([
    [
      { persistentVolumes: [{ ...DATA, storageClassName: 'fast' }] },
      'spec.persistentVolumes[data].storageClassName cannot be changed from none to fast',
    ],
    [
      { persistentVolumes: [{ ...DATA, accessMode: 'ReadWriteMany' }] },
      'spec.persistentVolumes[data].accessMode cannot be changed from ReadWriteOnce to ReadWriteMany',
    ],
    [
      { persistentVolumes: [{ ...DATA, volumeMode: 'Block' }] },
      'spec.persistentVolumes[data].volumeMode cannot be changed from none to Block',
    ],
    [{ persistentVolumes: [] }, 'spec.persistentVolumes cannot be changed from data, logs to logs'],
    [{ volumeClaimTemplates: [] }, 'spec.persistentVolumes cannot be changed from data, logs to data'],
    [
      logsSpec({ volumeMode: 'Block' }),
      'spec.volumeClaimTemplates[logs].spec.volumeMode cannot be changed from none to Block',
    ],
    [
      logs({ metadata: { name: 'logs', labels: { backup: 'yes' } } }),
      'spec.volumeClaimTemplates[logs].metadata.labels cannot be changed from none to {"backup":"yes"}',
    ],
    [{ serviceName: 'b' }, 'spec.serviceName cannot be changed from a to b'],
    [{ podManagementPolicy: 'Parallel' }, 'spec.podManagementPolicy cannot be changed from OrderedReady to Parallel'],
  ])('is refused by name, with both values and the way out: %j', (given, message) => {
    expect(change(given)).toThrow(
      `${message} of web (nothing was changed): change it back, or delete and recreate the workload`,
    );
  });

  it.each([
    ['the same size in another form', { persistentVolumes: [{ ...DATA, size: '10240Mi' }] }],
    ['where it is mounted', { persistentVolumes: [{ ...DATA, mountPath: '/data' }] }],
    ['a larger size', { persistentVolumes: [{ ...DATA, size: '20Gi' }] }],
    ['a larger size of a template', logsSpec({ resources: { requests: { storage: '2Gi' } } })],
  ])('does not include %s', (_sentence, given) => expect(change(given)).not.toThrow());

  it('includes the sizes of the StatefulSet itself, which keeps them', () => {
    const [first] = render({ ...spec, persistentVolumes: [{ ...DATA, size: '20Gi' }] }, { live });
    const sizes = (first!.object as StatefulSet).spec.volumeClaimTemplates?.map((each) => each.spec.resources.requests);
    expect(sizes).toEqual([{ storage: '10Gi' }, { storage: '1Gi' }]);
  });

  it('is a size below the one that it was made with, and says what to do', () => {
    expect(change({ persistentVolumes: [{ ...DATA, size: '5Gi' }] })).toThrow(
      'Volume data cannot shrink from 10Gi to 5Gi (nothing was changed): set at least 10Gi, or move the data',
    );
  });
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
      'is required for a claim that persistentVolumes does not list',
    ],
    [{ persistentVolumes: [DATA, { ...DATA, name: 'more' }] }, 'is already used by another volume'],
  ])('%j is refused', (given, message) => {
    expect(() => render(given)).toThrow(message);
  });
});
