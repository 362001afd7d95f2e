/** Which servers the driver speaks to: the one at an address, the master that Sentinels name, or a cluster's masters. */
import type { Redis } from 'ioredis';
import type { Clock } from '../lib/clock.ts';
import type { Call } from './cell-store.ts';
import { RedisConnection } from './redis-connection.ts';
import { dial } from './redis-dial.ts';
import { clusterLayout, masterLayout, reachable, type Layout } from './redis-layout.ts';
import {
  foundTarget,
  nodeTargets,
  sentinelTargets,
  targetOf,
  type RedisOptions,
  type RedisSentinel,
  type RedisTarget,
} from './redis-options.ts';
import { WitnessedServers } from './redis-witnessed.ts';
import { StoreError } from './store-error.ts';

/** Finds the server that holds a key. Calls reject with `StoreError`, or with the reason of the call's signal. */
export interface RedisServers {
  /** Runs `send` on the server that holds `key`. Nothing is sent any more once the call is over. */
  run<T>(key: string, call: Call, send: (client: Redis) => Promise<T>): Promise<T>;
  /** The same on every server that holds keys. */
  runAll(call: Call, send: (client: Redis) => Promise<void>): Promise<void>;
  /** A connection of the caller's own to the server that holds `key`. */
  connect(key: string, signal: AbortSignal): Promise<Redis>;
  close(): void;
}

/** The servers that the options describe: by Sentinels, as a cluster, or one at an address. */
export function serversOf(options: RedisOptions, clock: Clock): RedisServers {
  const { addr, sentinel, cluster } = options;
  const found = { clock, targetFor: (at: Parameters<typeof foundTarget>[0]) => foundTarget(at, options) };
  if (sentinel) return new WitnessedServers({ ...found, who: 'Sentinels', witnesses: sentinels(sentinel, options) });
  if (cluster) return new WitnessedServers({ ...found, who: 'nodes', witnesses: nodes(cluster.addrs, options) });
  return new SingleServer(() => targetOf(addr ?? 'localhost', options), clock);
}

function sentinels(sentinel: RedisSentinel, options: RedisOptions) {
  return sentinelTargets(sentinel, options).map((target) => ({
    target,
    async ask(client: Redis): Promise<Layout> {
      const layout = masterLayout(await client.call('SENTINEL', 'get-master-addr-by-name', sentinel.masterName));
      if (layout) return reachable(layout, options.natMap);
      throw new StoreError('other', `${target.name} does not monitor a master named "${sentinel.masterName}"`);
    },
  }));
}

function nodes(addrs: readonly string[], options: RedisOptions) {
  return nodeTargets(addrs, options).map((target) => ({
    target,
    ask: async (client: Redis): Promise<Layout> =>
      reachable(clusterLayout(await client.cluster('SLOTS'), target.host), options.natMap),
  }));
}

class SingleServer implements RedisServers {
  readonly #target: () => RedisTarget;
  readonly #clock: Clock;
  #connection: RedisConnection | undefined;

  /** An address that cannot be understood fails calls, not the opening. */
  constructor(target: () => RedisTarget, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
  }

  async run<T>(_key: string, call: Call, send: (client: Redis) => Promise<T>): Promise<T> {
    this.#connection ??= new RedisConnection(this.#target(), this.#clock);
    return this.#connection.run(call, send);
  }

  runAll(call: Call, send: (client: Redis) => Promise<void>): Promise<void> {
    return this.run('', call, send);
  }

  async connect(_key: string, signal: AbortSignal): Promise<Redis> {
    return dial(this.#target(), this.#clock, signal);
  }

  close(): void {
    this.#connection?.close();
  }
}
