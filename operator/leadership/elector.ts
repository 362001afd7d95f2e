/**
 * Runs the election: carries out the steps of the state machine against the store, one at a time, on its own timers.
 * It shares no lock, queue or await with workload work, so that nothing a reconciler does can delay a renewal.
 */
import type { Call, ReadReply } from '../lease/cell-store.ts';
import { cellKeys } from '../lease/cell-store.ts';
import type { Timer } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { decide } from './decide.ts';
import type { Election, Facts, Held, Step } from './election.ts';
import { newElection } from './election.ts';
import type { ElectorOptions } from './elector-options.ts';
import { factsOf } from './facts.ts';
import type { LeaseRecord, Release } from './lease-record.ts';
import { encodeRecord } from './lease-record.ts';
import {
  canaryIsWell,
  endLease,
  expire,
  lostWrites,
  recordSeen,
  sawCell,
  sawConflict,
  sawFailure,
  sawHint,
  sawPermit,
  sawWrite,
  signOfOther,
  tombstone,
} from './observe.ts';
import { Tenure } from './tenure.ts';
import { Term } from './term.ts';

export class Elector {
  readonly #options: ElectorOptions;
  readonly #key: string;
  #election: Election;
  #term: Term | undefined;
  #expiry: Timer | undefined;
  /** Monotonic time of the last sign of the controller that led before; undefined when there was none. */
  #lastSignOfOther: number | undefined;
  readonly #tenure: Tenure;
  /** Takes no lease any more; one that is held is given up when `#release` says how. */
  #leaving = false;
  #release: Release | undefined;
  #because = '';
  #wake: () => void = () => {};

  constructor(options: ElectorOptions) {
    this.#options = options;
    this.#key = cellKeys.lease(options.tenant);
    this.#election = newElection(options.clock.monotonic());
    this.#tenure = new Tenure({ ...options, onHigherTerm: (because) => this.demote(because) });
  }

  /** The term in which this process may act now; `undefined` on a follower and while a new leader prepares. */
  get term(): Term | undefined {
    return this.#term?.established && !this.#term.ended && !this.#term.overdue ? this.#term : undefined;
  }

  /** The deadline has passed, but the term has not ended: nothing in this process can be trusted any more. */
  get isStuck(): boolean {
    return this.#term !== undefined && !this.#term.ended && this.#term.overdue;
  }

  get hasSeenStore(): boolean {
    return this.#election.lastReply !== undefined;
  }

  /** The last call to the store failed, or renewals are late. */
  get isInDoubt(): boolean {
    return this.#election.failing || (this.#term?.doubtful ?? false);
  }

  /** What the election waits for, for people. */
  get standing(): string {
    return this.#because;
  }

  /** The record as last seen, for people. */
  get record() {
    return this.#election.held?.record ?? this.#election.sighting?.record;
  }

  /** The record as last read; `null`: absent; `undefined`: the store has not been read, or does not answer. */
  get seen(): LeaseRecord | null | undefined {
    return recordSeen(this.#election);
  }

  /** The term in which renewals fail, and none was acknowledged for `renewDeadline`. */
  get doubtfulTerm(): number | undefined {
    return this.#election.failing && this.#term?.doubtful ? this.#term.number : undefined;
  }

  /** Takes part until `leave`. Rejects only on a defect. */
  async run(): Promise<void> {
    const unsubscribe = this.#options.store.subscribe(this.#key, () => this.#input((e, now) => sawHint(e, now)));
    try {
      while (!this.#leaving || this.#mustPrepareToLeave) {
        this.#input(expire);
        await this.#carryOut(decide(this.#election, this.#options.candidate, this.#facts, this.#now()));
      }
      await this.#giveUp(this.#release ?? 'adopt');
    } finally {
      unsubscribe();
      this.#input((e) => endLease(e, 'stopped'));
    }
  }

  /**
   * Ends the term, begins no other one, leaves a tombstone that lets a standby adopt the workloads, and makes `run` return.
   * Where no standby can, and several clusters share the tenant, everything is stopped first, while the lease is renewed.
   */
  leave(): void {
    const { held } = this.#election;
    this.#leaving = true;
    this.#term?.end('this controller is leaving');
    if (!held || !this.#tenure.isShared(held)) this.#release = 'adopt';
    else void this.#prepareToLeave();
    this.#wake();
  }

  /** Steps down at once: somebody with a higher term has been seen, or the process no longer trusts itself. */
  demote(because: string): void {
    this.#input((e) => endLease(e, because));
  }

  /** Something that the decisions depend on has changed, such as caches that are warm now. */
  reconsider(): void {
    this.#wake();
  }

  /** The own presence record is gone or old: the store lost writes. */
  canaryLost(): void {
    this.#input(lostWrites);
  }

  /** Reads the cell for the guard; what it shows counts at once. */
  async verify(call: Call): Promise<void> {
    const reply = await this.#options.store.read(this.#key, call);
    this.#saw(reply);
  }

  async #prepareToLeave(): Promise<void> {
    this.#release = await this.#tenure.leave(() => this.#election.held);
    this.#wake();
  }

  get #mustPrepareToLeave(): boolean {
    return this.#release === undefined && this.#election.held !== undefined;
  }

  get #facts(): Facts {
    const { pending } = this.#tenure;
    return factsOf(this.#options, { isLeaving: this.#leaving, pending, graceMs: this.#term?.graceMs ?? 0 });
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }

