/** Many workloads on simulated nodes: all converge, and then there is silence. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiClient } from '../hack/cluster/api.ts';
import { waitFor } from './support/cluster/index.ts';
import { Stage, processYaml } from './support/stage.ts';

const COUNT = 500;
const WORKLOADS = '/apis/highlander.plexobject.io/v1/namespaces/default/workloadprocesses';
/** Lease and presence in Redis make no write to the API at all. */
const SILENCE_MS = 20_000;

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open({ cluster: 'e2e-simulated', simulated: true });
}, 600_000);

afterAll(async () => {
  await stage?.close();
}, 120_000);

it('500 processes converge, and idle controllers write nothing but the proof that they can', async () => {
  const api = ApiClient.fromKubeconfig(stage.cluster.kubeconfigPath);
  await stage.startController('scale-1');
  await stage.startController('scale-2');
  await stage.leader();
  const documents = Array.from({ length: COUNT }, (_, n) => processYaml(`many-${n}`, ['sleep 1000']));
  await stage.kube.apply(documents.join('\n---\n'));
  await waitFor(
    'all to run',
    async () => {
      const { items } = await api.request<{ items: { status?: { healthy?: boolean } }[] }>('GET', WORKLOADS);
      return items.filter((each) => each.status?.healthy).length === COUNT;
    },
    { timeoutMs: 120_000, everyMs: 500 },
  );
  await waitFor('the last events to be written', async () => (await writesSince(Date.now() - 5000)).length === 0, {
    timeoutMs: 120_000,
    everyMs: 1000,
  });
  const quietSince = Date.now();
  await sleep(SILENCE_MS);
  const writes = await writesSince(quietSince);
  // Whoever leads or stands by writes the permit now and then: ADR 15.
  const isProof = ({ verb, resource, name }: (typeof writes)[number]) =>
    verb === 'patch' && resource === 'leases' && name === 'highlander-permit-default';
  expect(writes.filter(isProof).length).toBeLessThanOrEqual((2 * SILENCE_MS) / 10_000);
  const others = writes.filter((event) => !isProof(event));
  expect(others.map((event) => `${event.verb} ${event.resource} ${event.name}`)).toEqual([]);
  api.close();
}, 900_000);

/** Writes of controllers after a time, in milliseconds since the epoch. */
async function writesSince(time: number) {
  const events = await stage.cluster.auditEvents();
  return events.filter((event) => event.userAgent.startsWith('highlander/') && event.receivedAt.getTime() > time);
}
