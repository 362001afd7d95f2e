/**
 * Cells in PostgreSQL 13 or later (the tests run Debian's), one row each: `select * from highlander_cells` shows them.
 * The role needs SELECT, INSERT, UPDATE and DELETE on that table and SELECT on `highlander_store`, and CREATE in its schema
 * unless somebody else makes the tables. `synchronous_commit` must not be off: an acknowledged write must survive a crash.
 */
import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import type { CompiledQuery } from 'kysely';
import { systemClock, type Clock } from '../lib/clock.ts';
import type { Call, Cell, CellStore, ListedCell, ReadReply, Version, WriteReply } from './cell-store.ts';
import { PostgresDialer, type PostgresOptions } from './postgres-dial.ts';
import { isForbidden, isOutrun, isUndefined, isUnprepared } from './postgres-errors.ts';
import { PostgresHints } from './postgres-hints.ts';
import { makeTables } from './postgres-migrations.ts';
import { PostgresPool } from './postgres-pool.ts';
import { PostgresStatements, removal, type CellRow } from './postgres-statements.ts';
import { fromColumn, newVersion, toColumn } from './sql-cells.ts';
import { StoreError } from './store-error.ts';

export type { PostgresOptions, PostgresTls } from './postgres-dial.ts';

const MAX_CONNECTIONS = 4;
/** More than the reasons there are to send a statement again. */
const MAX_ATTEMPTS = 5;

interface Row {
  /** Null: the store has lost its own row. */
  readonly incarnation?: string | null;
}

/** The store in PostgreSQL. */
export class PostgresStore implements CellStore {
  readonly kind = 'postgres';
  readonly #pool: PostgresPool;
  readonly #hints: PostgresHints;
  #statements = new PostgresStatements(true);
  /** Until a pooler is found in between that gives the session to others. */
  #prepares = true;

  /** Connects at the first call, not here: a server that is down at our start is like one that goes down later. */
  constructor(options: PostgresOptions, clock: Clock = systemClock) {
    const dialer = new PostgresDialer(options, clock);
    this.#pool = new PostgresPool(dialer, options.maxConnections ?? MAX_CONNECTIONS, clock);
    this.#hints = new PostgresHints(dialer, this.#pool, clock);
  }

  async read(key: string, call: Call): Promise<ReadReply> {
    const [row] = await this.#cells(call, (statements) => statements.read(key));
    return {
      incarnation: row?.incarnation ?? '',
      storeTimeMs: row?.now ?? 0,
      cell: row && row.key !== null ? cellOf(row) : undefined,
    };
  }

  async write(key: string, value: string, expected: Version | undefined, call: Call): Promise<WriteReply> {
    const column = toColumn(value);
    const [row] = await this.#ask(call, (statements) => statements.write(key, column, newVersion(), expected));
    const { incarnation, version } = { incarnation: row?.incarnation ?? '', version: row?.version ?? null };
    return version === null ? { ok: false, incarnation } : { ok: true, incarnation, version };
  }

  async remove(key: string, expected: Version, call: Call): Promise<boolean> {
    const [row] = await this.#ask(call, () => removal(key, expected));
    return Number(row?.removed) === 1;
  }

  async list(prefix: string, call: Call): Promise<readonly ListedCell[]> {
    const rows = await this.#cells(call, (statements) => statements.list(prefix));
    return rows.flatMap((row) => (row.key === null ? [] : [{ key: row.key, ...cellOf(row) }]));
  }

  /** Makes the tables, for roles that may not. */
  prepare(call: Call): Promise<void> {
    return this.#pool.run(call, makeTables);
  }

  subscribe(key: string, hint: () => void): () => void {
    return this.#hints.subscribe(key, hint);
  }

  async close(): Promise<void> {
    this.#hints.close();
    this.#pool.close();
  }

  /** From a server that may be written to: what a standby shows may be old. */
  #cells(call: Call, build: (statements: PostgresStatements) => CompiledQuery<CellRow>): Promise<readonly CellRow[]> {
    return this.#ask(call, build, (rows) => {
      if (rows[0]?.standby) throw new StoreError('readonly', 'PostgreSQL: this server is a standby');
    });
  }

  /** Sends the statement again only when it certainly did nothing, and the cause is gone. */
  #ask<R extends Row>(
    call: Call,
    build: (statements: PostgresStatements) => CompiledQuery<R>,
    check: (rows: readonly R[]) => void = () => {},
  ): Promise<readonly R[]> {
    return this.#pool.run(call, async (client) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const rows = await send(client, build(this.#statements), this.#prepares);
          check(rows);
          if (rows[0]?.incarnation !== null) return rows;
          await makeTables(client);
          throw new StoreError(
            'unreachable',
            'PostgreSQL: the row of highlander_store was missing and has been created again',
          );
        } catch (error) {
          if (attempt === MAX_ATTEMPTS) throw error;
          await this.#mend(client, error);
        }
      }
    });
  }

  /** Rejects with `error` when there is no remedy. */
  async #mend(client: Client, error: unknown): Promise<void> {
    if (isUndefined(error)) await makeTables(client);
    else if (isForbidden(error, 'pg_control_system')) this.#statements = new PostgresStatements(false);
    else if (isUnprepared(error)) this.#prepares = false;
    else if (!isOutrun(error)) throw error;
  }
}

/** Prepared ones are planned once for each session. Behind a pooler another version of ours may have used it: the name tells what it stands for. */
async function send<R extends object>(
  client: Client,
  { sql, parameters }: CompiledQuery<R>,
  prepares: boolean,
): Promise<readonly R[]> {
  const name = prepares ? { name: `highlander-${createHash('sha256').update(sql).digest('hex').slice(0, 32)}` } : {};
  return (await client.query<R>({ ...name, text: sql, values: [...parameters] })).rows;
}

function cellOf({ value, version, age_ms: ageMs }: CellRow): Cell {
  return { value: fromColumn(value), version, ageMs };
}
