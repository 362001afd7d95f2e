/** The permit on a real API server: of several that write at one time each sees what the other has said. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { core } from '../cluster/cluster-client.ts';
import type { HttpClusterClient } from '../cluster/http-client.ts';
import { PermitLease } from '../cluster/permit-lease.ts';
import { ApiServer } from '../lease/testing/api-server.ts';
import { clientOf } from '../lease/testing/lease-store.ts';
import { HigherTermSeen } from '../lib/errors.ts';
import type { LeaseRecord } from './lease-record.ts';
import { PermitKeeper } from './permit-keeper.ts';
import { hasEnded } from './permit.ts';

const call = { timeoutMs: 5000 };
const NOW = Date.UTC(2030, 0, 1);

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

/** Two controllers of one cluster, and what they see in it. */
function two() {
  const tenant = `t${(tenants += 1)}`;
  const lease = new PermitLease({ client, namespace: 'default', tenant });
  const name = { name: `highlander-permit-${tenant}`, namespace: 'default' };
  return { lease, name, one: new PermitKeeper(lease), other: new PermitKeeper(lease) };
}

function record(term: number, more: Partial<LeaseRecord> = {}): LeaseRecord {
  const cluster = { id: 'east', name: 'default' };
  const fixed = { holder: 'a', cluster, scope: 'multi', ttlMs: 15_000, incarnation: 'i', release: 'none' } as const;
  return { ...fixed, term, drainMs: 30_000, pending: [], ...more };
}

test('what was written is read, by whoever looks', async () => {
  const { one, other } = two();
  await one.ensure(record(7, { scope: 'single' }), call);
  await other.read(call);
  expect(other.known).toEqual(one.known);
  expect(other.known).toMatchObject({ scope: 'single', term: 7, clusterId: 'east', drainMs: 30_000, renewedAt: 0 });
  await one.renew(record(7), NOW, call);
  await other.read(call);
  expect(other.known).toEqual({
    scope: 'multi',
    term: 7,
    clusterId: 'east',
    drainMs: 30_000,
    renewedAt: NOW,
    ttlMs: 15_000,
  });
});

test('two that make it at one time make one, which says what both said', async () => {
  const { one, other } = two();
  await Promise.all([one.ensure(record(7), call), other.ensure(record(9, { drainMs: 60_000 }), call)]);
  await one.read(call);
  expect(one.known).toMatchObject({ term: 9, drainMs: 60_000 });
});

test('a write that comes after another one changes nothing', async () => {
  const { lease, one } = two();
  await one.renew(record(7), NOW, call);
  const late = await lease.read(call);
  await one.end(() => true, call);
  if (!late) throw new Error('there is no permit');
  expect(await lease.write({ ...late.permit, renewedAt: NOW + 2000 }, late.version, call)).toBeUndefined();
  expect(await lease.write(late.permit, undefined, call)).toBeUndefined();
  await one.read(call);
  expect(hasEnded(one.known, 1)).toBe(false);
  expect(hasEnded(one.known, 15_001)).toBe(true);
});

test('a permit that was deleted is made anew by whoever still knows it', async () => {
  const { one, name } = two();
  await one.renew(record(7), NOW, call);
  const made = await client.get(core.leases, name, call);
  await client.delete(core.leases, name, { ...call, preconditions: { uid: made?.metadata.uid ?? '' } });
  await one.renew(record(7), NOW + 2000, call);
  expect(one.known).toMatchObject({ term: 7, renewedAt: NOW + 2000 });
});

test('whoever knows it ended does not end one that was made good since', async () => {
  const { one, other } = two();
  await one.renew(record(7), NOW, call);
  await other.read(call);
  await one.renew(record(8), NOW + 60_000, call);
  await other.end((permit) => hasEnded(permit, NOW + 30_000), call);
  expect(other.known).toMatchObject({ term: 8, renewedAt: NOW + 60_000 });
});

test('a holder of an earlier term cannot make it good', async () => {
  const { one, other } = two();
  await other.ensure(record(9), call);
  await expect(one.renew(record(7), NOW, call)).rejects.toThrow(HigherTermSeen);
});
