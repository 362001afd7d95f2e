/**
 * Errors are decisions: each class tells the work loop what to do with the key. Everything else backs off and retries.
 */

/** Only a change of the spec can help: no retry, the workload becomes Stalled with this reason. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  /** CamelCase, stable: shown as the condition's reason. */
  readonly reason: string;
  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

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
    super(`${where} carries term ${term}, later than ours`);
    this.term = term;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
