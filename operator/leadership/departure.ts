/**
 * A holder on its way out of the lease: for good because its process ends, or because somebody else is to lead. It ends
 * in the release that lets the next one start soonest.
 */
import type { Clock } from '../lib/clock.ts';
import type { Election, Held } from './election.ts';
import type { Release } from './lease-record.ts';

/** How the lease is given up. */
export interface Exit {
  readonly release: Exclude<Release, 'none'>;
  /** Identity of whoever is to take it. */
  readonly successor?: string;
}

/** Why the lease is given up, and to whom. */
export interface Leaving {
  /** The process ends: anybody may lead next. */
  readonly isFinal: boolean;
  /** Identity of whoever is to lead next. */
  readonly to?: string;
  /** A standby of this cluster was asked to take over what runs, and did not. */
  readonly wasLeftAlone: boolean;
}

/** Whether the process ends, who leads next, and what must be done first. */
export interface DepartureOptions {
  readonly isFinal: boolean;
  readonly to?: string;
  /** Stops what must be stopped first, and says how the lease may then be given up. */
  readonly prepare: (leaving: Leaving, held: () => Held | undefined) => Promise<Exit>;
  readonly election: () => Election;
  readonly identity: string;
  readonly ttlMs: number;
  /** Nothing of the tenant's is known to run here, or another controller of this cluster leads. */
  readonly isSeenTo: () => boolean;
  readonly clock: Clock;
  readonly onReady: () => void;
}

/** One way out of the lease, from the decision to the release. */
export class Departure {
  readonly isFinal: boolean;
  readonly #options: DepartureOptions;
  #exit: Exit | undefined;
  #preparing = false;
  /** Until when it is waited for the standby that was to adopt; the process stays that long to see to what runs. */
  #lingersUntil: number | undefined;
  /** Given up although something still runs: the process stays to say so, or others would take its silence for an end. */
  #staysToReport = false;

  constructor(options: DepartureOptions) {
    this.#options = options;
    this.isFinal = options.isFinal;
    this.prepare();
  }

  /** How the lease is to be given up now; undefined while that is being prepared, or there is none. */
  get exit(): Exit | undefined {
    return this.#options.election().held && this.#exit;
  }

  /** Nothing is left to be done. */
  get isOver(): boolean {
    const { held, sighting } = this.#options.election();
    if (held || this.#preparing) return false;
    if (this.#staysToReport) return this.#options.isSeenTo();
    if (this.#lingersUntil === undefined) return true;
    const holder = sighting?.record.holder ?? this.#options.identity;
    return holder !== this.#options.identity || this.#options.clock.monotonic() > this.#lingersUntil;
  }

  /** A standby that was to adopt does not: this process takes the lease again, to stop what runs. */
  get mayReturn(): boolean {
    return this.#lingersUntil !== undefined && !this.isOver;
  }

  /** The lease is held (again). */
  prepare(): void {
    const { isFinal, to, prepare, election, onReady } = this.#options;
    if (this.#preparing || this.#exit || !election().held) return;
    this.#preparing = true;
    const leaving = { isFinal, wasLeftAlone: this.#lingersUntil !== undefined, ...(to !== undefined && { to }) };
    this.#lingersUntil = undefined;
    void prepare(leaving, () => this.#heldNow).then((exit) => {
      this.#preparing = false;
      if (election().held) this.#exit = exit;
      onReady();
    });
  }

  /** By the clock: a process that stood still hears of the end of its lease later than of what it waited for. */
  get #heldNow(): Held | undefined {
    const { held } = this.#options.election();
    return held && this.#options.clock.monotonic() < held.validUntil ? held : undefined;
  }

  /** The lease has been given up so. */
  released({ release, successor }: Exit): void {
    const { clock, ttlMs } = this.#options;
    this.#exit = undefined;
    this.#staysToReport = this.isFinal && release === 'parked';
    if (this.isFinal && release === 'adopt' && successor !== undefined) this.#lingersUntil = clock.monotonic() + ttlMs;
  }
}
