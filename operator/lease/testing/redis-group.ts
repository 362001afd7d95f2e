/** Several Redis processes as one store: a master with replicas that Sentinels watch, and a cluster. Password: `right`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { cellKeys } from '../cell-store.ts';
import { slotOf } from '../redis-layout.ts';
import { freePort } from '../../lib/testing/free-port.ts';
import type { ServerAddress } from './fault-proxy.ts';
import { RedisServer } from './redis-server.ts';

/** Replicas log in as a user of their own, by which they can be cut off. */
const GUARDED = [
  ...['default', 'replica'].flatMap((user) => ['--user', user, 'on', '>right', '~*', '&*', '+@all']),
  '--masteruser',
  'replica',
  '--masterauth',
  'right',
  '--repl-diskless-sync-delay',
  '0',
  '--save',
  '',
];

const SLOTS = 16_384;
const THIRD = Math.ceil(SLOTS / 3);

abstract class RedisGroup implements AsyncDisposable {
  readonly servers: RedisServer[] = [];

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }

  protected async add(starting: Promise<RedisServer>): Promise<RedisServer> {
    const server = await starting;
    this.servers.push(server);
    return server;
  }
}

export class SentinelGroup extends RedisGroup {
  readonly masterName = 'highlander-master';
  readonly sentinels: RedisServer[] = [];
  readonly master: RedisServer;

  private constructor(master: RedisServer) {
    super();
    this.master = master;
    this.servers.push(master);
  }

  /** `downMs`: how long the master may be silent until a replica is promoted. */
  static async start(options: { readonly replicas: number; readonly downMs: number }): Promise<SentinelGroup> {
    const group = new SentinelGroup(await RedisServer.start(...GUARDED));
    const { host, port } = group.master.address;
    try {
      for (let count = 0; count < options.replicas; count += 1) {
        const replica = await group.add(RedisServer.start(...GUARDED, '--replicaof', host, String(port)));
        await upToDate(group.master, replica);
      }
      await Promise.all(Array.from({ length: 3 }, () => group.#addSentinel(options.downMs)));
      await eventually('the Sentinels to know each other', async () => {
        const known = await Promise.all(group.sentinels.map((sentinel) => group.#knows(sentinel)));
        return known.every(({ sentinels, replicas }) => sentinels === 2 && replicas === options.replicas);
      });
      return group;
    } catch (error) {
      await group[Symbol.asyncDispose]();
      throw error;
    }
  }

  get replica(): RedisServer {
    const [, replica] = this.servers;
    if (!replica) throw new Error('There is no replica');
    return replica;
  }

  /** Until more than half of the Sentinels name it. */
  async promoted(server: RedisServer): Promise<void> {
    await eventually('the Sentinels to name the replica', async () => {
      const named = await Promise.all(this.sentinels.map((sentinel) => this.#named(sentinel)));
      return named.filter((port) => port === server.address.port).length >= 2;
    });
  }

  async #addSentinel(downMs: number): Promise<void> {
    const { host, port } = this.master.address;
    const about = (setting: string) => `sentinel ${setting.replace(' ', ` ${this.masterName} `)}`;
    const settings = [
      `sentinel monitor ${this.masterName} ${host} ${port} 2`,
      ...['auth-pass right', `down-after-milliseconds ${downMs}`, 'failover-timeout 6000'].map(about),
      'requirepass watching',
    ];
    const sentinel = await this.add(
      RedisServer.startIn(async (folder) => {
        const file = join(folder, 'sentinel.conf');
        await writeFile(file, `${settings.join('\n')}\n`);
        return [file, '--sentinel'];
      }),
    );
    this.sentinels.push(sentinel);
  }

  async #knows(sentinel: RedisServer): Promise<{ readonly sentinels: number; readonly replicas: number }> {
    const count = async (what: string) =>
      withClient(sentinel, 'watching', async (client) => {
        const list = await client.call('SENTINEL', what, this.masterName);
        return Array.isArray(list) ? list.length : 0;
      });
    return { sentinels: await count('sentinels'), replicas: await count('replicas') };
  }

  async #named(sentinel: RedisServer): Promise<number> {
    const asking = withClient(sentinel, 'watching', (client) =>
      client.call('SENTINEL', 'get-master-addr-by-name', this.masterName),
    );
    const answer = await asking.catch(() => undefined);
    return Array.isArray(answer) ? Number(answer[1]) : 0;
  }
}

export class ClusterGroup extends RedisGroup {
  readonly masters: RedisServer[] = [];
  readonly #busPorts: number[] = [];

  /**
   * Three masters of a third of the slots each; the first holds the lease of the tenant `default`, and has a replica when
   * that is asked for.
   */
  static async start(options: { readonly replica: boolean; readonly timeoutMs: number }): Promise<ClusterGroup> {
    const group = new ClusterGroup();
    try {
      const first = Math.floor(slotOf(cellKeys.lease('default')) / THIRD);
      for (let index = 0; index < 3; index += 1) {
        const from = ((first + index) % 3) * THIRD;
        const node = await group.#addNode(options.timeoutMs);
        await command(node, `CLUSTER ADDSLOTSRANGE ${from} ${Math.min(from + THIRD, SLOTS) - 1}`);
        await command(node, `CLUSTER SET-CONFIG-EPOCH ${index + 1}`);
        group.masters.push(node);
      }
      if (options.replica) await group.#addNode(options.timeoutMs);
      await group.#meet();
      if (options.replica) await group.#follow();
      return group;
    } catch (error) {
      await group[Symbol.asyncDispose]();
      throw error;
    }
  }

  get replica(): RedisServer {
    const [, , , replica] = this.servers;
    if (!replica) throw new Error('There is no replica');
    return replica;
  }

  /** Moves the slot of a key, which the first master holds, to the second one, with nothing but this key in it. */
  async move(key: string): Promise<void> {
    const [from, to] = this.masters;
    if (!from || !to) return;
    const slot = slotOf(key);
    const [fromId, toId] = [await command(from, 'CLUSTER MYID'), await command(to, 'CLUSTER MYID')];
    await command(to, `CLUSTER SETSLOT ${slot} IMPORTING ${fromId}`);
    await command(from, `CLUSTER SETSLOT ${slot} MIGRATING ${toId}`);
    await command(from, `MIGRATE ${to.address.host} ${to.address.port}  0 5000 AUTH right KEYS ${key}`);
    for (const node of [to, from]) await command(node, `CLUSTER SETSLOT ${slot} NODE ${toId}`);
  }

  async #addNode(timeoutMs: number): Promise<RedisServer> {
    const busPort = await freePort();
    this.#busPorts.push(busPort);
    const mode = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(timeoutMs)];
    const at = ['--cluster-port', String(busPort), '--cluster-announce-ip', '127.0.0.1'];
    return this.add(RedisServer.start(...GUARDED, ...mode, ...at));
  }

  async #meet(): Promise<void> {
    for (const [index, { address }] of this.servers.entries()) {
      const first = this.servers[0];
      if (first && index > 0) await command(first, `CLUSTER MEET 127.0.0.1 ${address.port} ${this.#busPorts[index]}`);
    }
    await eventually('the nodes to form a cluster', async () => {
      const nodes = await Promise.all(this.servers.map((server) => command(server, 'CLUSTER NODES')));
      // What is published at one is passed on over these links, or lost.
      const isLinked = (line: string): boolean => line.split(' ')[7] === 'connected';
      if (!nodes.every((text) => text.trim().split('\n').every(isLinked))) return false;
      const infos = await Promise.all(this.servers.map((server) => command(server, 'CLUSTER INFO')));
      const known = `cluster_known_nodes:${this.servers.length}`;
      return infos.every((info) => info.includes('cluster_state:ok') && info.includes(known));
    });
  }

