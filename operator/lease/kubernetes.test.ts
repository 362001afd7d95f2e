import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { core, type KubeObject } from '../cluster/cluster-client.ts';
import type { HttpClusterClient } from '../cluster/http-client.ts';
import type { CellStore } from './cell-store.ts';
import { leaseName, selectorFor } from './kubernetes-lease.ts';
import { ApiServer } from './testing/api-server.ts';
import { serverOf } from './testing/conformance-bench.ts';
import { describeCellStore, type StoreHarness } from './testing/conformance.ts';
import type { ServerAddress } from './testing/fault-proxy.ts';
import { clientOf, leaseStore } from './testing/lease-store.ts';

const namespace = 'default';
const call = { timeoutMs: 5000 };
const key = 'highlander-leader-lock:default';

let files = 0;
/** A kubeconfig's path. */
async function kubeconfig(
  server: ApiServer,
  address?: ServerAddress,
  user: 'admin' | 'stranger' = 'admin',
): Promise<string> {
  const path = join(server.folder, `kubeconfig-${(files += 1)}`);
  await writeFile(path, server.kubeconfig(user, address));
  return path;
}

async function harness(): Promise<StoreHarness> {
  const server = await ApiServer.start();
  return {
    open: async (address) => leaseStore(await kubeconfig(server, address)),
    task: { kind: 'kubernetes', kubeconfig: await kubeconfig(server) },
    openUnauthorized: async () => leaseStore(await kubeconfig(server, undefined, 'stranger')),
    wipe: async () => {
      const admin = clientOf(await kubeconfig(server));
      const { items } = await admin.list(core.leases, { namespace });
      for (const { metadata } of items)
        await admin.delete(core.leases, metadata, { preconditions: { uid: metadata.uid ?? '' } });
      await admin.close();
    },
    server: serverOf(server, true),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describeCellStore('Kubernetes', harness);

describe('Kubernetes', () => {
  let server: ApiServer;
  let client: HttpClusterClient;
  let store: CellStore;
  beforeAll(async () => {
    server = await ApiServer.start();
    const path = await kubeconfig(server);
    client = clientOf(path);
    store = leaseStore(path, client);
  }, 60_000);
  afterAll(async () => {
    await store?.close();
    await server?.[Symbol.asyncDispose]();
  }, 30_000);
  const lease = async (name: string) =>
    client.get<KubeObject & { spec?: Record<string, unknown> }>(core.leases, { name, namespace });

  test('people see the holder, the term and the duration; what others added stays', async () => {
    const record = JSON.stringify({ holder: 'pod-1', term: 7, ttlMs: 15_000 });
    const created = await store.write(key, record, undefined, call);
    const name = 'highlander-leader-lock-default';
    expect((await lease(name))?.spec).toMatchObject({
      holderIdentity: 'pod-1',
      leaseTransitions: 7,
      leaseDurationSeconds: 15,
    });
    await client.patch(
      core.leases,
      { name, namespace },
      { metadata: { labels: { theirs: 'kept' } } },
      { type: 'merge' },
    );
    expect(created.ok && (await store.write(key, 'x', created.version, call)).ok).toBe(false);
    const { cell } = await store.read(key, call);
    expect(await store.write(key, JSON.stringify({ holder: null, term: 7 }), cell?.version, call)).toMatchObject({
      ok: true,
    });
    const released = await lease(name);
    expect(released?.metadata.labels).toMatchObject({ theirs: 'kept' });
    expect(released?.spec).not.toHaveProperty('holderIdentity');
  });

  test('an object that somebody else made is not ours', async () => {
    const name = leaseName('highlander-leader-lock:theirs');
    await client.create(core.leases, { metadata: { name, namespace } });
    await expect(store.read('highlander-leader-lock:theirs', call)).rejects.toMatchObject({ kind: 'other' });
  });

  test('the incarnation is the identity of kube-system', async () => {
    const system = await client.get(core.namespaces, { name: 'kube-system' });
    expect((await store.read('highlander-leader-lock:none', call)).incarnation).toBe(system?.metadata.uid);
  });
});

test.for([
  ['highlander-leader-lock:team-a', /^highlander-leader-lock-team-a$/],
  ['highlander-leader-lock:Team_A', /^highlander-leader-lock-team-a-[0-9a-f]{12}$/],
  ['highlander-presence:a:b-1', /^highlander-presence-a-b-1-[0-9a-f]{12}$/],
  [`highlander-leader-lock:${'x'.repeat(300)}`, /^highlander-leader-lock-x{25}-[0-9a-f]{12}$/],
  ['::', /^cell-[0-9a-f]{12}$/],
] as const)('the object of %s has a name that Kubernetes takes', ([cell, name]) => {
  expect(leaseName(cell)).toMatch(name);
});

test('a selector narrows by what stands before a colon', () => {
  expect(selectorFor('highlander')).toBe('highlander.plexobject.io/cell=true');
  expect(selectorFor('highlander-presence:a:')).toBe(selectorFor('highlander-presence:a:b:c'));
  expect(selectorFor('highlander-presence:a:')).not.toBe(selectorFor('highlander-presence:ab:'));
});
