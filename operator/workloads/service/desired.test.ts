import { describe, expect, it } from 'vitest';
import type { Deployment } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import { annotations, labels } from '../../api/group.ts';
import { SERVICE_KIND, serviceSpec } from '../../api/service.ts';
import type { Claim } from '../../reconcile/child.ts';
import { claimFor, liveWith } from '../../reconcile/testing/claims.ts';
import { desired } from './desired.ts';

const render = (given: Record<string, unknown> = {}, more: Partial<Claim> = {}) =>
  desired(claimFor(SERVICE_KIND, 'service', more), serviceSpec.parse({ image: 'api:1', ...given }));
const deployment = (...given: Parameters<typeof render>) => render(...given)[0]!.object as Deployment;
const tokenIn = ({ spec }: Deployment) =>
  spec.template.spec.containers[0]?.env?.find(({ name }) => name === 'HIGHLANDER_FENCING_TOKEN')?.value;
const SELECTOR = { [labels.tenant]: 'default', [labels.kind]: SERVICE_KIND, [labels.name]: 'web' };

it('renders the service of the handbook', () => {
  const [first, second] = render({
    replicas: 1,
    ports: [{ name: 'http', containerPort: 8080, servicePort: 80 }],
    env: { LOG_LEVEL: 'info' },
    resources: { cpuRequest: '100m', memoryRequest: '128Mi' },
    healthCheckPath: '/healthz',
    terminationGracePeriod: '1m',
    labels: { team: 'data' },
  });
  expect(first?.object).toMatchObject({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      labels: { ...SELECTOR, team: 'data', 'app.kubernetes.io/component': 'service' },
      ownerReferences: [{ kind: SERVICE_KIND, name: 'web', uid: 'u1', controller: true }],
      annotations: { [annotations.term]: '7', [annotations.generation]: '1', [annotations.activationTerm]: '7' },
    },
    spec: {
      replicas: 1,
      strategy: { type: 'Recreate', rollingUpdate: null },
      progressDeadlineSeconds: 300,
      selector: { matchLabels: SELECTOR },
      template: {
        metadata: { labels: { ...SELECTOR, team: 'data' } },
        spec: {
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 60,
          containers: [{ name: 'main', readinessProbe: { httpGet: { path: '/healthz', port: 8080 } } }],
        },
      },
    },
  });
  expect(second?.object).toMatchObject({
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: SELECTOR, ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }] },
  });
});

it('has no Service without ports, and leaves the number of pods to others when none is given', () => {
  expect(render()).toHaveLength(1);
  expect(deployment().spec).not.toHaveProperty('replicas');
});

it('stops the old pod first, unless there are several', () => {
  expect(deployment({ replicas: 1 }).spec.strategy?.type).toBe('Recreate');
  expect(deployment({ replicas: 2 }).spec.strategy?.type).toBe('RollingUpdate');
});

it('is parked with no pods', () => expect(deployment({ replicas: 3, suspend: true }).spec.replicas).toBe(0));

it('tells every port of several apart', () => {
  const [, service] = render({ ports: [{ containerPort: 1 }, { containerPort: 1, protocol: 'UDP' }] });
  expect(service?.object.spec).toMatchObject({ ports: [{ name: 'tcp-1' }, { name: 'udp-1' }] });
});

describe('templates', () => {
  it('add to the Service and to the Deployment what the spec does not say, and yield to it', () => {
    const [first, second] = render({
      replicas: 3,
      ports: [{ name: 'http', containerPort: 8080, servicePort: 80 }],
      labels: { team: 'data' },
      serviceTemplate: {
        metadata: { labels: { team: 'other', tier: 'front' }, annotations: { lb: 'nlb' } },
        spec: { type: 'LoadBalancer', ports: [{ port: 80, nodePort: 30_080, name: 'x' }], sessionAffinity: null },
      },
      deploymentTemplate: { spec: { minReadySeconds: 10, strategy: { rollingUpdate: { maxSurge: 0 } } } },
    });
    expect(first?.object.spec).toMatchObject({
      minReadySeconds: 10,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: '25%' } },
    });
    expect(second?.object).toMatchObject({
      metadata: { labels: { team: 'data', tier: 'front' }, annotations: { lb: 'nlb' } },
      spec: {
        type: 'LoadBalancer',
        ports: [{ name: 'http', port: 80, targetPort: 8080, nodePort: 30_080, protocol: 'TCP' }],
      },
    });
    expect(second?.object.spec).not.toHaveProperty('sessionAffinity');
  });

  it.each([
    [{ serviceTemplate: { spec: { selector: { a: 'b' } } } }, 'is managed by the operator and cannot be set here'],
    [{ serviceTemplate: { spec: { type: 'ExternalName' } } }, 'must not be ExternalName'],
    [{ deploymentTemplate: { spec: { replicas: 2 } } }, 'cannot be set here: use spec.replicas'],
    [{ deploymentTemplate: { spec: { template: {} } } }, 'cannot be set here: use spec.podTemplate'],
    [
      { replicas: 1, deploymentTemplate: { spec: { strategy: { type: 'RollingUpdate' } } } },
      'unless spec.replicas is more than 1: the old pod has ended before the next one starts',
    ],
  ])('%j is refused', (given, message) => {
    expect(() => render(given)).toThrow(message);
  });
});

describe('the fencing token', () => {
  const made = deployment({ replicas: 1 });
  const later = { stamp: { term: 9, generation: 2 } };
  const over = (live: Deployment, given = {}) =>
    deployment({ replicas: 1, ...given }, { ...later, live: liveWith([childTypes.deployments, live]) });

  it('is the term of the first leader', () => expect(tokenIn(made)).toBe('7'));
  it('stays when another leader finds the template as it should be', () => expect(tokenIn(over(made))).toBe('7'));
  it('stays when only the number of pods changes', () => expect(tokenIn(over(made, { replicas: 2 }))).toBe('7'));
  it('is new with a new template', () => expect(tokenIn(over(made, { image: 'api:2' }))).toBe('9'));
  it('is new when a parked workload starts again', () =>
    expect(tokenIn(over(deployment({ replicas: 1, suspend: true })))).toBe('9'));
  it('is in no hash and no label', () => {
    const hash = (found: Deployment) => found.metadata.annotations?.[annotations.appliedHash];
    expect(hash(deployment({ replicas: 1 }, { stamp: { term: 8, generation: 1 } }))).toBe(hash(made));
  });
});

describe('without a number of pods', () => {
  const stopped = (notes: Record<string, string>) => {
    const made = deployment();
    const annotated = { ...made.metadata, annotations: notes };
    const live = { ...made, metadata: annotated, spec: { ...made.spec, replicas: 0 } };
    return deployment({}, { live: liveWith([childTypes.deployments, live]) });
  };

  it('leaves the number to an autoscaler', () => {
    expect(deployment().spec.replicas).toBeUndefined();
    expect(stopped({ [annotations.activationTerm]: '5' }).spec.replicas).toBeUndefined();
  });

  it('starts one again where all were stopped because another cluster took over', () => {
    expect(stopped({}).spec.replicas).toBe(1);
  });
});
