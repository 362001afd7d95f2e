/**
 * The driver's steps, each a single statement: one round trip, one snapshot, nothing left in the session that the
 * next one needs, so that they pass through a pooler in transaction mode. Every reply carries the incarnation.
 */
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  type CompiledQuery,
  type RawBuilder,
} from 'kysely';
import type { Version } from './cell-store.ts';
import type { Tables } from './sql-cells.ts';

/** All cells share it; what is sent is the key. */
export const CHANNEL = 'highlander_cells';

/** Of a read or a listing: one row at least, with nulls when there is no cell. */
export interface CellRow {
  /** Null: the store has lost its own row. */
  readonly incarnation: string | null;
  readonly standby: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly key: string | null;
  readonly value: string;
  readonly version: string;
  readonly age_ms: number;
}

/** The reply of a write. */
export interface WriteRow {
  readonly incarnation: string | null;
  /** Null: the cell's version was another one. */
  readonly version: string | null;
}

/** The reply of a removal. */
export interface RemovalRow {
  readonly incarnation?: never;
  /** How many; a bigint, which the client leaves as text. */
  readonly removed: string;
}

/** Builds statements, sends nothing. */
const db = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (any) => new PostgresIntrospector(any),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

const standby = sql<boolean>`pg_is_in_recovery()`;
const clock = sql<string>`clock_timestamp()`;

/**
 * Another one after: the tables were made anew (`id`), they were restored or emptied (the file of the table), they were
 * copied to another server (its identifier), a replica was promoted or an old state recovered (the timeline). The same
 * after a restart, which keeps what was committed. All roles may call these functions unless somebody forbade it.
 */
function incarnationOf(identifiesServer: boolean): RawBuilder<string | null> {
  const server = identifiesServer ? sql`(select system_identifier from pg_control_system())` : sql`0`;
  const timeline = sql`case when ${standby} then '' else left(pg_walfile_name(pg_current_wal_lsn()), 8) end`;
  const file = sql`pg_relation_filenode('highlander_cells')`;
  return sql`(select id || '-' || ${server} || '-' || ${timeline} || '-' || ${file} from highlander_store)`;
}

/** `identifiesServer`: false where the role may not call `pg_control_system()`. */
export class PostgresStatements {
  readonly #incarnation: RawBuilder<string | null>;

  constructor(identifiesServer: boolean) {
    this.#incarnation = incarnationOf(identifiesServer);
  }

  read(key: string): CompiledQuery<CellRow> {
    return this.#cells(sql`cell.key = ${key}`);
  }

  list(prefix: string): CompiledQuery<CellRow> {
    return this.#cells(sql`starts_with(cell.key, ${prefix})`);
  }

  write(key: string, value: string, version: Version, expected: Version | undefined): CompiledQuery<WriteRow> {
    const row = { value, version, written_at: clock };
    const [made, changed] = [db.insertInto('highlander_cells'), db.updateTable('highlander_cells')];
    const written =
      expected === undefined
        ? made
            .values({ key, ...row })
            .onConflict((at) => at.column('key').doNothing())
            .returning('version')
        : changed.set(row).where('key', '=', key).where('version', '=', expected).returning('version');
    return sql<WriteRow>`
      with written as (${written}), told as (select ${notify(key)} from written)
      select ${this.#incarnation} as incarnation, (select version from written) as version,
        (select count(*) from told) as told`.compile(db);
  }

  #cells(condition: RawBuilder<unknown>): CompiledQuery<CellRow> {
    const now = sql`extract(epoch from ${clock})`;
    return sql<CellRow>`
      select ${this.#incarnation} as incarnation, ${standby} as standby, (${now} * 1000)::float8 as now,
        cell.key, cell.value, cell.version,
        greatest(0, (${now} - extract(epoch from cell.written_at)) * 1000)::float8 as age_ms
      from (select) as always left join highlander_cells as cell on ${condition}`.compile(db);
  }
}

/** Removes the cell when its version is `expected`. */
export function removal(key: string, expected: Version): CompiledQuery<RemovalRow> {
  const gone = db
    .deleteFrom('highlander_cells')
    .where('key', '=', key)
    .where('version', '=', expected)
    .returning('key');
  return sql<RemovalRow>`
    with gone as (${gone}), told as (select ${notify(key)} from gone)
    select (select count(*) from gone) as removed, (select count(*) from told) as told`.compile(db);
}

/** Versions of those of the keys that have a cell. */
export function versionsOf(keys: readonly string[]): CompiledQuery<{ readonly key: string; readonly version: string }> {
  return db.selectFrom('highlander_cells').select(['key', 'version']).where('key', 'in', keys).compile();
}

/** Reaches the others when the statement's transaction has been committed. */
export function notify(payload: string): RawBuilder<unknown> {
  return sql`pg_notify(${sql.lit(CHANNEL)}, ${payload})`;
}

/** Notifies all who listen; `payload` says of what. */
export function notification(payload: string): CompiledQuery {
  return sql`select ${notify(payload)}`.compile(db);
}
