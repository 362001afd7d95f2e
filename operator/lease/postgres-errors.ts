/** What the server's answers mean for a caller, and which of them say that nothing was done and may be tried again. */
import { DatabaseError } from 'pg';
import { messageOf } from '../lib/errors.ts';
import { StoreError, type StoreErrorKind } from './store-error.ts';

/** By SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const states: readonly (readonly [RegExp, StoreErrorKind])[] = [
  [/^(28|42501)/, 'unauthorized'],
  [/^25006/, 'readonly'],
  [/^(57014|55P03)/, 'timeout'],
  [/^(08|53300|57P)/, 'unreachable'],
];

/** A pooler refuses a password with the state of a broken connection. */
const REFUSED = /\bSASL\b|authentication failed|no such user/;

const messages: readonly (readonly [RegExp, StoreErrorKind])[] = [
  [/\bETIMEDOUT\b/, 'timeout'],
  [/\b(ECONN|EPIPE|EHOST|ENET|ENOENT|ENOTFOUND|EAI_)|terminated\b|not queryable/, 'unreachable'],
];

/** Carries the message only: the client's errors hold the server's details, the statement's values among them. */
export function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const message = messageOf(error);
  const [table, subject] = error instanceof DatabaseError ? [states, error.code ?? ''] : [messages, message];
  const kind = REFUSED.test(message) ? 'unauthorized' : table.find(([pattern]) => pattern.test(subject))?.[1];
  return new StoreError(kind ?? 'other', `PostgreSQL: ${message}`);
}

/** A table or a column is missing. */
export function isUndefined(error: unknown): boolean {
  return error instanceof DatabaseError && /^(42P01|42703)$/.test(error.code ?? '');
}

/** The session does not know a prepared statement that it should, or has one of that name already. */
export function isUnprepared(error: unknown): boolean {
  return error instanceof DatabaseError && /^(26000|42P05)$/.test(error.code ?? '');
}

/** The role may not execute this function. */
export function isForbidden(error: unknown, name: string): boolean {
  return error instanceof DatabaseError && error.code === '42501' && error.message.includes(name);
}

/** Somebody else was faster, in a database that is serializable by default: the next try sees what they wrote. */
export function isOutrun(error: unknown): boolean {
  return error instanceof DatabaseError && /^40(001|P01)$/.test(error.code ?? '');
}
