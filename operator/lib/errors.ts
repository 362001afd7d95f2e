/**
 * Errors are decisions: each class tells the work loop what to do with the key. Everything else backs off and retries.
 */

/** As a rule only a change of the spec can help: the workload becomes Stalled with this reason. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  /** CamelCase, stable: shown as the condition's reason. */
  readonly reason: string;
  /** Milliseconds until it is tried again all the same; undefined: never. */
  readonly retryAfterMs: number | undefined;
  constructor(reason: string, message: string, { retryAfterMs, ...options }: TerminalOptions = {}) {
    super(message, options);
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

interface TerminalOptions extends ErrorOptions {
  readonly retryAfterMs?: number;
}

/** What an API server, or a webhook in it, calls invalid it may take later, without a change of the spec: milliseconds. */
export const INVALID_AGAIN_MS = 60_000;

/** Nothing is wrong; look again after `afterMs` milliseconds. */
export class RetryLater extends Error {
  override readonly name = 'RetryLater';
  readonly afterMs: number;
  constructor(afterMs: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.afterMs = afterMs;
  }
}

/** This controller does not hold the lease. Not a failure: the key is dropped and queued again on election. */
export class NotLeader extends Error {
  override readonly name = 'NotLeader';
}

/** A grant ended while work was under way: the deadline passed, or the lease is held by somebody else. */
export class LeaseLost extends NotLeader {}

/** An object carries the stamp of a later term: somebody leads after us. The holder must step down. */
export class HigherTermSeen extends NotLeader {
  readonly term: number;
  constructor(term: number, where: string) {
    super(`${where} carries term ${term}, later than this controller's`);
    this.term = term;
  }
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
