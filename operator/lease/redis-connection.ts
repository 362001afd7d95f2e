/**
 * One connection to one server, made when somebody asks and given up when an answer is overdue. It never
 * resends: whether a command whose answer is missing took place, only the cell's version can tell.
 */
import type { Redis } from 'ioredis';
import { Backoff } from '../lib/backoff.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Call } from './cell-store.ts';
import { dial } from './redis-dial.ts';
import { asStoreError } from './redis-error.ts';
import type { RedisTarget } from './redis-options.ts';
import { StoreError } from './store-error.ts';
import { chance, within } from './within.ts';

/** Pauses between two attempts to connect; short against a renewal's deadline. */
const RETRY = { baseMs: 50, maxMs: 500 };

/** A connection to one server. */
export class RedisConnection {
  readonly #target: RedisTarget;
  readonly #clock: Clock;
  readonly #backoff = new Backoff(RETRY, chance);
  readonly #closed = new AbortController();
  #client: Redis | undefined;
  #dialling: Promise<Redis> | undefined;
  #nextDial = 0;

  constructor(target: RedisTarget, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
  }

  /** Somebody has used it, and nothing says that it ended. */
  get isReady(): boolean {
    return this.#client?.status === 'ready';
  }

  /** Nothing is sent any more once the call is over. Rejects with `StoreError` or the reason of the call's signal. */
  run<T>(call: Call, send: (client: Redis) => Promise<T>): Promise<T> {
    const due = this.#clock.monotonic() + call.timeoutMs;
    return within(call, this.#clock, this.#target.name, async (signal) => {
      const client = await this.#connected();
      signal.throwIfAborted();
      let overdue: Timer | undefined;
      const abandon = () => {
        const giveUp = () => this.#drop(client);
        if (isTimeout(signal.reason)) giveUp();
        // A caller that aborts leaves its command behind: nobody else's answer suffers, unless this one never comes.
        // Started here only: beside the call's own timer it could end the connection first, and hide the timeout.
        else overdue = this.#clock.after(due - this.#clock.monotonic(), giveUp);
      };
      signal.addEventListener('abort', abandon, { once: true });
      try {
        return await send(client);
      } catch (error) {
        const refusal = asStoreError(error, this.#target.name);
        // The address may lead to another server by now.
        if (refusal.kind === 'readonly') this.#drop(client);
        throw refusal;
      } finally {
        signal.removeEventListener('abort', abandon);
        overdue?.cancel();
      }
    });
  }

  close(): void {
    this.#closed.abort(new StoreError('unreachable', 'The store was closed'));
    if (this.#client) this.#drop(this.#client);
  }

  async #connected(): Promise<Redis> {
    this.#closed.signal.throwIfAborted();
    if (this.#client && this.isReady) return this.#client;
    this.#dialling ??= this.#dial().finally(() => (this.#dialling = undefined));
    return this.#dialling;
  }

  async #dial(): Promise<Redis> {
    const pause = this.#nextDial - this.#clock.monotonic();
    if (pause > 0) await this.#clock.sleep(pause, this.#closed.signal);
    try {
      this.#client = await dial(this.#target, this.#clock, this.#closed.signal);
      this.#backoff.reset();
      return this.#client;
    } catch (error) {
      this.#nextDial = this.#clock.monotonic() + this.#backoff.next();
      throw error;
    }
  }

  #drop(client: Redis): void {
    if (this.#client === client) this.#client = undefined;
    client.disconnect();
  }
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof StoreError && reason.kind === 'timeout';
}
