/**
 * Cells as rows of a Cloud Spanner database (GoogleSQL). Time is the server's throughout: a row carries the timestamp of
 * the commit that wrote it. Spanner loses no acknowledged write. A backup is restored into a database of another name,
 * which is part of the incarnation; only when that name had been freed and is used again, the loss goes unnoticed here.
 */
import { randomBytes } from 'node:crypto';
import { systemClock, type Clock } from '../lib/clock.ts';
import type { Call, Cell, CellStore, ListedCell, ReadReply, Version, WriteReply } from './cell-store.ts';
import { SpannerConnection, type SpannerOptions } from './spanner-connection.ts';
import { isUnprepared, prepareEmulator, prepareTables, Unprepared } from './spanner-schema.ts';
import { query, transact, type Exchange, type Mutation, type Row, type Statement } from './spanner-transaction.ts';

export type { SpannerOptions } from './spanner-connection.ts';

/** Milliseconds between two looks for a subscriber, and for each answer: Spanner tells nobody of a write by itself. */
const LOOK_EVERY_MS = 1000;
const ANSWER_MS = 2000;
/** Milliseconds that making tables may take when nobody waits for it. */
const PREPARE_MS = 300_000;

/** CURRENT_TIMESTAMP, not the timestamp of the read, which a server may choose as early as the last write. */
const COLUMNS = `SELECT s.Incarnation, UNIX_MICROS(CURRENT_TIMESTAMP()), c.Key, c.Value, c.Version, UNIX_MICROS(c.WrittenAt)
  FROM HighlanderStore AS s LEFT JOIN HighlanderCells AS c ON`;

const one = (key: string): Statement => ({ sql: `${COLUMNS} c.Key = @key WHERE s.Id = 1`, params: { key } });
const all = (prefix: string): Statement => ({
  sql: `${COLUMNS} STARTS_WITH(c.Key, @prefix) WHERE s.Id = 1`,
  params: { prefix },
});

/** The store in Cloud Spanner. */
export class SpannerStore implements CellStore {
  readonly kind = 'spanner';
  readonly #options: SpannerOptions;
  readonly #clock: Clock;
  readonly #connection: SpannerConnection;
  readonly #closed = new AbortController();
  #preparing: Promise<void> | undefined;

  /** Connects at the first call, not here. */
  constructor(options: SpannerOptions, clock: Clock = systemClock) {
    this.#options = options;
    this.#clock = clock;
    this.#connection = new SpannerConnection(options, clock);
  }

  read(key: string, call: Call): Promise<ReadReply> {
    return this.#run(call, async (exchange) => {
      const row = first(await query(exchange, one(key)));
      return { incarnation: this.#incarnation(row), storeTimeMs: Number(row[1]) / 1000, cell: cellOf(row) };
    });
  }

  write(key: string, value: string, expected: Version | undefined, call: Call): Promise<WriteReply> {
    const random = randomBytes(8).toString('hex');
    return this.#run(call, async (exchange) => {
      const { rows, at } = await transact(exchange, one(key), (found) =>
        cellOf(first(found))?.version === expected ? [put(key, value, random)] : [],
      );
      const incarnation = this.#incarnation(first(rows));
      return at === undefined ? { ok: false, incarnation } : { ok: true, incarnation, version: versionOf(at, random) };
    });
  }

  remove(key: string, expected: Version, call: Call): Promise<boolean> {
    const removal = { delete: { table: 'HighlanderCells', keySet: { keys: [{ values: [{ stringValue: key }] }] } } };
    return this.#run(call, async (exchange) => {
      const { at } = await transact(exchange, one(key), (found) =>
        cellOf(first(found))?.version === expected ? [removal] : [],
      );
      return at !== undefined;
    });
  }

  list(prefix: string, call: Call): Promise<readonly ListedCell[]> {
    return this.#run(call, async (exchange) => {
      const rows = await query(exchange, all(prefix));
      first(rows);
      return rows.flatMap((row) => {
        const cell = cellOf(row);
        return cell ? [{ key: row[2] ?? '', ...cell }] : [];
      });
    });
  }

  /** Looks at the cell every second: one read, of no more than the cell. */
  subscribe(key: string, hint: () => void): () => void {
    const ended = new AbortController();
    void this.#watch(key, hint, AbortSignal.any([ended.signal, this.#closed.signal])).catch(() => {});
    return () => ended.abort();
  }

  /** `highlander storage init`: makes the tables, and in an emulator the database too. */
  async prepare(call: Call): Promise<void> {
    if (this.#options.emulatorHost !== undefined) await prepareEmulator(this.#options);
    await prepareTables({ options: this.#options, connection: this.#connection, clock: this.#clock }, call);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#connection.close();
  }

  #run<T>(call: Call, work: (exchange: Exchange) => Promise<T>): Promise<T> {
    return this.#connection.run(call, async (exchange) => {
      try {
        return await work(exchange);
      } catch (error) {
        if (!isUnprepared(error)) throw error;
        await this.#prepared();
        return work(exchange);
      }
    });
  }

  /** Goes on when the caller has given up: making tables takes longer than a call may. */
  #prepared(): Promise<void> {
    const preparation = { options: this.#options, connection: this.#connection, clock: this.#clock };
    this.#preparing ??= prepareTables(preparation, { timeoutMs: PREPARE_MS, signal: this.#closed.signal }).finally(
      () => (this.#preparing = undefined),
    );
    return this.#preparing;
  }

  #incarnation([random]: Row): string {
    return `${this.#options.instanceID}/${this.#options.databaseID}/${random}`;
  }

  /** Ends by rejection when `signal` fires. After a failure it hints in any case: something may have been missed. */
  async #watch(key: string, hint: () => void, signal: AbortSignal): Promise<never> {
    for (let seen: Version | undefined; ;) {
      const version = await this.read(key, { timeoutMs: ANSWER_MS, signal }).then(
        ({ cell }) => cell?.version ?? '',
        () => undefined,
      );
      signal.throwIfAborted();
      if (version !== undefined && version !== seen) hint();
      seen = version;
      await this.#clock.sleep(LOOK_EVERY_MS, signal);
    }
  }
}

function first(rows: readonly Row[]): Row {
  const [row] = rows;
  if (!row) throw new Unprepared('The table HighlanderStore is empty');
  return row;
}

function cellOf([, now, key, value, random, writtenAt]: Row): Cell | undefined {
  if (key === undefined || random === undefined) return undefined;
  const at = Number(writtenAt);
  // A server's clock may be a little behind the commit that another one made.
  const ageMs = Math.max(0, (Number(now) - at) / 1000);
  return { value: value ?? '', version: versionOf(at, random), ageMs };
}

/** The timestamp keeps versions apart where two processes have the same source of randomness (a copied machine). */
function versionOf(atMicros: number, random: string): Version {
  return `${atMicros}-${random}`;
}

function put(key: string, value: string, random: string): Mutation {
  const texts = [key, value, random, 'spanner.commit_timestamp()'];
  const row = { values: texts.map((stringValue) => ({ stringValue })) };
  const columns = ['Key', 'Value', 'Version', 'WrittenAt'];
  return { insertOrUpdate: { table: 'HighlanderCells', columns, values: [row] } };
}
