/** The permit on a real API server: of several that write at one time each sees what the other has said. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

test('whoever has known it goes by it when it is deleted, and writes it as it was', async () => {
  const { one, other, name } = two();
  await one.renew(record(7), NOW, call);
  const { known } = one;
  const made = await client.get(core.leases, name, call);
  await client.delete(core.leases, name, { ...call, preconditions: { uid: made?.metadata.uid ?? '' } });
  await one.read(call);
  expect([one.known, one.isMissing]).toEqual([known, true]);
  await one.restore(call);
  await other.read(call);
  expect([other.known, one.isMissing]).toEqual([known, false]);
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

describe('what somebody wrote on it', () => {
  const bounds = { drainMs: 60_000, ttlMs: 30_000, now: NOW };
  const group = 'highlander.plexobject.io';

  async function forged(notes: Record<string, string>, spec: object) {
    const { lease, name, one } = two();
    await one.renew(record(7), NOW, call);
    const patch = { metadata: { annotations: notes }, spec };
    await client.patch(core.leases, name, patch, { ...call, type: 'merge', fieldManager: 'somebody' });
    const tenant = name.name.replace('highlander-permit-', '');
    const bounded = new PermitLease({ client, namespace: 'default', tenant, bounds: () => bounds });
    const keeper = new PermitKeeper(bounded);
    await keeper.read(call);
    return { keeper, lease };
  }

  test.each([
    ['abc', 0],
    ['1e300', 0],
    ['9007199254740991', 60_000],
    ['-1', 0],
    ['', 0],
    ['9'.repeat(1000), 0],
  ])('a drain of %j makes nobody wait longer than any pod may take', async (text, drainMs) => {
    const { keeper, lease } = await forged({ [`${group}/drain-ms`]: text }, {});
    expect(keeper.known).toMatchObject({ drainMs, renewedAt: NOW });
    await keeper.renew(record(7), NOW + 2000, call);
    expect((await lease.read(call))?.permit).toMatchObject({ drainMs: Math.max(drainMs, 30_000) });
  });

  test('a duration of 68 years ends with the lease, and for the API server when it is ended', async () => {
    const { keeper, lease } = await forged({}, { leaseDurationSeconds: 2_147_483_647 });
    expect(hasEnded(keeper.known, NOW + 30_000)).toBe(false);
    expect(hasEnded(keeper.known, NOW + 30_001)).toBe(true);
    await keeper.end(() => true, call);
    expect((await lease.read(call))?.permit).toMatchObject({ renewedAt: 0, ttlMs: 30_000 });
  });

  test('a renewal that has not been yet is none, and the next one counts', async () => {
    const future = { renewTime: '2099-01-01T00:00:00.000000Z' };
    const { keeper, lease } = await forged({}, future);
    expect(hasEnded(keeper.known, NOW)).toBe(true);
    await keeper.renew(record(7), NOW + 2000, call);
    expect((await lease.read(call))?.permit).toMatchObject({ renewedAt: NOW + 2000, ttlMs: 15_000 });
  });

  test('a cluster of 100 kB is none', async () => {
    const { keeper } = await forged({ [`${group}/cluster-id`]: 'x'.repeat(100_000) }, {});
    expect(keeper.known).toMatchObject({ clusterId: '', term: 7 });
  });
});