  async #carryOut(step: Step): Promise<void> {
    try {
      await this.#attempt(step);
    } catch (error) {
      // Once per outage: the next tries fail for the same reason.
      const level = this.#election.failing ? 'debug' : 'warn';
      this.#input((e, now) => sawFailure(e, this.#options.candidate, now));
      this.#options.logger[level]('Election step failed', { step: step.do, error: messageOf(error) });
    }
  }

  async #attempt(step: Step): Promise<void> {
    switch (step.do) {
      case 'wait':
        return this.#wait(step);
      case 'read':
        return this.#saw(await this.#options.store.read(this.#key, this.#call()));
      case 'read permit':
        await this.#options.permit.read(this.#call());
        return this.#input(sawPermit);
      case 'check canary': {
        const well = await this.#options.presence.isWell(this.#call());
        return this.#input(well ? canaryIsWell : lostWrites);
      }
      case 'acquire':
      case 'renew':
        return this.#write(step);
    }
  }

  async #write(step: Extract<Step, { do: 'acquire' | 'renew' }>): Promise<void> {
    const { store, candidate, listener, clock } = this.#options;
    const sentAt = this.#now();
    const sentAtWall = clock.wall();
    if (step.do === 'acquire') this.#lastSignOfOther = signOfOther(this.#election, candidate);
    const reply = await store.write(this.#key, encodeRecord(step.record), step.expected, this.#call());
    this.#input((e, now) => sawWrite(e, candidate, { step, reply, sentAt }, now), sentAtWall);
    if (!reply.ok) listener.refused();
    else if (step.do === 'renew' && this.#election.held) this.#renewed(this.#election.held, this.#now() - sentAt);
  }

  #renewed(held: Held, tookMs: number): void {
    this.#options.listener.renewed(tookMs);
    if (this.#term?.established && !this.#term.ended) this.#tenure.renewed(held);
  }

  /** Until the time, an input, or `leave`. */
  #wait(step: Extract<Step, { do: 'wait' }>): Promise<void> {
    if (step.because !== this.#because) {
      this.#because = step.because;
      this.#options.logger.debug('Waiting', { because: step.because });
    }
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(Math.max(0, step.until - this.#now()), resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** No call may outlast a retry period or the lease itself. */
  #call(): Call {
    const { retryPeriodMs } = this.#options.candidate.timing;
    const left = this.#election.held ? this.#election.held.validUntil - this.#now() : Infinity;
    return { timeoutMs: Math.max(1, Math.min(retryPeriodMs, left)) };
  }

  #saw(reply: ReadReply): void {
    this.#input((e, now) => sawCell(e, this.#options.candidate, reply, now));
  }

  /** Every change of state goes through here, so that term, deadline timer and watchdog always follow it. */
  #input(change: (election: Election, now: number) => Election, sentAtWall?: number): void {
    const before = this.#election;
    this.#election = change(before, this.#now());
    if (before === this.#election) return;
    if (before.held !== this.#election.held) this.#followLease(sentAtWall);
    this.#wake();
  }

  #followLease(sentAtWall: number | undefined): void {
    const { held, lostBecause } = this.#election;
    const { clock, watchdog } = this.#options;
    this.#expiry?.cancel();
    this.#expiry = undefined;
    if (this.#term && this.#term.number !== held?.record.term) this.#endTerm(lostBecause ?? 'a new term began');
    if (!held) return watchdog.disarm();
    const left = held.validUntil - this.#now();
    this.#expiry = clock.after(left, () => this.#input(expire));
    watchdog.arm(left);
    if (!this.#term && !this.#leaving) this.#beginTerm(held.record.term);
    if (sentAtWall !== undefined) this.#term?.extend(held, sentAtWall);
  }

  #beginTerm(number: number): void {
    const term = new Term({ ...this.#options, number, onGrace: () => this.#wake() });
    this.#term = term;
    void this.#establish(term);
  }

  #endTerm(because: string): void {
    const term = this.#term;
    this.#term = undefined;
    if (!term) return;
    term.end(because);
    this.#options.logger.info('Lost the lease', { term: term.number, because });
    if (term.established) this.#options.listener.lost(term.number, because, this.#now() - term.beganAt);
  }

  async #establish(term: Term): Promise<void> {
    const { logger, listener } = this.#options;
    await this.#tenure.prepare(term, () => this.#election.held);
    if (term.ended || this.#term !== term) return;
    term.established = true;
    logger.info('Acquired the lease', { term: term.number });
    listener.elected(term.number);
    if (this.#lastSignOfOther !== undefined) listener.tookOver((this.#now() - this.#lastSignOfOther) / 1000);
  }

  /** Again until the lease ends by itself: a standby that finds no release waits for the whole ttl. */
  async #giveUp(release: Release): Promise<void> {
    const { store, candidate, clock, logger } = this.#options;
    for (this.#input(expire); this.#election.held; this.#input(expire)) {
      const { held } = this.#election;
      const record = tombstone(held, release);
      try {
        const reply = await store.write(this.#key, encodeRecord(record), held.version, this.#call());
        if (reply.ok) return logger.info('Released the lease', { term: record.term });
        // A lost reply of ours, or somebody else's write: the cell tells.
        this.#input(sawConflict);
        this.#saw(await store.read(this.#key, this.#call()));
      } catch (error) {
        logger.warn('The lease could not be released yet', { term: record.term, error: messageOf(error) });
        await clock.sleep(candidate.timing.retryPeriodMs / 4);
      }
    }
  }
}
