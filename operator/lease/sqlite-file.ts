/** One open database file, the one that is at its path now: a file that was removed or replaced is let go. */
import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { Kysely, SqliteDialect, type SqliteDatabase } from 'kysely';
import { messageOf } from '../lib/errors.ts';
import type { Tables } from './sql-cells.ts';
import { StoreError, type StoreErrorKind } from './store-error.ts';

/** Milliseconds that the whole process stands still, at most, while another one writes. */
const BUSY_MS = 10;

/** An acknowledged write survives the end of the machine, not only of the process. */
const SETTINGS = 'pragma journal_mode = wal; pragma synchronous = full;';

const TABLES = `
  begin immediate;
  create table if not exists highlander_cells (
    key text primary key,
    value text not null,
    version text not null,
    written_at real not null
  ) without rowid;
  create table if not exists highlander_store (id text not null, one integer primary key check (one = 1));
  insert into highlander_store values (lower(hex(randomblob(16))), 1) on conflict do nothing;
  commit;
`;

/** An open database. */
export interface OpenFile {
  readonly db: Kysely<Tables>;
  /** Which file it is, among all that have been at the path. */
  readonly inode: string;
}

/** Opens the file at a path, anew when it is another one. */
export class SqliteFile {
  readonly #path: string;
  #open: (OpenFile & { readonly database: DatabaseSync }) | undefined;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Makes the file and its tables when they are missing. Throws what the library throws. */
  current(): OpenFile {
    if (this.#closed) throw new StoreError('unreachable', 'The store was closed');
    if (this.#open && this.#open.inode !== this.#inode()) this.#letGo();
    this.#open ??= this.#reopen();
    return this.#open;
  }

  close(): void {
    this.#closed = true;
    this.#letGo();
  }

  #reopen(): OpenFile & { readonly database: DatabaseSync } {
    makeFolder(dirname(resolve(this.#path)));
    assertNoPipe(this.#path);
    closeSync(openSync(this.#path, 'a', 0o600));
    const inode = this.#inode() ?? '';
    const database = new DatabaseSync(this.#path, { timeout: BUSY_MS });
    try {
      database.exec(SETTINGS);
      database.exec(TABLES);
      if (this.#inode() !== inode) throw new StoreError('unreachable', 'SQLite: the file was replaced meanwhile');
      return {
        database,
        inode,
        db: new Kysely<Tables>({ dialect: new SqliteDialect({ database: adapted(database) }) }),
      };
    } catch (error) {
      database.close();
      throw error;
    }
  }

  #inode(): string | undefined {
    const file = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    return file && `${file.dev.toString(36)}.${file.ino.toString(36)}`;
  }

  #letGo(): void {
    this.#open?.database.close();
    this.#open = undefined;
  }
}

/** Whoever opens a pipe that nobody reads waits for ever. */
function assertNoPipe(path: string): void {
  const isPipe = statSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false;
  if (isPipe) throw new StoreError('other', 'SQLite: it is a pipe');
}

/** Step by step: in a file system that takes no folders, such as /proc, Node's own recursion never ends. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another controller of this machine may have been faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** What the query builder knows of a database, in Node's own. */
function adapted(database: DatabaseSync): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare(sql) {
      const statement = database.prepare(sql);
      const values = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[];
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...values(parameters)),
        run: (parameters) => statement.run(...values(parameters)),
        iterate: (parameters) => statement.iterate(...values(parameters)),
      };
    },
  };
}

/** Another process has the file: a moment later it may be free. */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(error);
  return code === 5 || code === 6;
}

/** By primary result code: https://www.sqlite.org/rescode.html */
const kinds: Readonly<Record<number, StoreErrorKind>> = {
  3: 'unauthorized',
  8: 'readonly',
  14: 'unreachable',
  23: 'unauthorized',
};

/** A `StoreError` for whatever SQLite or the file system threw. */
export function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { code = '' } = error as NodeJS.ErrnoException;
  const byName = /^(EACCES|EPERM)$/.test(code) ? 'unauthorized' : code === 'EROFS' ? 'readonly' : undefined;
  const kind = byName ?? kinds[primaryCode(error) ?? 0] ?? 'other';
  return new StoreError(kind, `SQLite: ${messageOf(error)}`);
}

function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}
