/**
 * Hints by LISTEN, on a connection of their own that exists only while somebody listens. Whatever ends it, it is made anew
 * and every listener is told once, because something may have been missed meanwhile. That it still hears is tried with
 * notifications to itself, sent over the pool: where it never heard the first one, behind a pooler in transaction mode,
 * the driver looks by itself instead.
 */
import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { Backoff } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { Version } from './cell-store.ts';
import type { PostgresDialer } from './postgres-dial.ts';
import type { PostgresPool } from './postgres-pool.ts';
import { CHANNEL, notification, versionsOf } from './postgres-statements.ts';
import { Listeners, look, type Hint } from './sql-listeners.ts';
import { chance, within } from './within.ts';

/** Milliseconds between two trials, and for each answer. */
const PROBE_MS = 5000;
const ANSWER_MS = 2000;
/** Pauses between two attempts to connect. */
const RETRY = { baseMs: 50, maxMs: 2000 };
/** Where nothing is heard: between two looks, and until LISTEN is tried again. */
const LOOK_MS = 200;
const DEAF_MS = 60_000;

/** Tells listeners that a cell may have changed. */
export class PostgresHints {
  readonly #dialer: PostgresDialer;
  readonly #pool: PostgresPool;
  readonly #clock: Clock;
  readonly #listeners = new Listeners();
  #running: AbortController | undefined;
  /** Ready to hear: who joins now has missed nothing that it will not be told of. */
  #listening = false;

  constructor(dialer: PostgresDialer, pool: PostgresPool, clock: Clock) {
    this.#dialer = dialer;
    this.#pool = pool;
    this.#clock = clock;
  }

  subscribe(key: string, hint: Hint): () => void {
    const end = this.#listeners.add(key, hint);
    if (this.#listening) this.#clock.after(0, () => this.#listeners.tell(key));
    if (!this.#running) {
      this.#running = new AbortController();
      void this.#run(this.#running.signal).catch(() => {});
    }
    return () => {
      end();
      if (this.#listeners.isEmpty) this.close();
    };
  }

  close(): void {
    this.#listeners.clear();
    this.#running?.abort();
    this.#running = undefined;
  }

  /** Ends by rejection when `signal` fires. Failures are not reported: each call to the store meets the same ones. */
  async #run(signal: AbortSignal): Promise<never> {
    for (const backoff = new Backoff(RETRY, chance); ;) {
      const hears = await this.#listen(signal, () => backoff.reset()).catch(() => undefined);
      signal.throwIfAborted();
      if (hears === false) await this.#lookAround(signal);
      await this.#clock.sleep(backoff.next(), signal);
    }
  }

  /** Resolves to false when nothing is heard here at all; otherwise rejects when the connection no longer serves. */
  async #listen(signal: AbortSignal, started: () => void): Promise<boolean> {
    const connection = await this.#dialer.dial(signal);
    const { client } = connection;
    try {
      const either = AbortSignal.any([signal, connection.ended]);
      client.on('notification', ({ payload = '' }) => this.#listeners.tell(payload));
      const listen = () => client.query(`listen ${CHANNEL}`);
      await within({ signal: either, timeoutMs: ANSWER_MS }, this.#clock, 'PostgreSQL', listen);
      if (!(await this.#hears(client, either))) {
        // The pooler's connection goes to others next, who did not ask for notifications.
        const unlisten = () => client.query(`unlisten ${CHANNEL}`);
        await within({ signal: either, timeoutMs: ANSWER_MS }, this.#clock, 'PostgreSQL', unlisten);
        return false;
      }
      this.#listening = true;
      this.#listeners.tellAll();
      started();
      do await this.#clock.sleep(PROBE_MS, either);
      while (await this.#hears(client, either));
      throw new Error('The LISTEN connection stopped delivering notifications');
    } finally {
      this.#listening = false;
      connection.destroy();
    }
  }

  /** Rejects when the notification could not be sent. */
  async #hears(client: Client, signal: AbortSignal): Promise<boolean> {
    const token = `?${randomUUID()}`;
    const { promise: heard, resolve } = Promise.withResolvers<boolean>();
    const hear = ({ payload }: { payload?: string | undefined }) => {
      if (payload === token) resolve(true);
    };
    client.on('notification', hear);
    try {
      const call = { signal, timeoutMs: ANSWER_MS };
      const { sql, parameters } = notification(token);
      await this.#pool.run(call, (sender) => sender.query(sql, [...parameters]));
      return await Promise.race([heard, this.#clock.sleep(ANSWER_MS / 2, signal).then(() => false)]);
    } finally {
      client.off('notification', hear);
    }
  }

  async #lookAround(signal: AbortSignal): Promise<void> {
    const limit = new AbortController();
    const timer = this.#clock.after(DEAF_MS, () => limit.abort());
    const either = AbortSignal.any([signal, limit.signal]);
    const versions = (keys: readonly string[]) => this.#versions(keys, either);
    await look({ listeners: this.#listeners, versions, everyMs: LOOK_MS }, this.#clock, either).catch(() => {});
    timer.cancel();
  }

  async #versions(keys: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Version>> {
    const { sql, parameters } = versionsOf(keys);
    const found = await this.#pool.run({ signal, timeoutMs: ANSWER_MS }, (client) =>
      client.query<{ readonly key: string; readonly version: string }>(sql, [...parameters]),
    );
    return new Map(found.rows.map(({ key, version }) => [key, version]));
  }
}
