/**
 * Cells in an SQLite file: for the controllers of one machine, which share its file system and its clock. Nothing to set
 * up. Not on a network file system, whose locks do not hold.
 */
import { sql, type Kysely } from 'kysely';
import { systemClock, type Clock } from '../lib/clock.ts';
import type { Call, CellStore, Incarnation, ListedCell, ReadReply, Version, WriteReply } from './cell-store.ts';
import { fromColumn, newVersion, toColumn, type Tables } from './sql-cells.ts';
import { Listeners, look } from './sql-listeners.ts';
import { asStoreError, isBusy, SqliteFile, type OpenFile } from './sqlite-file.ts';
import { within } from './within.ts';

/** Where the file is. */
export interface SqliteOptions {
  /** The file; it is made, and its folder, when there is none. */
  readonly path: string;
}

/** Milliseconds until a file that others write to is tried again, and between two looks for changes. */
const BUSY_PAUSE_MS = 5;
const LOOK_MS = 100;

/** Seconds since the epoch by the machine's clock; the same within a statement. */
const now = sql<number>`unixepoch('subsec')`;
const storeId = sql<string>`(select id from highlander_store)`.as('id');
const ageMs = sql<number>`max(0, ${now} - written_at) * 1000`;

/** The store in an SQLite file. */
export class SqliteStore implements CellStore {
  readonly kind = 'sqlite';
  readonly #clock: Clock;
  readonly #file: SqliteFile;
  readonly #listeners = new Listeners();
  #looking: AbortController | undefined;

  /** Opens the file at the first call, not here. */
  constructor({ path }: SqliteOptions, clock: Clock = systemClock) {
    this.#file = new SqliteFile(path);
    this.#clock = clock;
  }

  read(key: string, call: Call): Promise<ReadReply> {
    return this.#run(call, async (file) => {
      const { rows } = await sql<Row>`
        select ${now} * 1000 as now, id, value, version, ${ageMs} as age_ms
        from highlander_store left join highlander_cells on key = ${key}`.execute(file.db);
      const [row] = rows;
      if (!row) throw new Error('the table highlander_store is empty');
      const cell =
        row.version === null ? undefined : { value: fromColumn(row.value), version: row.version, ageMs: row.age_ms };
      return { incarnation: incarnationOf(file, row.id), storeTimeMs: row.now, cell };
    });
  }

  write(key: string, value: string, expected: Version | undefined, call: Call): Promise<WriteReply> {
    return this.#run(call, async (file) => {
      const cell = { value: toColumn(value), version: newVersion(), written_at: now };
      const written = await (expected === undefined
        ? insert(file.db, key, cell)
        : update(file.db, key, cell, expected));
      if (written) return { ok: true, version: cell.version, incarnation: incarnationOf(file, written.id) };
      const { id } = await file.db.selectFrom('highlander_store').select('id').executeTakeFirstOrThrow();
      return { ok: false, incarnation: incarnationOf(file, id) };
    });
  }

  remove(key: string, expected: Version, call: Call): Promise<boolean> {
    return this.#run(call, async ({ db }) => {
      const at = db.deleteFrom('highlander_cells').where('key', '=', key).where('version', '=', expected);
      return (await at.executeTakeFirst()).numDeletedRows === 1n;
    });
  }

  list(prefix: string, call: Call): Promise<readonly ListedCell[]> {
    return this.#run(call, async ({ db }) => {
      const rows = await db
        .selectFrom('highlander_cells')
        .select(['key', 'value', 'version', ageMs.as('age')])
        .where(sql<string>`substr(key, 1, length(${prefix}))`, '=', prefix)
        .execute();
      return rows.map(({ key, value, version, age }) => ({ key, value: fromColumn(value), version, ageMs: age }));
    });
  }

  /** Nobody tells of changes: it looks while somebody listens. */
  subscribe(key: string, hint: () => void): () => void {
    const end = this.#listeners.add(key, hint);
    if (!this.#looking) {
      this.#looking = new AbortController();
      const looking = {
        listeners: this.#listeners,
        versions: (keys: readonly string[]) => this.#versions(keys),
        everyMs: LOOK_MS,
      };
      void look(looking, this.#clock, this.#looking.signal).catch(() => {});
    }
    return () => {
      end();
      if (this.#listeners.isEmpty) this.#stopLooking();
    };
  }

  async close(): Promise<void> {
    this.#stopLooking();
    this.#listeners.clear();
    this.#file.close();
  }

  #stopLooking(): void {
    this.#looking?.abort();
    this.#looking = undefined;
  }

  async #versions(keys: readonly string[]): Promise<ReadonlyMap<string, Version>> {
    const { db } = this.#file.current();
    const rows = await db.selectFrom('highlander_cells').select(['key', 'version']).where('key', 'in', keys).execute();
    return new Map(rows.map(({ key, version }) => [key, version]));
  }

  /** Statements never wait for other processes, since the whole process would: they are sent again until the call is over. */
  #run<T>(call: Call, work: (file: OpenFile) => Promise<T>): Promise<T> {
    return within(call, this.#clock, 'SQLite', async (signal) => {
      for (;;) {
        try {
          return await work(this.#file.current());
        } catch (error) {
          if (!isBusy(error)) throw asStoreError(error);
          await this.#clock.sleep(BUSY_PAUSE_MS, signal);
        }
      }
    });
  }
}

interface Row {
  readonly now: number;
  readonly id: string;
  readonly value: string;
  /** Null: there is no such cell. */
  readonly version: string | null;
  readonly age_ms: number;
}

type NewCell = { readonly value: string; readonly version: Version; readonly written_at: unknown };

function insert(db: Kysely<Tables>, key: string, cell: NewCell): Promise<{ readonly id: string } | undefined> {
  const row = db.insertInto('highlander_cells').values({ key, ...cell });
  return row
    .onConflict((at) => at.doNothing())
    .returning(storeId)
    .executeTakeFirst();
}

function update(
  db: Kysely<Tables>,
  key: string,
  cell: NewCell,
  expected: Version,
): Promise<{ readonly id: string } | undefined> {
  const row = db.updateTable('highlander_cells').set(cell).where('key', '=', key).where('version', '=', expected);
  return row.returning(storeId).executeTakeFirst();
}

/** A file that was put in the place of another one may lack what had been written to that. */
function incarnationOf({ inode }: OpenFile, id: string): Incarnation {
  return `${id}-${inode}`;
}
