/**
 * Runs the election: carries out the steps of the state machine against the store, one at a time, on its own timers.
 * It shares no lock, queue or await with workload work, so that nothing a reconciler does can delay a renewal.
 */
import type { Call } from '../lease/cell-store.ts';
import { cellKeys } from '../lease/cell-store.ts';
import type { Timer } from '../lib/clock.ts';
import type { HigherTermSeen } from '../lib/errors.ts';
import { messageOf } from '../lib/errors.ts';
import type { HeldBack } from './activation.ts';
import { decide } from './decide.ts';
import type { DepartureOptions } from './departure.ts';
import { Departure } from './departure.ts';
import type { Election, Facts, Held } from './election.ts';
import { newElection } from './election.ts';
import type { ElectorOptions } from './elector-options.ts';
import { factsOf } from './facts.ts';
import { ForgedStamps } from './forged-stamps.ts';
import type { LeaseRecord } from './lease-record.ts';
import { endLease, expire, lostWrites, recordSeen, sawAbility, sawHint, sawRefusal } from './observe.ts';
import type { Change } from './steps.ts';
import { Steps } from './steps.ts';
import { Tenure } from './tenure.ts';
import { Term } from './term.ts';

/** Takes part in the election of one tenant. */
export class Elector {
  readonly #options: ElectorOptions;
  readonly #steps: Steps;
  readonly #tenure: Tenure;
  #election: Election;
  #term: Term | undefined;
  #expiry: Timer | undefined;
  /** Takes no lease any more, but to see to what runs here; one that is held is given up. */
  #departure: Departure | undefined;
  readonly #forged: ForgedStamps;

