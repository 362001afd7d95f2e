/** What the SQL drivers have in common: the tables' names and columns, and how values and versions are written. */
import { randomUUID } from 'node:crypto';
import type { Version } from './cell-store.ts';

/** The tables as Kysely sees them. */
export interface Tables {
  highlander_cells: {
    key: string;
    value: string;
    version: string;
    /** By the server's clock: timestamptz, or seconds since the epoch. */
    written_at: unknown;
  };
  /** One row. */
  highlander_store: {
    /** Random, made with the table: part of the incarnation. */
    id: string;
  };
}

/** Random, so that no version is ever used twice, not even by a cell that was removed or rolled back and made again. */
export function newVersion(): Version {
  return randomUUID();
}

/** A text column cannot hold a NUL: it is written as `\0`, and a backslash as `\\`. */
export function toColumn(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\0', '\\0');
}

/** The text of which `toColumn` made the value of a column. */
export function fromColumn(text: string): string {
  return text.replace(/\\([\\0])/g, (_, escaped) => (escaped === '0' ? '\0' : '\\'));
}
