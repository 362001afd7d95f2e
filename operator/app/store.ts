/** From the configuration to the store outside the cluster, and what can be done with it without a cluster. */
import type { Base } from '../context.ts';
import type { Config } from '../config/config.ts';
import type { CellStore } from '../lease/cell-store.ts';
import type { StoreOptions } from '../lease/open.ts';
import { openStore } from '../lease/open.ts';
import { connectTo } from './client.ts';

/** Making tables takes a service minutes at worst. Milliseconds. */
const PREPARE_MS = 300_000;

/** `undefined`: the lease is kept in the cluster itself. */
export function outsideStore({ storageType, redis, db, sqlite, spanner }: Config): StoreOptions | undefined {
  if (storageType === 'redis' && redis) return { kind: 'redis', redis };
  if (storageType === 'db' && db) return { kind: 'db', db };
  if (storageType === 'sqlite') return { kind: 'sqlite', sqlite };
  if (storageType === 'spanner' && spanner) return { kind: 'spanner', spanner };
  return undefined;
}

/** The same, or the cluster. */
export function storeOptions(config: Config, client: Base['client']): StoreOptions {
  const kubernetes = { client, namespace: config.namespace, serverTime: () => client.serverClock.at() };
  return outsideStore(config) ?? { kind: 'kubernetes', kubernetes };
}

/** Closed when the work has ended. Throws what opening throws. */
export async function withStore<T>(config: Config, work: (store: CellStore) => Promise<T>): Promise<T> {
  const outside = outsideStore(config);
  if (outside) return withOpen(outside, work);
  const { client } = connectTo(config, 'tenant');
  try {
    return await withOpen(storeOptions(config, client), work);
  } finally {
    await client.close();
  }
}

async function withOpen<T>(options: StoreOptions, work: (store: CellStore) => Promise<T>): Promise<T> {
  const store = await openStore(options);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** `highlander storage init`: makes what the store needs ahead of the first start. Resolves to a sentence for people. */
export async function initStorage(config: Config): Promise<string> {
  const options = outsideStore(config);
  const store = options && (await openStore(options));
  try {
    if (!store?.prepare) return `The store ${config.storageType} needs no preparation`;
    await store.prepare({ timeoutMs: PREPARE_MS });
    return `The store ${config.storageType} is ready`;
  } finally {
    await store?.close();
  }
}
