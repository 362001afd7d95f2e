/**
 * A few connections for reads and writes, made when somebody asks. Each call has one for itself and ends it when it gives
 * up. Nothing is sent twice: whether a statement whose answer is missing took place, only the cell's version can tell.
 */
import type { Client } from 'pg';
import type { Clock } from '../lib/clock.ts';
import type { Call } from './cell-store.ts';
import type { Connection, PostgresDialer } from './postgres-dial.ts';
import { asStoreError } from './postgres-errors.ts';
import { StoreError, type StoreErrorKind } from './store-error.ts';
import { within } from './within.ts';

/** After these the connection is as good as before; it is another server's, perhaps, after `readonly`. */
const HARMLESS: readonly StoreErrorKind[] = ['other', 'unauthorized', 'timeout'];

/** Lends connections to calls. */
export class PostgresPool {
  readonly #dialer: PostgresDialer;
  readonly #clock: Clock;
  readonly #max: number;
  readonly #closed = new AbortController();
  readonly #open = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #waiting = new Set<PromiseWithResolvers<Connection>>();
  #dialling = 0;

  constructor(dialer: PostgresDialer, max: number, clock: Clock) {
    this.#dialer = dialer;
    this.#max = max;
    this.#clock = clock;
  }

  /** Rejects with `StoreError` or the reason of the call's signal. */
  run<T>(call: Call, work: (client: Client) => Promise<T>): Promise<T> {
    return within(call, this.#clock, 'PostgreSQL', async (signal) => {
      const connection = await this.#take(signal);
      const abandon = () => connection.destroy();
      signal.addEventListener('abort', abandon, { once: true });
      try {
        const answer = await work(connection.client);
        this.#give(connection);
        return answer;
      } catch (error) {
        const known = asStoreError(error);
        if (HARMLESS.includes(known.kind)) this.#give(connection);
        else connection.destroy();
        throw known;
      } finally {
        signal.removeEventListener('abort', abandon);
      }
    });
  }

  /** Those who wait are told; who has been given a connection loses it. */
  close(): void {
    this.#closed.abort(new StoreError('unreachable', 'The store was closed'));
    for (const connection of this.#open) connection.destroy();
  }

  async #take(signal: AbortSignal): Promise<Connection> {
    this.#closed.signal.throwIfAborted();
    const idle = this.#idle.pop();
    if (idle) return idle;
    const waiter = Promise.withResolvers<Connection>();
    const leave = () => {
      if (this.#waiting.delete(waiter)) waiter.reject(signal.reason);
    };
    this.#waiting.add(waiter);
    signal.addEventListener('abort', leave, { once: true });
    this.#dialForWaiting();
    const connection = await waiter.promise.finally(() => signal.removeEventListener('abort', leave));
    if (!signal.aborted) return connection;
    this.#give(connection);
    throw signal.reason;
  }

  #give(connection: Connection): void {
    if (connection.ended.aborted) return;
    const [waiter] = this.#waiting;
    if (!waiter) return void this.#idle.push(connection);
    this.#waiting.delete(waiter);
    waiter.resolve(connection);
  }

  #dialForWaiting(): void {
    if (this.#waiting.size > this.#dialling && this.#open.size + this.#dialling < this.#max) void this.#dial();
  }

  /** An attempt serves whoever waits when it is over, the one included who made it begin. */
  async #dial(): Promise<void> {
    this.#dialling += 1;
    try {
      const connection = await this.#dialer.dial(this.#closed.signal);
      this.#open.add(connection);
      connection.ended.addEventListener('abort', () => this.#forget(connection), { once: true });
      this.#give(connection);
    } catch (error) {
      for (const waiter of this.#waiting) waiter.reject(error);
      this.#waiting.clear();
    } finally {
      this.#dialling -= 1;
    }
  }

  #forget(connection: Connection): void {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#dialForWaiting();
  }
}
