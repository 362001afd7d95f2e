import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LeaseClient } from './lease-client.ts';
import { openStore, type StoreOptions } from './open.ts';
import { freePort } from '../lib/testing/free-port.ts';

const client: LeaseClient = {
  get: () => Promise.reject(new Error('connect ECONNREFUSED')),
  list: () => Promise.reject(new Error('connect ECONNREFUSED')),
  async *watch() {},
  create: () => Promise.reject(new Error('connect ECONNREFUSED')),
  replace: () => Promise.reject(new Error('connect ECONNREFUSED')),
  delete: () => Promise.reject(new Error('connect ECONNREFUSED')),
};
const spanner = { projectID: 'test-project', instanceID: 'highlander-instance', databaseID: 'highlander-db' };

/** At a port where nobody listens, in a folder that cannot be made. */
const nowhere: Readonly<Record<string, (port: number) => StoreOptions>> = {
  redis: (port) => ({ kind: 'redis', redis: { addr: `127.0.0.1:${port}` } }),
  'redis behind Sentinels': (port) => ({
    kind: 'redis',
    redis: { sentinel: { addrs: [`127.0.0.1:${port}`], masterName: 'm' } },
  }),
  'redis in a cluster': (port) => ({ kind: 'redis', redis: { cluster: { addrs: [`127.0.0.1:${port}`] } } }),
  'redis at no address': () => ({ kind: 'redis', redis: { addr: 'http://127.0.0.1' } }),
  db: (port) => ({ kind: 'db', db: { url: `postgres://me:right@127.0.0.1:${port}/x` } }),
  sqlite: () => ({ kind: 'sqlite', sqlite: { path: join('/dev/null', 'cells.db') } }),
  spanner: (port) => ({ kind: 'spanner', spanner: { ...spanner, emulatorHost: `127.0.0.1:${port}` } }),
  kubernetes: () => ({ kind: 'kubernetes', kubernetes: { client, namespace: 'default' } }),
};

test.for(Object.entries(nowhere))(
  'a store of %s opens although it cannot be reached; its calls fail',
  async ([, at]) => {
    const options = at(await freePort());
    const store = await openStore(options);
    expect(store.kind).toBe(options.kind === 'db' ? 'postgres' : options.kind);
    const error: unknown = await store.read('highlander-leader-lock:default', { timeoutMs: 3000 }).catch(String);
    expect(error).toMatch(/^StoreError: /);
    await store.close();
  },
);