  constructor(options: ElectorOptions) {
    this.#options = options;
    this.#forged = new ForgedStamps(options.clock);
    this.#election = newElection(options.clock.monotonic());
    this.#tenure = new Tenure({
      ...options,
      onHigherTerm: (seen) => this.dispute(seen),
      isForged: this.isForged,
      onHeldBack: () => options.listener.reconsider(),
      onUnable: (because) => this.#giveUp(because),
    });
    this.#steps = new Steps({
      ...options,
      election: () => this.#election,
      input: (change, sentAtWall) => this.#input(change, sentAtWall),
      onRenewed: (held) => this.#renewed(held),
    });
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

  /** Why this controller does not stand: its own cluster takes no writes. */
  get unfitBecause(): string | undefined {
    return this.#election.unfit?.because;
  }

  /** What the election waits for, for people. */
  get standing(): string {
    return this.#steps.waitsFor;
  }

  /** The record as last seen, for people. */
  get record() {
    return this.#election.held?.record ?? this.#election.sighting?.record;
  }

  /** The record as last read; `null`: absent; `undefined`: the store has not been read, or does not answer. */
  get seen(): LeaseRecord | null | undefined {
    return recordSeen(this.#election);
  }

  /** Renewals fail in it, and none was acknowledged for `renewDeadline`. */
  get doubtfulTerm(): number | undefined {
    return this.#election.failing && this.#term?.doubtful ? this.#term.number : undefined;
  }

  /** Whether a higher term on a child is known to be one that no leader has written. */
  readonly isForged = (stamp: number): boolean => this.#forged.has(stamp);

  /** What may still run in another cluster, by kind and name; the term acts on all else. */
  get heldBack(): HeldBack {
    return this.#tenure.heldBack;
  }

  /** Highest term that was ever seen in the lease; 0: none yet. */
  get highestTerm(): number {
    return this.#election.highestTerm;
  }

  /** The lease is being given up: nothing is started any more. */
  get isDeparting(): boolean {
    return this.#departure !== undefined;
  }

  /** Takes part until `leave`. Rejects only on a defect. */
  async run(): Promise<void> {
    const { store, tenant } = this.#options;
    const unsubscribe = store.subscribe(cellKeys.lease(tenant), () => this.#input((e, now) => sawHint(e, now)));
    try {
      while (!this.#departure?.isFinal || !this.#departure.isOver) await this.#step();
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
    this.#depart('this controller is leaving', { isFinal: true });
  }

  /**
   * Gives the lease to the controller with this identity, and goes on as a follower. In another cluster it finds everything
   * stopped. Whoever is named may be passed over when it does not take the lease soon. Nothing happens without a term.
   */
  handOver(to: string): void {
    if (this.term && !this.#departure) this.#depart(`leadership is handed over to ${to}`, { isFinal: false, to });
  }

  /**
   * A child, or the permit, carries a higher term than the one that is held. Looks in the store who leads: whoever does not any more has
   * learnt it by then; for whoever does, the stamp is one that no leader has written.
   */
  async dispute({ term: stamp, message }: HigherTermSeen): Promise<void> {
    const { logger, candidate } = this.#options;
    const before = this.#term;
    if (!before) return;
    try {
      await this.verify({ timeoutMs: candidate.timing.retryPeriodMs });
    } catch (error) {
      logger.debug('Failed to read the lease', { error: messageOf(error) });
      return this.demote(message);
    }
    if (this.#term !== before || stamp <= before.number) return;
    const known = Math.max(before.number, Math.floor((this.#election.lastReply?.storeTimeMs ?? 0) / 1000));
    if (this.#forged.judge(stamp, known) === 'stepDown') return this.demote(message);
    logger.warn('Found a term that no leader wrote, will correct it', { term: before.number, stamp, where: message });
  }

  /** Steps down at once: somebody with a higher term has been seen, or the process no longer trusts itself. */
  demote(because: string): void {
    this.#input((e) => endLease(e, because));
  }

  /** Something that the decisions depend on has changed, such as caches that are warm now. */
  reconsider(): void {
    this.#steps.wake();
  }

  /** The own presence record is gone or old: the store lost writes. */
  canaryLost(): void {
    this.#input(lostWrites);
  }

  /** Reads the cell for the guard; what it shows counts at once. */
  async verify(call: Call): Promise<void> {
    await this.#steps.read(call);
  }

  async #step(): Promise<void> {
    this.#input(expire);
    const exit = this.#departure?.exit;
    if (!exit) return this.#steps.carryOut(decide(this.#election, this.#options.candidate, this.#facts, this.#now()));
    await this.#steps.giveUp(exit);
    this.#departure?.released(exit);
  }

  #depart(because: string, how: Pick<DepartureOptions, 'isFinal' | 'to'> & Partial<DepartureOptions>): void {
    const { candidate, clock } = this.#options;
    this.#endTerm(because);
    this.#departure = new Departure({
      prepare: (leaving, held) => this.#tenure.leave(leaving, held),
      ...how,
      election: () => this.#election,
      identity: candidate.identity,
      ttlMs: candidate.timing.ttlMs,
      isSeenTo: () => this.#isSeenTo,
      clock,
      onReady: () => this.#steps.wake(),
    });
    this.#steps.wake();
  }

  /** By the last look of this cluster's warden, and the lease as last read. */
  get #isSeenTo(): boolean {
    const { candidate, presence } = this.#options;
    const record = this.#election.sighting?.record;
    return (record?.holder && record.cluster.id === candidate.cluster.id) || presence.report?.notGone.length === 0;
  }

  /** Lets somebody lead who can act, and stands again some time later. A lease that is being given up already is. */
  #giveUp(because: string): void {
    if (this.#departure) return;
    this.#options.logger.warn('Gave up the lease', { term: this.#term?.number, reason: because });
    this.#input((e, now) => sawRefusal(e, this.#options.candidate, because, now));
    this.#depart(because, { isFinal: false, prepare: async () => ({ release: 'adopt' }) });
  }

  get #facts(): Facts {
    const { pending, isLimited } = this.#tenure;
    const isLeaving = this.#departure !== undefined && !this.#departure.mayReturn;
    return factsOf(this.#options, { isLeaving, pending, isLimited, graceMs: this.#term?.graceMs ?? 0 });
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }

  #renewed(held: Held): void {
    if (this.#term?.established && !this.#term.ended) this.#tenure.renewed(held);
  }

  /** Every change of state goes through here, so that term, deadline timer and watchdog always follow it. */
  #input(change: Change, sentAtWall?: number): void {
    const before = this.#election;
    this.#election = change(before, this.#now());
    if (before === this.#election) return;
    if (before.held !== this.#election.held) this.#followLease(sentAtWall);
    this.#steps.wake();
  }

  #followLease(sentAtWall: number | undefined): void {
    const { held, lostBecause } = this.#election;
    const { clock, watchdog } = this.#options;
    this.#expiry?.cancel();
    this.#expiry = undefined;
    if (this.#term && this.#term.number !== held?.record.term) this.#endTerm(lostBecause ?? 'a new term began');
    if (!held) return this.#followLoss();
    const left = held.validUntil - this.#now();
    this.#expiry = clock.after(left, () => this.#input(expire));
    watchdog.arm(left);
    if (this.#departure) return this.#departure.isFinal ? this.#departure.prepare() : undefined;
    if (!this.#term) this.#beginTerm(held.record.term);
    if (sentAtWall !== undefined) this.#term?.extend(held, sentAtWall);
  }

  #followLoss(): void {
    this.#options.watchdog.disarm();
    if (this.#departure?.isFinal === false) this.#departure = undefined;
  }

  #beginTerm(number: number): void {
    const { listener } = this.#options;
    const term = new Term({
      ...this.#options,
      number,
      onGrace: () => this.#steps.wake(),
      onShared: () => listener.reconsider(),
    });
    this.#term = term;
    void this.#establish(term);
  }

  #endTerm(because: string): void {
    const term = this.#term;
    this.#term = undefined;
    if (!term) return;
    term.end(because);
    this.#options.logger.info('Lost the lease', { term: term.number, reason: because });
    if (term.established) this.#options.listener.lost(term.number, because, this.#now() - term.beganAt);
  }

  async #establish(term: Term): Promise<void> {
    const { logger, listener } = this.#options;
    await this.#tenure.prepare(term, () => this.#election.held);
    if (term.ended || this.#term !== term) return;
    term.established = true;
    this.#input(sawAbility);
    logger.info('Acquired the lease', { term: term.number });
    const { lastSignOfOther } = this.#steps;
    listener.elected(term.number, lastSignOfOther === undefined ? undefined : this.#now() - lastSignOfOther);
  }
}
