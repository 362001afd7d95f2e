/** Notes of pods that vanished, on a real API server, as controllers that come and go see them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { annotations, labels } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';
import { core } from '../cluster/cluster-client.ts';
import type { HttpClusterClient } from '../cluster/http-client.ts';
import { ApiServer } from '../lease/testing/api-server.ts';
import { clientOf } from '../lease/testing/lease-store.ts';
import { silentLogger } from '../lib/logger.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { TenantWorkloads } from './tenant-workloads.ts';
import { unconfirmedName } from './unconfirmed-notes.ts';
import { VanishedPods } from './vanished.ts';

const call = { timeoutMs: 5000 };
const APP = 'WorkloadService a/app';

let server: ApiServer;
let client: HttpClusterClient;
let tenants = 0;

beforeAll(async () => {
  server = await ApiServer.start();
  const path = join(server.folder, 'kubeconfig');
  await writeFile(path, server.kubeconfig('admin'));
  client = clientOf(path);
}, 60_000);
afterAll(async () => {
  await client?.close();
  await server?.[Symbol.asyncDispose]();
});

const pod = (name = 'app-1'): Pod => ({
  metadata: {
    name,
    namespace: 'a',
    uid: `uid-${name}`,
    labels: { [labels.kind]: 'WorkloadService', [labels.name]: 'app' },
  },
  spec: { nodeName: 'spot-1', containers: [], terminationGracePeriodSeconds: 5 },
});

/** A tenant of its own; each controller knows what it has seen itself. */
function cluster() {
  const tenant = `t${(tenants += 1)}`;
  const name = { name: unconfirmedName(tenant), namespace: 'default' };
  const controller = () => {
    const vanished = new VanishedPods();
    const options = { client, tenant, namespace: 'default', watchNamespaces: [], clock: new FakeClock() };
    const seen = { vanished, fenced: async () => {}, confirmed: () => undefined, logger: silentLogger };
    return { vanished, workloads: new TenantWorkloads({ ...options, ...seen }) };
  };
  const annotate = (own: Record<string, string>) =>
    client.patch(
      core.leases,
      name,
      { metadata: { annotations: own } },
      { ...call, type: 'merge', fieldManager: 'test' },
    );
  return { controller, annotate };
}

it('a controller that saw nothing names what a colleague saw, and so does the one that it becomes', async () => {
  const { controller } = cluster();
  const witness = controller();
  expect(await witness.workloads.running(call)).toEqual([]);
  witness.vanished.went(pod());
  expect(await witness.workloads.running(call)).toEqual([APP]);
  expect(await controller().workloads.running(call)).toEqual([APP]);
});

it('a person says that it has stopped where no custom resource is left to say it on', async () => {
  const { controller, annotate } = cluster();
  const witness = controller();
  witness.vanished.went(pod('app-1'));
  witness.vanished.went(pod('app-2'));
  await witness.workloads.running(call);
  await annotate({ [annotations.confirmStopped]: 'uid-app-1, uid-app-2' });
  expect(await controller().workloads.running(call)).toEqual([]);
  expect(await witness.workloads.running(call)).toEqual([]);
});

it.each(['', 'x', '{}', '[{}]', '[{"uid":7}]', `[${'{"uid":"u"},'.repeat(9)}null]`])(
  'what cannot be read keeps nobody from looking: %j',
  async (text) => {
    const { controller, annotate } = cluster();
    const witness = controller();
    witness.vanished.went(pod());
    await witness.workloads.running(call);
    await annotate({ 'highlander.plexobject.io/unconfirmed-pods': text });
    expect(await controller().workloads.running(call)).toEqual([]);
    expect(await witness.workloads.running(call)).toEqual([APP]);
    expect(await controller().workloads.running(call)).toEqual([APP]);
  },
);
