/**
 * The gate before every reconcile: reads the external lock and hands out a grant, or refuses. `NotLeader` is not an
 * error; the key comes back on election.
 */
import type { Call } from '../lease/cell-store.ts';
import { NotLeader, RetryLater, messageOf } from '../lib/errors.ts';
import type { Scope } from '../api/scope.ts';
import type { HeldBack } from './activation.ts';
import type { Wishes } from './ports.ts';
import type { Term } from './term.ts';

/** What the guard needs of the elector. */
export interface Leadership {
  readonly term: Term | undefined;
  /** Reads the lease cell and lets what it shows count. */
  verify(call: Call): Promise<void>;
  readonly heldBack: HeldBack;
  readonly isForged: (stamp: number) => boolean;
}

/** Permission to act for one reconcile. */
export interface Grant {
  readonly term: number;
  readonly holder: string;
  readonly scope: Scope;
  readonly signal: AbortSignal;
  readonly heldBack: HeldBack;
  assertHeld(): void;
  /** Whether a higher term on a child is known to be one that no leader has written. */
  readonly isForged: (stamp: number) => boolean;
  allowGrace(graceMs: number, tryOut?: () => Promise<void>): Promise<void>;
}

/** Grants leave to act, by the lease as the store has it now. */
export class LeadershipGuard {
  readonly #leadership: Leadership;
  readonly #retryPeriodMs: number;
  readonly #wishes: Wishes | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(leadership: Leadership, retryPeriodMs: number, wishes?: Wishes) {
    this.#wishes = wishes;
    this.#leadership = leadership;
    this.#retryPeriodMs = retryPeriodMs;
  }

  /** Throws `NotLeader`, or `RetryLater` when the store does not answer: then nobody knows, and nothing is done. */
  async enter(): Promise<Grant> {
    const before = this.#leadership.term;
    if (!before) throw new NotLeader('this controller does not hold the lease');
    if (this.#wishes?.isPaused) throw new NotLeader('the tenant is paused');
    if (before.doubtful) throw new RetryLater(this.#retryPeriodMs, 'the lease was not renewed in time');
    try {
      await this.#read();
    } catch (error) {
      throw new RetryLater(this.#retryPeriodMs, `the lease could not be read: ${messageOf(error)}`, { cause: error });
    }
    const term = this.#leadership.term;
    if (!term || term !== before) throw new NotLeader('the lease was lost');
    term.assertHeld();
    return {
      term: term.number,
      holder: term.holder,
      scope: term.scope,
      signal: term.signal,
      heldBack: this.#leadership.heldBack,
      assertHeld: () => term.assertHeld(),
      isForged: this.#leadership.isForged,
      allowGrace: (graceMs, tryOut) => term.allowGrace(graceMs, tryOut),
    };
  }

  /** Callers share a read that started after they asked: at most one is under way and one waits. */
  #read(): Promise<void> {
    if (!this.#running) {
      this.#running = this.#verify();
      return this.#running;
    }
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        this.#running = this.#verify();
        return this.#running;
      });
    return this.#next;
  }

  async #verify(): Promise<void> {
    try {
      await this.#leadership.verify({ timeoutMs: this.#retryPeriodMs });
    } finally {
      this.#running = undefined;
    }
  }
}
