/** What Spanner's answers mean to a caller of the store. */
import { messageOf } from '../lib/errors.ts';
import { StoreError, type StoreErrorKind } from './store-error.ts';

/** Of gRPC. */
export const codes = { NOT_FOUND: 5, ALREADY_EXISTS: 6, PERMISSION_DENIED: 7, ABORTED: 10 } as const;

/** Every other number means that the server has looked at the request and refused it. */
const kinds: Readonly<Record<number, StoreErrorKind>> = {
  1: 'unreachable', // cancelled, by whoever is between
  2: 'unreachable', // unknown
  4: 'timeout',
  7: 'unauthorized',
  8: 'unreachable', // exhausted
  13: 'unreachable', // internal: a stream that broke, for instance
  14: 'unreachable',
  16: 'unauthorized',
};

/** Whether the error is an answer of gRPC with this code. */
export function hasCode(error: unknown, code: number): boolean {
  return codeOf(error) === code;
}

/** Whether the service has ended the session, so that a new one may help. */
export function isLostSession(error: unknown): boolean {
  return hasCode(error, codes.NOT_FOUND) && /\bSession not found/i.test(messageOf(error));
}

/** Whether a table of ours does not exist yet. */
export function isMissingTable(error: unknown): boolean {
  return /\bTable not found/i.test(messageOf(error));
}

/** Somebody else is changing the schema. */
export function isBusy(error: unknown): boolean {
  return /\bconcurrent schema change\b/i.test(messageOf(error));
}

/** Carries the message only: the client's error objects hold metadata of the request, its token among them. */
export function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const message = explained(messageOf(error));
  if (/\bcredentials?\b|invalid_(grant|client|rapt)/i.test(message))
    return new StoreError('unauthorized', `Spanner: ${message}`);
  const code = codeOf(error);
  const kind = (code === undefined ? 'unreachable' : kinds[code]) ?? 'other';
  return new StoreError(kind, `Spanner: ${message}`);
}

function explained(message: string): string {
  return /\b(Instance|Database) not found\b/i.test(message)
    ? `${message}; create it first (\`gcloud spanner databases create\`), then run \`highlander storage init\``
    : message;
}

function codeOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}
