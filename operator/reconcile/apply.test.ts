import { expect, it } from 'vitest';
import { API_VERSION } from '../api/group.ts';
import type { WorkloadProcess } from '../api/process.ts';
import { processResource } from '../api/process.ts';
import { newRedactor } from '../lib/redactor.ts';
import { StatusWriter } from './apply.ts';
import type { Occasion } from './status.ts';
import { composeStatus } from './status.ts';
import { FakeCluster } from './testing/fake-cluster.ts';

const SECRET = 'hunter2-and-more';
const AT: Occasion = { generation: 1, now: '2030-01-01T00:00:00Z', tenant: 'default', holder: 'a', term: 7 };

/** As one that reports a refusal in which a webhook, or a kubelet, quotes the secret. */
function refusal(before: WorkloadProcess, now = AT.now) {
  const message = `denied: postgres://me:${SECRET}@db is not allowed`;
  const verdict = { state: 'working', reason: 'PodRefused', message, problem: message } as const;
  return composeStatus({ active: true, healthy: false }, verdict, { ...AT, now }, before.status);
}

it('a status has no secret of the configuration, and is written once', async () => {
  const cluster = Object.assign(new FakeCluster(), { redact: newRedactor([SECRET]) });
  const at = { namespace: 'a', name: 'p' };
  const body = { apiVersion: API_VERSION, kind: 'WorkloadProcess', metadata: at, spec: {} };
  const workload = (await cluster.create(processResource, body)) as WorkloadProcess;
  const writer = new StatusWriter<WorkloadProcess>(cluster, processResource);
  const written = await writer.write(workload, refusal(workload));
  expect(written?.status?.lastError).toContain('denied: postgres://');
  expect(written?.status?.conditions?.length).toBeGreaterThan(0);
  expect(JSON.stringify(written?.status)).not.toContain('hunter2');
  expect(await writer.write(written!, refusal(written!, '2030-01-01T00:01:00Z'))).toBeUndefined();
});
