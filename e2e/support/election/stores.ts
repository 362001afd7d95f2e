/** The stores that elections are played on: real servers, with what can happen to a whole server. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreOptions } from '../../../operator/lease/open.ts';
import type { ServerAddress } from '../../../operator/lease/testing/fault-proxy.ts';
import { PostgresServer } from '../../../operator/lease/testing/postgres-server.ts';
import { RedisServer } from '../../../operator/lease/testing/redis-server.ts';

export const STORE_FAULTS = ['store restart', 'store loss', 'store hang'] as const;
export type StoreFault = (typeof STORE_FAULTS)[number];

export interface Store extends AsyncDisposable {
  readonly address: ServerAddress;
  /** For a member that reaches the server by `address`. */
  options(address: ServerAddress): StoreOptions;
  /** Each resolves when the server is as before, except for what was lost; it is gone for about `ms`. */
  readonly faults: Partial<Readonly<Record<StoreFault, (ms: number) => Promise<void>>>>;
}

export const STORES = { redis, db } as const;
export type StoreName = keyof typeof STORES;

interface Pausable {
  pause(): void;
  resume(): void;
}

const hang = (server: Pausable) => async (ms: number) => {
  server.pause();
  await sleep(ms);
  server.resume();
};

/** What it has acknowledged is on the disk: a restart loses nothing, but the driver cannot know that. */
async function redis(): Promise<Store> {
  const server = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always');
  const restart = async (ms: number, meanwhile = async () => {}) => {
    await server.kill();
    await meanwhile();
    await sleep(ms);
    await server.restart();
  };
  return {
    address: server.address,
    options: ({ host, port }) => ({ kind: 'redis', redis: { addr: `${host}:${port}` } }),
    faults: {
      'store restart': (ms) => restart(ms),
      'store loss': (ms) =>
        restart(ms, () => rm(join(server.folder, 'appendonlydir'), { recursive: true, force: true })),
      'store hang': hang(server),
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A restart, `-m immediate` too, keeps the incarnation: what was acknowledged is there. */
async function db(): Promise<Store> {
  const server = await PostgresServer.start();
  return {
    address: server.address,
    options: (address) => ({ kind: 'db', db: { url: server.url('postgres', address) } }),
    faults: {
      'store restart': () => server.restartImmediately(),
      'store loss': async () => void (await server.query('truncate highlander_cells')),
      'store hang': hang(server),
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
