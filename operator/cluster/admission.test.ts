/** The policy about terms on a real API server: who stamps objects, and how. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { admission } from '../api/admission.ts';
import { childTypes } from '../api/children.ts';
import { annotations, labels } from '../api/group.ts';
import { ApiServer } from '../lease/testing/api-server.ts';
import { clientOf } from '../lease/testing/lease-store.ts';
import type { KubeObject } from './cluster-client.ts';
import type { HttpClusterClient } from './http-client.ts';
import { PermitLease } from './permit-lease.ts';

const TENANT = 'default';
const NAMESPACE = 'default';
const call = { timeoutMs: 5000 };
const PERMITTED = 1_800_000_000;
const policies = { group: 'admissionregistration.k8s.io', version: 'v1', namespaced: false } as const;
const types = {
  ValidatingAdmissionPolicy: { ...policies, plural: 'validatingadmissionpolicies', kind: 'ValidatingAdmissionPolicy' },
  ValidatingAdmissionPolicyBinding: {
    ...policies,
    plural: 'validatingadmissionpolicybindings',
    kind: 'ValidatingAdmissionPolicyBinding',
  },
};

let server: ApiServer;
let client: HttpClusterClient;
let made = 0;

beforeAll(async () => {
  server = await ApiServer.start();
  const path = join(server.folder, 'kubeconfig');
  await writeFile(path, server.kubeconfig('admin'));
  client = clientOf(path);
  const permit = new PermitLease({ client, namespace: NAMESPACE, tenant: TENANT, known: () => PERMITTED });
  const fields = { scope: 'single', clusterId: 'east', drainMs: 0, renewedAt: 0, ttlMs: 15_000 } as const;
  await permit.write({ ...fields, term: PERMITTED }, undefined, call);
  for (const object of admission(TENANT, NAMESPACE)) {
    const { ...body } = object as KubeObject;
    await client.create(types[object.kind as keyof typeof types], body, call);
  }
  await vi.waitFor(() => expect(create('999999999999')).rejects.toThrow('there is no term'), {
    timeout: 20_000,
    interval: 100,
  });
}, 90_000);
afterAll(async () => {
  await client?.close();
  await server?.[Symbol.asyncDispose]();
});

function create(term?: string, tenant = TENANT): Promise<KubeObject> {
  const name = `d${(made += 1)}`;
  const own = { name };
  const body = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      namespace: NAMESPACE,
      labels: { [labels.tenant]: tenant },
      ...(term !== undefined && { annotations: { [annotations.term]: term } }),
    },
    spec: {
      replicas: 0,
      selector: { matchLabels: own },
      template: { metadata: { labels: own }, spec: { containers: [{ name: 'main', image: 'busybox' }] } },
    },
  };
  return client.create(childTypes.deployments, body, call);
}

function stamp({ metadata: { name } }: KubeObject, term: string | null): Promise<KubeObject> {
  const patch = { metadata: { annotations: { [annotations.term]: term } } };
  return client.patch(childTypes.deployments, { name, namespace: NAMESPACE }, patch, {
    ...call,
    type: 'merge',
    fieldManager: 'test',
  });
}

describe('a new object', () => {
  it.each([undefined, String(PERMITTED), '7', 'soon'])('with the term %j is made', async (term) => {
    expect((await create(term)).metadata.uid).toBeDefined();
  });

  it.each([String(PERMITTED + 2000), '999999999999999', '999999999999999999'])(
    'with the term %j, which no leader has, is refused',
    async (term) => {
      await expect(create(term)).rejects.toThrow(`there is no term ${term}`);
    },
  );

  it('of another tenant is that one’s to judge', async () => {
    expect((await create('999999999999999', 'other')).metadata.uid).toBeDefined();
  });
});

describe('an object that is there', () => {
  it('is stamped by the next term, and not by an earlier one', async () => {
    const object = await create(String(PERMITTED - 5));
    await stamp(object, String(PERMITTED));
    await expect(stamp(object, String(PERMITTED - 1))).rejects.toThrow(`term ${PERMITTED - 1} is over`);
    await expect(stamp(object, null)).rejects.toThrow('term 0 is over');
  });

  it('is not stamped with a term that no leader has', async () => {
    const object = await create(String(PERMITTED));
    await expect(stamp(object, '999999999999999')).rejects.toThrow('there is no term 999999999999999');
  });

  it('that carries a stamp ahead of the permit is put right', async () => {
    const object = await create(String(PERMITTED + 500));
    expect((await stamp(object, String(PERMITTED))).metadata.annotations?.[annotations.term]).toBe(String(PERMITTED));
  });
});
