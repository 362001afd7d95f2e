/** One term of this process as the holder: until when it may act, and the signal that ends what is under way. */
import type { Scope } from '../api/scope.ts';
import type { Clock } from '../lib/clock.ts';
import { LeaseLost } from '../lib/errors.ts';
import { Drain } from './drain.ts';
import type { Candidate } from './election.ts';
import type { LeaseRecord } from './lease-record.ts';
import type { ClusterView } from './ports.ts';
import type { Timing } from './timing.ts';
import { MARGIN_MS } from './timing.ts';

/** Whose term, and who hears of what it brings. */
export interface TermOptions {
  readonly number: number;
  readonly candidate: Pick<Candidate, 'identity' | 'timing'>;
  readonly clock: Clock;
  readonly cluster: Pick<ClusterView, 'drainMs'>;
  /** A longer drain is to be announced. */
  readonly onGrace: () => void;
  /** Several clusters share the tenant from now on. */
  readonly onShared: () => void;
}

/** Of the lease that is held, after a renewal. */
interface Acknowledged {
  readonly sentAt: number;
  readonly validUntil: number;
  readonly record: Pick<LeaseRecord, 'drainMs' | 'scope'>;
}

/** A term that has begun. After its end each `assertHeld` throws `LeaseLost`. */
export class Term {
  readonly number: number;
  readonly holder: string;
  readonly beganAt: number;
  /** Set once everything is in place to act. */
  established = false;
  /** Longest grace of the pods that were started in it, milliseconds. */
  graceMs = 0;
  readonly #options: TermOptions;
  readonly #timing: Timing;
  readonly #clock: Clock;
  readonly #drain = new Drain();
  readonly #ending = new AbortController();
  #sentAt = -Infinity;
  #sentAtWall = 0;
  #validUntil = -Infinity;
  #scope: Scope = 'single';

  constructor(options: TermOptions) {
    this.number = options.number;
    this.holder = options.candidate.identity;
    this.#options = options;
    this.#timing = options.candidate.timing;
    this.#clock = options.clock;
    this.beganAt = options.clock.monotonic();
  }

  /** Aborted with `LeaseLost` when the term ends. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** As of the last acknowledged write. */
  get scope(): Scope {
    return this.#scope;
  }

  get ended(): boolean {
    return this.#ending.signal.aborted;
  }

  /** No renewal was acknowledged for `renewDeadline`: the term may still be saved, but nothing new is begun. */
  get doubtful(): boolean {
    return this.#clock.monotonic() - this.#sentAt > this.#timing.renewDeadlineMs;
  }

  /** The deadline has passed, although the timer that ends the term may not have run yet. */
  get overdue(): boolean {
    return this.#clock.monotonic() >= this.#validUntil;
  }

  /** A write was acknowledged that had been sent at these times. */
  extend({ sentAt, validUntil, record }: Acknowledged, sentAtWall: number): void {
    this.#sentAt = sentAt;
    this.#sentAtWall = sentAtWall;
    this.#validUntil = validUntil;
    const isWider = this.established && record.scope !== this.#scope;
    this.#scope = record.scope;
    if (isWider) this.#options.onShared();
    this.#drain.acknowledged(record.drainMs);
  }

  end(because: string): void {
    if (this.ended) return;
    const reason = new LeaseLost(`term ${this.number} ended: ${because}`);
    this.#ending.abort(reason);
    this.#drain.fail(reason);
  }

  /**
   * Resolves when everybody who may have to wait for this cluster knows that its pods may take so long to stop. Rejects
   * with `LeaseLost`. `tryOut`: run before a longer time is announced, which is for good; nothing is when it throws.
   */
  async allowGrace(graceMs: number, tryOut?: () => Promise<void>): Promise<void> {
    if (this.ended) throw this.#ending.signal.reason;
    const drainMs = this.#options.cluster.drainMs(graceMs);
    if (drainMs <= this.#drain.knownMs) return;
    await tryOut?.();
    if (this.ended) throw this.#ending.signal.reason;
    this.graceMs = Math.max(this.graceMs, graceMs);
    const acknowledged = this.#drain.acknowledgement(drainMs);
    this.#options.onGrace();
    await acknowledged;
  }

  /**
   * Throws `LeaseLost` when the term has ended, its deadline has passed, or the two clocks have moved apart since the
   * last renewal: then one of them stood still, and the deadline proves nothing until the next renewal.
   */
  assertHeld(): void {
    if (this.ended) throw this.#ending.signal.reason;
    if (this.overdue) throw new LeaseLost(`the deadline of term ${this.number} has passed`);
    const now = this.#clock.monotonic();
    const apart = Math.abs(this.#clock.wall() - this.#sentAtWall - (now - this.#sentAt));
    if (apart > MARGIN_MS)
      throw new LeaseLost(
        `the clocks moved apart by ${Math.round(apart)} ms since the last renewal of term ${this.number}`,
      );
  }
}
