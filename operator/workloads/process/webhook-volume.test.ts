/** A process that mounts a volume which only others bring: the API server decides, when the pod is made. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Pod } from '../../api/kubernetes.ts';
import type { ResourceType } from '../../cluster/cluster-client.ts';
import { core } from '../../cluster/cluster-client.ts';
import { CrdServer } from '../../reconcile/testing/crd-server.ts';
import { injector, merging } from '../../reconcile/testing/injector.ts';
import { desiredPod, parseSpec } from './desired.ts';
import { World } from './testing/world.ts';

const MOUNTS = { containers: [{ name: 'main', volumeMounts: [{ name: 'certs', mountPath: '/certs' }] }] };
const SPEC = { image: 'busybox', podTemplate: { spec: MOUNTS } };
const VOLUME = 'volumes: [Object.spec.volumes{name: "certs", emptyDir: Object.spec.volumes.emptyDir{}}]';

describe('a volume that is injected', () => {
  let server: CrdServer;
  beforeAll(async () => {
    server = await CrdServer.start();
  }, 120_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  const policies: readonly ResourceType[] = [
    ['MutatingAdmissionPolicy', 'mutatingadmissionpolicies'],
    ['MutatingAdmissionPolicyBinding', 'mutatingadmissionpolicybindings'],
  ].map(([kind = '', plural = '']) => ({
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    kind,
    plural,
    namespaced: false,
  }));

  it('is mounted by a pod that the API server takes, and refused in its own words without', async () => {
    const owner = { name: 'job', namespace: CrdServer.namespace, uid: '0d3b5a3e-6f0e-4b0e-9f5b-6f6f6f6f6f6f' };
    const { object } = desiredPod(
      owner,
      parseSpec(SPEC),
      { tenant: 'default', clusterName: 'east' },
      { term: 1, generation: 1 },
    );
    const create = () => server.client.create<Pod>(core.pods, object, { dryRun: true, strict: true });
    await expect(create()).rejects.toThrow('spec.containers[0].volumeMounts[0].name: Not found: "certs"');
    await server.client.patch(
      core.namespaces,
      { name: CrdServer.namespace },
      { metadata: { labels: { inject: 'certs' } } },
      { type: 'merge' },
    );
    for (const [index, policy] of injector('certs', merging(VOLUME)).entries())
      await server.client.create(policies[index]!, policy as never);
    const pod = await vi.waitFor(create, { timeout: 30_000, interval: 200 });
    expect(pod.spec.volumes).toContainEqual({ name: 'certs', emptyDir: {} });
  }, 60_000);
});

it('is tried: the pod is created as it is asked for', async () => {
  const world = new World(SPEC);
  await world.reconcile();
  expect(world.takeWrites()).toEqual(['create Pod', 'status']);
  expect(world.pod?.spec.containers[0]?.volumeMounts).toEqual([{ name: 'certs', mountPath: '/certs' }]);
});
