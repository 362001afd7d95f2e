/**
 * The tables, and how they come about. Nobody looks for them at start: a statement that finds none has them made, in one
 * transaction under a lock that ends with it, so that any number of controllers may do so at once, through a pooler as
 * well. A role that may not create tables works when somebody else has made them (docs/stores.md).
 */
import { Kysely, PostgresAdapter, PostgresDialect, sql, type PostgresPoolClient } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import type { Client } from 'pg';
import { messageOf } from '../lib/errors.ts';
import { asStoreError } from './postgres-errors.ts';
import { StoreError } from './store-error.ts';

/** Any number that nobody else locks by. */
const LOCK = 4_867_716_513;

const migrations: Record<string, Migration> = {
  '0001-cells': {
    async up(db) {
      await sql`create table if not exists highlander_cells (
        key text collate "C" primary key,
        value text not null,
        version text not null,
        written_at timestamptz not null default clock_timestamp()
      )`.execute(db);
      await sql`create table if not exists highlander_store (
        id text not null default replace(gen_random_uuid()::text, '-', ''),
        one boolean primary key default true check (one)
      )`.execute(db);
      await sql`insert into highlander_store default values on conflict do nothing`.execute(db);
    },
  },
};

const names = { migrationTableName: 'highlander_migrations', migrationLockTableName: 'highlander_migrations_lock' };

/** The lock of the adapter it extends belongs to the session, which is not ours behind a pooler. */
class Adapter extends PostgresAdapter {
  override async acquireMigrationLock(db: Kysely<unknown>): Promise<void> {
    await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(db);
  }
  override async releaseMigrationLock(): Promise<void> {}
}

class Dialect extends PostgresDialect {
  override createAdapter(): PostgresAdapter {
    return new Adapter();
  }
}

/** Makes what is missing. Rejects with `StoreError`. */
export async function makeTables(client: Client): Promise<void> {
  const failures: unknown[] = [];
  try {
    await database(client, failures)
      .transaction()
      .setIsolationLevel('read committed')
      .execute(async (db) => {
        await new Adapter().acquireMigrationLock(db);
        await forgetIfDropped(db);
        const provider = { getMigrations: async () => migrations };
        const { error } = await new Migrator({ db, provider, ...names }).migrateToLatest();
        if (error) throw new Error(messageOf(error), { cause: error });
      });
  } catch (error) {
    // The migrator goes on after a failure and reports what follows from it.
    const { kind, message } = asStoreError(failures[0] ?? error);
    throw new StoreError(kind, `${message} (while creating the tables highlander_cells and highlander_store)`);
  }
}

/** Somebody dropped the tables, but not the note that they had been made. */
async function forgetIfDropped(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ readonly whole: boolean }>`
    select to_regclass('highlander_cells') is not null and to_regclass('highlander_store') is not null as whole
  `.execute(db);
  if (rows[0]?.whole) await sql`insert into highlander_store default values on conflict do nothing`.execute(db);
  else for (const name of Object.values(names)) await sql`drop table if exists ${sql.table(name)}`.execute(db);
}

/** On a connection that stays its owner's. */
function database(client: Client, failures: unknown[]): Kysely<unknown> {
  const query = (text: string, values: readonly unknown[]) =>
    client.query(text, [...values]).catch((error: unknown) => {
      failures.push(error);
      throw error;
    });
  const only = { query, release: () => {} } as unknown as PostgresPoolClient;
  const pool = { connect: async () => only, end: async () => {}, options: {} };
  return new Kysely<unknown>({ dialect: new Dialect({ pool }) });
}
