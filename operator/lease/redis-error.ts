import { messageOf } from '../lib/errors.ts';
import { StoreError, type StoreErrorKind } from './store-error.ts';

const kinds: readonly (readonly [RegExp, StoreErrorKind])[] = [
  [/^(WRONGPASS|NOAUTH|NOPERM)\b|The user executing the script can't/, 'unauthorized'],
  [/^READONLY\b/, 'readonly'],
  [/^(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK)\b|max number of clients/, 'unreachable'],
  [/\bETIMEDOUT\b/, 'timeout'],
  [/\b(ECONN|EPIPE|EHOST|ENET|ENOTFOUND|EAI_)|closed?\b|isn't writeable/, 'unreachable'],
];

/**
 * Carries the message only: the client's error objects hold the failed command with its arguments, the password and the
 * record among them, and would take both into the log as `cause`. `name` says who answered.
 */
export function asStoreError(error: unknown, name = 'Redis'): StoreError {
  if (error instanceof StoreError) return error;
  const message = messageOf(error).replace(/ script: [0-9a-f]{40}.*$/s, '');
  const kind = kinds.find(([pattern]) => pattern.test(message))?.[1] ?? 'other';
  return new StoreError(kind, `${name}: ${message}`);
}
