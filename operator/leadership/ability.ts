/** Whether the own cluster takes what a holder writes for its term: one that does not lets nobody act. */
import type { Clock } from '../lib/clock.ts';
import { HigherTermSeen, messageOf } from '../lib/errors.ts';
import type { Candidate } from './election.ts';
import type { Peer } from './presence.ts';
import { isStandby } from './presence.ts';

/** Who leads, and who could lead instead. */
export interface AbilityOptions {
  readonly candidate: Candidate;
  readonly peers: () => readonly Peer[];
  readonly clock: Clock;
}

/** Leases without a deadline for the API server are given up after so many ttls. */
const PATIENCE_TTLS = 3;

/** Remembers since when the own cluster refuses writes. */
export class Ability {
  readonly #options: AbilityOptions;
  #failingSince: number | undefined;
  #because = '';
  #provedAt = -Infinity;

  constructor(options: AbilityOptions) {
    this.#options = options;
  }

  /** Another term begins. */
  reset(): void {
    this.#failingSince = undefined;
    this.#provedAt = -Infinity;
  }

  /** Carries out a write to the own cluster, and remembers whether it was taken. */
  async track<T>(write: () => Promise<T>): Promise<T> {
    const { clock } = this.#options;
    try {
      const written = await write();
      this.#failingSince = undefined;
      this.#provedAt = clock.monotonic();
      return written;
    } catch (error) {
      // The server has answered.
      if (error instanceof HigherTermSeen) this.#failingSince = undefined;
      else this.#failingSince ??= clock.monotonic();
      this.#because = messageOf(error);
      throw error;
    }
  }

  /** Where a holder has no need to write, it tries now and then, and more often once it failed. */
  get isToBeProved(): boolean {
    return this.#failingSince !== undefined || this.#options.clock.monotonic() > this.#provedAt + this.#patienceMs / 3;
  }

  /** Why the lease is to be given up: no write was taken for `apiDeadline`, and somebody else may do better. */
  get lostBecause(): string | undefined {
    const { candidate, peers, clock } = this.#options;
    if (this.#failingSince === undefined || clock.monotonic() - this.#failingSince <= this.#patienceMs)
      return undefined;
    const isOther = (peer: Peer) => peer.identity !== candidate.identity && isStandby(peer, candidate.timing.ttlMs);
    if (!peers().some(isOther)) return undefined;
    return `its cluster has not accepted a write for ${this.#patienceMs / 1000} s: ${this.#because}`;
  }

  get #patienceMs(): number {
    const { apiDeadlineMs, timing } = this.#options.candidate;
    return apiDeadlineMs ?? PATIENCE_TTLS * timing.ttlMs;
  }
}
