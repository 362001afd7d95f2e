/** A master that Sentinels watch, and a cluster, as one store: the whole suite, and what only several servers can do. */

import type { RedisOptions } from './redis-options.ts';
import { RedisStore } from './redis.ts';
import { describeCellStore, type StoreHarness } from './testing/conformance.ts';
import type { ServerAddress } from './testing/fault-proxy.ts';
import { ClusterGroup, command, SentinelGroup, textOf } from './testing/redis-group.ts';
import type { RedisServer } from './testing/redis-server.ts';

const all = (servers: readonly RedisServer[]) => servers.map(({ address }) => address);

async function sentinelHarness(): Promise<StoreHarness> {
  const group = await SentinelGroup.start({ replicas: 0, downMs: 60_000 });
  const options = (addresses: readonly ServerAddress[]): RedisOptions => {
    const addrs = addresses.slice(0, 3).map(textOf);
    return { password: 'right', sentinel: { masterName: group.masterName, addrs, password: 'watching' } };
  };
  const sentinels = all(group.sentinels);
  return {
    open: async (...through) => new RedisStore(options(through.length > 0 ? through : sentinels)),
    task: { kind: 'redis', redis: options(sentinels) },
    openUnauthorized: async () => new RedisStore({ ...options(sentinels), password: 'wrong' }),
    wipe: async () => void (await command(group.master, 'FLUSHALL')),
    server: {
      addresses: [...sentinels, group.master.address],
      pause: () => group.master.pause(),
      resume: () => group.master.resume(),
      kill: () => group.master.kill(),
      restart: () => group.master.restart(),
      durable: false,
    },
    [Symbol.asyncDispose]: () => group[Symbol.asyncDispose](),
  };
}

async function clusterHarness(): Promise<StoreHarness> {
  const group = await ClusterGroup.start({ replica: false, timeoutMs: 15_000 });
  const nodes = all(group.masters);
  const options = (addresses: readonly ServerAddress[]): RedisOptions => ({
    password: 'right',
    cluster: { addrs: addresses.map(textOf) },
  });
  return {
    open: async (...through) => new RedisStore(options(through.length > 0 ? through : nodes)),
    task: { kind: 'redis', redis: options(nodes) },
    openUnauthorized: async () => new RedisStore({ ...options(nodes), password: 'wrong' }),
    async wipe() {
      for (const master of group.masters) await command(master, 'FLUSHALL');
    },
    server: {
      addresses: nodes,
      pause: () => group.masters.forEach((master) => master.pause()),
      resume: () => group.masters.forEach((master) => master.resume()),
      kill: async () => void (await Promise.all(group.masters.map((master) => master.kill()))),
      restart: async () => void (await Promise.all(group.masters.map((master) => master.restart()))),
      durable: false,
    },
    [Symbol.asyncDispose]: () => group[Symbol.asyncDispose](),
  };
}

describeCellStore('Redis behind Sentinels', sentinelHarness);
describeCellStore('Redis Cluster', clusterHarness);
