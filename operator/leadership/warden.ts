/**
 * Runs on every controller of a tenant that several clusters share, whatever its role: when the permit of its own cluster
 * has ended, it stops the tenant's workloads there, looks until nothing runs, and reports that to whoever waits.
 */
import type { Call } from '../lease/cell-store.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Candidate } from './election.ts';
import type { LeaseRecord } from './lease-record.ts';
import { ADOPT_GRACE_MS, hasEnded } from './permit.ts';
import type { PermitKeeper } from './permit-keeper.ts';
import type { ClusterView, Workloads } from './ports.ts';
import type { Presence } from './presence.ts';

/** What the warden needs of the elector. */
export interface LeaseView {
  /** As last read; `null`: absent; `undefined`: the store has not been read, or does not answer. */
  readonly seen: LeaseRecord | null | undefined;
  /** The term that this process holds, when renewals fail and none was acknowledged for `renewDeadline`. */
  readonly doubtfulTerm: number | undefined;
}

/** Between two looks at a permit that limits nothing. Milliseconds. */
const UNLIMITED_MS = 30_000;

/** What is stopped, by which permit, and who hears of it. */
export interface WardenOptions {
  readonly candidate: Candidate;
  readonly lease: LeaseView;
  readonly permit: PermitKeeper;
  readonly presence: Presence;
  readonly cluster: ClusterView;
  readonly workloads: Workloads;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Stops what its cluster must not run any more. */
export class Warden {
  readonly #options: WardenOptions;
  readonly #stopping = new AbortController();
  #readAt = -Infinity;
  /** When the permit was first found ended, on the monotonic clock. */
  #endedAt: number | undefined;
  /** The term under which nothing was found to run. */
  #parkedIn: number | undefined;

  constructor(options: WardenOptions) {
    this.#options = options;
  }

  /** Until `stop`. */
  async run(): Promise<void> {
    const { clock, candidate, logger } = this.#options;
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#round();
      } catch (error) {
        logger.warn('Failed to stop all workloads, will retry', { error: messageOf(error) });
      }
      await this.#restorePermit();
      await clock.sleep(candidate.timing.retryPeriodMs / 2, this.#stopping.signal).catch(() => {});
    }
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** Somebody may have deleted it. */
  async #restorePermit(): Promise<void> {
    const { permit, logger } = this.#options;
    await permit.restore(this.#call()).catch((error: unknown) => {
      logger.warn('Failed to create the deleted permit again, will retry', { error: messageOf(error) });
    });
  }

  async #round(): Promise<void> {
    const { permit, lease } = this.#options;
    const { seen } = lease;
    if (this.#mustRead(seen)) await this.#read();
    // Somebody may have deleted what the cluster is to remember, and without what no pod starts where permits are enforced.
    if (seen && (this.#isOthers(seen) || permit.known === 'none')) await permit.ensure(seen, this.#call());
    await this.#parkInDoubt();
    if (!this.#hasEnded()) return this.#rest();
    this.#endedAt ??= this.#options.clock.monotonic();
    if (seen && this.#isDone(seen)) return;
    if (!this.#isAtOnce(seen) && this.#options.clock.monotonic() < this.#endedAt + ADOPT_GRACE_MS) return;
    await this.#read();
    if (this.#hasEnded()) await this.#park(seen);
    else this.#rest();
  }

  /** A holder whose renewals fail, unless a colleague has made the permit good since: this process may have stood still. */
  async #parkInDoubt(): Promise<void> {
    const { permit, lease, workloads } = this.#options;
    const { doubtfulTerm } = lease;
    if (doubtfulTerm === undefined || !this.#isShared()) return;
    await permit.read(this.#call());
    const isOurs = typeof permit.known === 'object' && permit.known.term <= doubtfulTerm;
    if (isOurs && lease.doubtfulTerm === doubtfulTerm) await workloads.park(this.#call());
  }

  async #park(seen: LeaseRecord | null | undefined): Promise<void> {
    const { workloads, clock, candidate } = this.#options;
    // This process may have stood still since it read the permit.
    if (clock.monotonic() > this.#readAt + candidate.timing.retryPeriodMs) return;
    const [asked] = await Promise.allSettled([workloads.park(this.#call())]);
    if (seen) await this.#report(seen);
    // What could not be asked to stop is named in the report all the same.
    if (asked.status === 'rejected') throw asked.reason;
  }

  async #report(seen: LeaseRecord): Promise<void> {
    const { permit, presence, workloads } = this.#options;
    // First nothing more can start, then the look that counts; the term was read before both.
    await permit.end(() => this.#hasEnded(), this.#call());
    const notGone = await workloads.running(this.#call());
    if (!this.#hasEnded()) return this.#rest();
    presence.setReport({ term: seen.term, notGone });
    await presence.announce();
    this.#parkedIn = notGone.length === 0 ? seen.term : undefined;
  }

  #rest(): void {
    this.#endedAt = undefined;
    this.#parkedIn = undefined;
    this.#options.presence.setReport(undefined);
  }

  /** Nobody of this cluster can make the permit good again. */
  #isAtOnce(seen: LeaseRecord | null | undefined): boolean {
    return seen === null || (seen !== undefined && this.#isOthers(seen));
  }

  #isOthers(record: LeaseRecord): boolean {
    return record.cluster.id !== this.#options.candidate.cluster.id;
  }

  /** A permit that limited nothing may do so by now; and now and then: it may be gone, and the API server's time wants to be known well. */
  #mustRead(seen: LeaseRecord | null | undefined): boolean {
    const { permit, presence, candidate, clock } = this.#options;
    if (this.#isShared()) return clock.monotonic() > this.#readAt + candidate.timing.ttlMs / 2;
    const isForeign = presence.peers.some(({ cluster }) => cluster.id !== candidate.cluster.id);
    const isDue = clock.monotonic() > this.#readAt + UNLIMITED_MS;
    return isForeign || seen?.scope === 'multi' || permit.known === 'unknown' || isDue;
  }

  /** Nothing ran at the last look, and nothing has been heard since. */
  #isDone(seen: LeaseRecord): boolean {
    return this.#isOthers(seen) && this.#parkedIn === seen.term && !this.#options.workloads.hasChanged();
  }

  async #read(): Promise<void> {
    const askedAt = this.#options.clock.monotonic();
    await this.#options.permit.read(this.#call());
    this.#readAt = askedAt;
  }

  #isShared(): boolean {
    const { known } = this.#options.permit;
    return typeof known === 'object' && known.scope === 'multi';
  }

  #hasEnded(): boolean {
    const { permit, cluster } = this.#options;
    const now = cluster.serverTime();
    return now !== undefined && hasEnded(permit.known, now);
  }

  #call(): Call {
    return { timeoutMs: this.#options.candidate.timing.retryPeriodMs };
  }
}
