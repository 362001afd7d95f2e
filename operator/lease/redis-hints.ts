/**
 * Hints by PUBLISH, on a connection of their own that exists only while somebody listens. Whatever ends it (a restart, a
 * silent network), it is made anew and every listener is told once, because something may have been missed meanwhile.
 * In a cluster any node passes on what is published at another; the one that holds the first channel's key is as good.
 */
import type { Redis } from 'ioredis';
import { Backoff } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { RedisServers } from './redis-servers.ts';
import { chance, within } from './within.ts';

/** Milliseconds between two questions whether the connection is still there, and for each answer. */
const PROBE_MS = 5000;
const ANSWER_MS = 2000;
/** Pauses between two attempts to connect. */
const RETRY = { baseMs: 50, maxMs: 2000 };

type Hint = () => void;

/** Tells listeners that a cell may have changed. */
export class RedisHints {
  readonly #servers: RedisServers;
  readonly #clock: Clock;
  readonly #listeners = new Map<string, Set<Hint>>();
  #client: Redis | undefined;
  #running: AbortController | undefined;

  constructor(servers: RedisServers, clock: Clock) {
    this.#servers = servers;
    this.#clock = clock;
  }

  subscribe(channel: string, hint: Hint): () => void {
    const listener: Hint = () => hint();
    const known = this.#listeners.get(channel);
    if (known) known.add(listener);
    else this.#listeners.set(channel, new Set([listener]));
    if (!this.#running) this.#start();
    else if (this.#client)
      void this.#listen(this.#client, [channel], this.#running.signal).catch(() => this.#client?.disconnect());
    return () => this.#unsubscribe(channel, listener);
  }

  close(): void {
    this.#listeners.clear();
    this.#running?.abort();
    this.#running = undefined;
  }

  #unsubscribe(channel: string, listener: Hint): void {
    const listeners = this.#listeners.get(channel);
    if (!listeners?.delete(listener) || listeners.size > 0) return;
    this.#listeners.delete(channel);
    if (this.#listeners.size === 0) this.close();
    else void this.#client?.unsubscribe(channel).catch(() => {});
  }

  #start(): void {
    const running = new AbortController();
    this.#running = running;
    void this.#run(running.signal).catch(() => {});
  }

  /** Ends by rejection when `signal` fires. Failures are not reported: each call to the store meets the same ones. */
  async #run(signal: AbortSignal): Promise<never> {
    for (const backoff = new Backoff(RETRY, chance); ;) {
      try {
        const [channel = ''] = this.#listeners.keys();
        const client = await this.#servers.connect(channel, signal);
        await this.#serve(client, signal, () => backoff.reset());
      } catch {
        await this.#clock.sleep(backoff.next(), signal);
      }
    }
  }

  /** Returns only by rejection: the connection ended, stopped answering, or `signal` fired. */
  async #serve(client: Redis, signal: AbortSignal, started: () => void): Promise<never> {
    const ended = new AbortController();
    client.once('end', () => ended.abort(new Error('The connection ended')));
    client.on('message', (channel: string) => this.#tell(channel));
    this.#client = client;
    try {
      const either = AbortSignal.any([signal, ended.signal]);
      await this.#listen(client, [...this.#listeners.keys()], either);
      started();
      for (;;) {
        await this.#clock.sleep(PROBE_MS, either);
        await within({ signal: either, timeoutMs: ANSWER_MS }, this.#clock, 'Redis', () => client.ping());
      }
    } finally {
      if (this.#client === client) this.#client = undefined;
      client.disconnect();
    }
  }

  async #listen(client: Redis, channels: readonly string[], signal: AbortSignal): Promise<void> {
    await within({ signal, timeoutMs: ANSWER_MS }, this.#clock, 'Redis', () => client.subscribe(...channels));
    for (const channel of channels) this.#tell(channel);
  }

  #tell(channel: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener();
  }
}
