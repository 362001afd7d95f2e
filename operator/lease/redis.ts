/**
 * Cells in Redis (SCAN … TYPE needs 6, the tests run 7): one readable hash per cell, `redis-cli keys 'highlander-*'` shows them.
 * The user needs EVAL, EVALSHA, INFO, TIME, HGET, HMGET, HSET, DEL, SCAN, PUBLISH, SUBSCRIBE and PING on those keys and
 * channels. The server must not evict (`maxmemory-policy noeviction`): an evicted cell is lost data.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { systemClock, type Clock } from '../lib/clock.ts';
import type { Call, Cell, CellStore, ListedCell, ReadReply, Version, WriteReply } from './cell-store.ts';
import { RedisConnection } from './redis-connection.ts';
import { asStoreError, type RedisOptions } from './redis-dial.ts';
import { RedisHints } from './redis-hints.ts';
import type { ReadRow } from './redis-scripts.ts';

export type { RedisOptions, RedisTls } from './redis-dial.ts';

/** Keys that one step of a listing looks at; the server does nothing else meanwhile. */
const SCAN_COUNT = 1000;

export class RedisStore implements CellStore {
  readonly kind = 'redis';
  readonly #prefix: string;
  readonly #connection: RedisConnection;
  readonly #hints: RedisHints;

  /** Connects at the first call, not here: a server that is down at our start is like one that goes down later. */
  constructor(options: RedisOptions, clock: Clock = systemClock) {
    this.#prefix = options.keyPrefix ?? '';
    this.#connection = new RedisConnection(options, clock);
    this.#hints = new RedisHints(options, clock);
  }

  async read(key: string, call: Call): Promise<ReadReply> {
    const row = await this.#connection.run(call, (client) => client.readCell(this.#prefix + key));
    return { incarnation: row[0], storeTimeMs: Number(row[1]) / 1000, cell: cellOf(row) };
  }

  async write(key: string, value: string, expected: Version | undefined, call: Call): Promise<WriteReply> {
    const [incarnation, version] = await this.#connection.run(call, (client) =>
      client.writeCell(this.#prefix + key, expected ?? '', value, randomUUID()),
    );
    return version === undefined ? { ok: false, incarnation } : { ok: true, incarnation, version };
  }

  async remove(key: string, expected: Version, call: Call): Promise<boolean> {
    return (await this.#connection.run(call, (client) => client.removeCell(this.#prefix + key, expected))) === 1;
  }

  /** Not one atomic step: a cell that comes or goes meanwhile may be there or not. */
  async list(prefix: string, call: Call): Promise<readonly ListedCell[]> {
    return this.#connection.run(call, async (client) => {
      const cells = new Map<string, ListedCell>();
      const pattern = `${escapeGlob(this.#prefix + prefix)}*`;
      let cursor = '0';
      do {
        const [next, keys] = await client.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT, 'TYPE', 'hash');
        for (const cell of await readAll(client, keys)) {
          const key = cell.key.slice(this.#prefix.length);
          cells.set(key, { ...cell, key });
        }
        cursor = next;
      } while (cursor !== '0');
      return [...cells.values()];
    });
  }

  subscribe(key: string, hint: () => void): () => void {
    return this.#hints.subscribe(this.#prefix + key, hint);
  }

  async close(): Promise<void> {
    this.#hints.close();
    this.#connection.close();
  }
}

async function readAll(client: Redis, keys: readonly string[]): Promise<readonly ListedCell[]> {
  const pipeline = client.pipeline();
  for (const key of keys) pipeline.readCell(key);
  const replies = (await pipeline.exec()) ?? [];
  return replies.flatMap(([error, row], index) => {
    if (error) throw asStoreError(error);
    const cell = cellOf(row as ReadRow);
    return cell ? [{ ...cell, key: keys[index] ?? '' }] : [];
  });
}

function cellOf([, , version, value, ageMicros]: ReadRow): Cell | undefined {
  return version === undefined ? undefined : { version, value: value ?? '', ageMs: (ageMicros ?? 0) / 1000 };
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
