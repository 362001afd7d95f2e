/**
 * Servers that are found by asking witnesses: Sentinels, or the nodes of a cluster. An answer of a server counts only when
 * more than half of the witnesses said, after the call began, that this server holds the key. A master that was replaced
 * while it stood still or was cut off goes on taking writes until somebody tells it; whoever wrote to it would believe in
 * a lease that the rest of the world no longer sees. A witness never goes back to the replaced master, and any two
 * majorities share one: so no such write is acknowledged once another controller has had an answer of the new master.
 */
import type { Redis } from 'ioredis';
import type { Clock } from '../lib/clock.ts';
import type { Call } from './cell-store.ts';
import { majority } from './majority.ts';
import { RedisConnection } from './redis-connection.ts';
import { dial } from './redis-dial.ts';
import type { Layout } from './redis-layout.ts';
import { addressOf, type HostPort, type RedisTarget } from './redis-options.ts';
import type { RedisServers } from './redis-servers.ts';
import { StoreError } from './store-error.ts';
import { within } from './within.ts';

/** Somebody who knows which server holds which key. */
export interface Witness {
  readonly target: RedisTarget;
  ask(client: Redis): Promise<Layout>;
}

/** The witnesses, and how to reach the servers that they name. */
export interface WitnessedOptions {
  readonly witnesses: readonly Witness[];
  /** Their plural, for people. */
  readonly who: string;
  targetFor(server: HostPort): RedisTarget;
  readonly clock: Clock;
}

/** Milliseconds for a connection's search for its server. */
const SEARCH_MS = 2000;

/** Servers whose answers count only with the word of more than half of the witnesses. */
export class WitnessedServers implements RedisServers {
  readonly #options: WitnessedOptions;
  readonly #witnesses: readonly { ask(call: Call): Promise<Layout>; close(): void }[];
  readonly #connections = new Map<string, RedisConnection>();
  #closed = false;
  /** As last agreed upon; forgotten after a failure, so that the next call asks before it sends. */
  #believed: Layout | undefined;

  constructor(options: WitnessedOptions) {
    this.#options = options;
    this.#witnesses = options.witnesses.map((witness) => {
      const connection = new RedisConnection(witness.target, options.clock);
      return {
        ask: (call: Call) => connection.run(call, (client) => witness.ask(client)),
        close: () => connection.close(),
      };
    });
  }

  run<T>(key: string, call: Call, send: (client: Redis) => Promise<T>): Promise<T> {
    const owner = (layout: Layout) => layout.ownerOf(key) ?? '';
    return this.#checked(
      call,
      (layout) => [owner(layout)],
      async (layout, inner) => this.#at(layout, owner(layout)).run(inner, send),
    );
  }

  async runAll(call: Call, send: (client: Redis) => Promise<void>): Promise<void> {
    const all = (layout: Layout) => [...layout.servers.keys()].sort();
    await this.#checked(call, all, (layout, inner) =>
      Promise.all(all(layout).map(async (server) => this.#at(layout, server).run(inner, send))),
    );
  }

  async connect(key: string, signal: AbortSignal): Promise<Redis> {
    const owner = (layout: Layout) => layout.ownerOf(key) ?? '';
    const layout = await within({ signal, timeoutMs: SEARCH_MS }, this.#options.clock, 'Redis', (inner) =>
      this.#ask({ signal: inner, timeoutMs: SEARCH_MS }, owner),
    );
    return dial(this.#targetAt(layout, owner(layout)), this.#options.clock, signal);
  }

  close(): void {
    this.#closed = true;
    for (const witness of this.#witnesses) witness.close();
    for (const server of this.#connections.values()) server.close();
  }

  /** Both at once while all is well. `servers`: on which of them the answer depends. */
  #checked<T>(
    call: Call,
    servers: (layout: Layout) => readonly string[],
    work: (layout: Layout, call: Call) => Promise<T>,
  ): Promise<T> {
    const part = (layout: Layout) => servers(layout).join(', ');
    return within(call, this.#options.clock, 'Redis', async (signal) => {
      const inner = { signal, timeoutMs: call.timeoutMs };
      const believed = this.#believed && this.#isWell(this.#believed, servers) ? this.#believed : undefined;
      try {
        const agreed = this.#ask(inner, part);
        const [layout, answer] = await (believed
          ? Promise.all([agreed, work(believed, inner)])
          : agreed.then(async (found) => [found, await work(found, inner)] as const));
        if (believed && part(layout) !== part(believed)) {
          throw this.#replaced(layout, servers(layout));
        }
        this.#believe(layout);
        return answer;
      } catch (error) {
        this.#believed = undefined;
        throw error;
      }
    });
  }

  #replaced(layout: Layout, servers: readonly string[]): StoreError {
    const found = servers.flatMap((server) => layout.servers.get(server) ?? []).map(addressOf);
    return new StoreError(
      'unreachable',
      `More than half of the ${this.#options.who} report another master: ${found.join(', ')}`,
    );
  }

  /** A connection that ended may have ended with the server. */
  #isWell(layout: Layout, servers: (layout: Layout) => readonly string[]): boolean {
    return servers(layout).every((server) => {
      const at = layout.servers.get(server);
      return at !== undefined && this.#connections.get(addressOf(at))?.isReady;
    });
  }

  #ask(call: Call, part: (layout: Layout) => string): Promise<Layout> {
    const asked = this.#witnesses.map((witness) => witness.ask(call));
    return majority(this.#options.who, asked, part);
  }

  #believe(layout: Layout): void {
    this.#believed = layout;
    const current = new Set([...layout.servers.values()].map(addressOf));
    for (const [address, connection] of this.#connections) {
      if (current.has(address)) continue;
      this.#connections.delete(address);
      connection.close();
    }
  }

  #at(layout: Layout, server: string): RedisConnection {
    const target = this.#targetAt(layout, server);
    if (this.#closed) throw new StoreError('unreachable', 'The store was closed');
    const address = addressOf(target);
    const connection = this.#connections.get(address) ?? new RedisConnection(target, this.#options.clock);
    this.#connections.set(address, connection);
    return connection;
  }

  #targetAt(layout: Layout, server: string): RedisTarget {
    const at = layout.servers.get(server);
    if (at) return this.#options.targetFor(at);
    throw new StoreError('unreachable', `CLUSTERDOWN: the ${this.#options.who} report no server for this key`);
  }
}
