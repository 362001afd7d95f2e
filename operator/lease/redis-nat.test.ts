/** Sentinels and cluster nodes behind NAT name servers by addresses that lead nowhere from here: the map says where to. */
import { expect, it } from 'vitest';
import type { RedisOptions } from './redis-options.ts';
import { RedisStore } from './redis.ts';
import { FaultProxy } from './testing/fault-proxy.ts';
import { ClusterGroup, SentinelGroup, textOf } from './testing/redis-group.ts';
import type { RedisServer } from './testing/redis-server.ts';

const KEY = 'highlander-leader-lock:default';
const call = { timeoutMs: 5000 };

/** The same servers behind another address each; through it alone they are reached. */
async function behindNat(servers: readonly RedisServer[]) {
  const proxies = await Promise.all(servers.map(({ address }) => FaultProxy.start(address)));
  const natMap = Object.fromEntries(
    servers.map(({ address }, at) => [textOf(address), textOf(proxies[at]?.address ?? address)]),
  );
  return { proxies, natMap };
}

async function worksThroughProxiesOnly(options: RedisOptions, proxies: readonly FaultProxy[]): Promise<void> {
  const store = new RedisStore(options);
  try {
    expect(await store.write(KEY, 'a', undefined, call)).toMatchObject({ ok: true });
    expect((await store.read(KEY, call)).cell?.value).toBe('a');
    for (const proxy of proxies) proxy.reset();
    await expect(store.read(KEY, { timeoutMs: 1000 })).rejects.toThrow();
  } finally {
    await store.close();
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  }
}

it('the master that Sentinels name', async () => {
  await using group = await SentinelGroup.start({ replicas: 0, downMs: 60_000 });
  const { proxies, natMap } = await behindNat([group.master]);
  const addrs = group.sentinels.map(({ address }) => textOf(address));
  const sentinel = { masterName: group.masterName, addrs, password: 'watching' };
  await worksThroughProxiesOnly({ password: 'right', sentinel, natMap }, proxies);
});

it('the nodes of a cluster', async () => {
  await using group = await ClusterGroup.start({ replica: false, timeoutMs: 15_000 });
  const { proxies, natMap } = await behindNat(group.masters);
  const addrs = group.masters.map(({ address }) => textOf(address));
  await worksThroughProxiesOnly({ password: 'right', cluster: { addrs }, natMap }, proxies);
});
