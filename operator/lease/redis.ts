/**
 * Cells in Redis (SCAN … TYPE needs 6, the tests run 7): one readable hash per cell, `redis-cli keys 'highlander-*'` shows
 * them. What the user must be allowed is in `docs/stores.md`, by which a test makes its user. The server must not evict
 * (`maxmemory-policy noeviction`): an evicted cell is lost data.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { systemClock, type Clock } from '../lib/clock.ts';
import type { Call, Cell, CellStore, ListedCell, ReadReply, Version, WriteReply } from './cell-store.ts';
import { asStoreError } from './redis-error.ts';
import { RedisHints } from './redis-hints.ts';
import type { RedisOptions } from './redis-options.ts';
import type { ReadRow } from './redis-scripts.ts';
import { serversOf, type RedisServers } from './redis-servers.ts';

export type { RedisOptions } from './redis-options.ts';

/** Keys that one step of a listing looks at; the server does nothing else meanwhile. */
const SCAN_COUNT = 1000;

/** The store in Redis. */
export class RedisStore implements CellStore {
  readonly kind = 'redis';
  readonly #prefix: string;
  readonly #servers: RedisServers;
  readonly #hints: RedisHints;

  /** Connects at the first call, not here: a server that is down at our start is like one that goes down later. */
  constructor(options: RedisOptions, clock: Clock = systemClock) {
    this.#prefix = options.keyPrefix ?? '';
    this.#servers = serversOf(options, clock);
    this.#hints = new RedisHints(this.#servers, clock);
  }

  async read(key: string, call: Call): Promise<ReadReply> {
    const row = await this.#at(key, call, (client, cell) => client.readCell(cell));
    return { incarnation: row[0], storeTimeMs: Number(row[1]) / 1000, cell: cellOf(row) };
  }

  async write(key: string, value: string, expected: Version | undefined, call: Call): Promise<WriteReply> {
    const [incarnation, version] = await this.#at(key, call, (client, cell) =>
      client.writeCell(cell, expected ?? '', value, randomUUID()),
    );
    return version === undefined ? { ok: false, incarnation } : { ok: true, incarnation, version };
  }

  async remove(key: string, expected: Version, call: Call): Promise<boolean> {
    return (await this.#at(key, call, (client, cell) => client.removeCell(cell, expected))) === 1;
  }

  /** Not one atomic step: a cell that comes, goes or moves to another server meanwhile may be there or not. */
  async list(prefix: string, call: Call): Promise<readonly ListedCell[]> {
    const cells = new Map<string, ListedCell>();
    await this.#servers.runAll(call, async (client) => {
      for await (const cell of scan(client, this.#prefix + prefix)) {
        const key = cell.key.slice(this.#prefix.length);
        cells.set(key, { ...cell, key });
      }
    });
    return [...cells.values()];
  }

  subscribe(key: string, hint: () => void): () => void {
    return this.#hints.subscribe(this.#prefix + key, hint);
  }

  async close(): Promise<void> {
    this.#hints.close();
    this.#servers.close();
  }

  #at<T>(key: string, call: Call, send: (client: Redis, cell: string) => Promise<T>): Promise<T> {
    const cell = this.#prefix + key;
    return this.#servers.run(cell, call, (client) => send(client, cell));
  }
}

/** The server's cells whose key starts with `prefix`; some of them twice when the server rearranges its keys. */
async function* scan(client: Redis, prefix: string): AsyncGenerator<ListedCell> {
  const pattern = `${escapeGlob(prefix)}*`;
  let cursor = '0';
  do {
    const [next, keys] = await client.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT, 'TYPE', 'hash');
    yield* await readAll(client, keys);
    cursor = next;
  } while (cursor !== '0');
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