  async #follow(): Promise<void> {
    const [first] = this.masters;
    if (!first) return;
    await command(this.replica, `CLUSTER REPLICATE ${await command(first, 'CLUSTER MYID')}`);
    await upToDate(first, this.replica);
    await eventually('everybody to know of the replica', async () => {
      const views = await Promise.all(this.servers.map((server) => command(server, 'CLUSTER NODES')));
      return views.every((view) => /\bslave\b/.test(view));
    });
  }
}

/** From now on the replicas hear nothing of what the server is told. */
export async function cutReplicasOff(server: RedisServer): Promise<void> {
  await command(server, 'ACL SETUSER replica off');
  await command(server, 'CLIENT KILL TYPE replica');
}

/** Until the replica has everything that the master has been told. */
export async function upToDate(master: RedisServer, replica: RedisServer): Promise<void> {
  const offset = (info: string) => /^master_repl_offset:(\d+)/m.exec(info)?.[1];
  await eventually('the replica to have everything', async () => {
    const [here, there] = [await command(master, 'INFO replication'), await command(replica, 'INFO replication')];
    return there.includes('master_link_status:up') && offset(here) === offset(there);
  });
}

export async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; !(await isSo().catch(() => false)); await sleep(20)) {
    if (Date.now() > end) throw new Error(`Waited in vain for ${what}`);
  }
}

/** As an operator of the server would, words apart by spaces. */
export async function command(server: RedisServer, line: string, password = 'right'): Promise<string> {
  const [name = '', ...args] = line.split(' ');
  return withClient(server, password, async (client) => String(await client.call(name, ...args)));
}

async function withClient<T>(server: RedisServer, password: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const settings = { password, lazyConnect: true, enableReadyCheck: false, retryStrategy: () => null };
  const client = new Redis({ ...server.address, ...settings, commandTimeout: 2000, replyMapping: 'legacy' });
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    client.disconnect();
  }
}

export const textOf = ({ host, port }: ServerAddress) => `${host}:${port}`;
