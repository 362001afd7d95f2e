/** Carries out what the state machine decides: one call to the store at a time, its reply back into the state. */
import type { Call, ReadReply } from '../lease/cell-store.ts';
import { cellKeys } from '../lease/cell-store.ts';
import { messageOf } from '../lib/errors.ts';
import type { Election, Held, Step } from './election.ts';
import type { ElectorOptions } from './elector-options.ts';
import type { Exit } from './departure.ts';
import { encodeRecord } from './lease-record.ts';
import {
  canaryIsWell,
  endLease,
  expire,
  lostWrites,
  sawCell,
  sawConflict,
  sawFailure,
  sawNoReply,
  sawPermit,
  sawProof,
  sawRefusal,
  sawWrite,
  signOfOther,
  tombstone,
} from './observe.ts';

/** A change of the election's state; `now`: milliseconds, monotonic. */
export type Change = (election: Election, now: number) => Election;

/** What steps are carried out with. */
export interface StepsOptions extends Omit<ElectorOptions, 'cluster' | 'watchdog' | 'workloads' | 'remainsFollower'> {
  readonly election: () => Election;
  /** `sentAtWall`: when the write was sent whose reply this is, by the wall clock. */
  readonly input: (change: Change, sentAtWall?: number) => void;
  readonly onRenewed: (held: Held) => void;
}

/** Carries out one step after the other. */
export class Steps {
  readonly #options: StepsOptions;
  readonly #key: string;
  /** Monotonic time of the last sign of the controller that led before; undefined when there was none. */
  lastSignOfOther: number | undefined;
  /** What is waited for, for people. */
  waitsFor = '';
  #wake: () => void = () => {};
  /** Calls are numbered as they are sent: guards read while the election goes on. */
  #sent = 0;
  /** Number of the latest call whose answer showed what the cell holds. */
  #counted = 0;

  constructor(options: StepsOptions) {
    this.#options = options;
    this.#key = cellKeys.lease(options.tenant);
  }

  /** Ends a wait that is under way. */
  wake(): void {
    this.#wake();
  }

  async carryOut(step: Step): Promise<void> {
    const { candidate, election, input, logger } = this.#options;
    try {
      await this.#attempt(step);
    } catch (error) {
      // Once per outage: the next tries fail for the same reason.
      const level = election().failing ? 'debug' : 'warn';
      input((e, now) => sawFailure(e, candidate, now));
      logger[level]('Election step failed', { step: step.do, error: messageOf(error) });
    }
  }

  /** Again until the lease ends by itself: a standby that finds no release waits for the whole ttl. */
  async giveUp({ release, successor }: Exit): Promise<void> {
    const { store, candidate, clock, logger, election, input } = this.#options;
    for (input(expire); election().held; input(expire)) {
      const { held } = election();
      if (!held) return;
      const record = tombstone(held, release, successor);
      try {
        const number = ++this.#sent;
        const reply = await store.write(this.#key, encodeRecord(record), held.version, this.#call());
        if (reply.ok) this.#counted = Math.max(this.#counted, number);
        if (reply.ok) logger.info('Released the lease', { term: record.term, release, successor });
        input(reply.ok ? (e) => endLease(e, 'released') : sawConflict);
        // Who has it now; or a lost reply of ours, or somebody else's write: the cell tells.
        await this.read(this.#call());
      } catch (error) {
        if (!election().held) return;
        logger.warn('Failed to release the lease, will retry', { term: record.term, error: messageOf(error) });
        await clock.sleep(candidate.timing.retryPeriodMs / 4);
      }
    }
  }

  /** Resolves when what the cell holds, no longer ago than this call, has counted. */
  async read(call: Call): Promise<void> {
    const number = ++this.#sent;
    const reply = await this.#options.store.read(this.#key, call);
    if (number < this.#counted) return;
    this.#counted = number;
    this.#saw(reply);
  }

  async #attempt(step: Step): Promise<void> {
    const { permit, presence, input } = this.#options;
    switch (step.do) {
      case 'wait':
        return this.#wait(step);
      case 'read':
        return this.read(this.#call());
      case 'read permit':
        await permit.read(this.#call());
        return input(sawPermit);
      case 'prove':
        return this.#prove();
      case 'check canary': {
        const well = await presence.isWell(this.#call());
        return input(well ? canaryIsWell : lostWrites);
      }
      case 'acquire':
      case 'renew':
        return this.#write(step);
    }
  }

  /** What the own cluster refuses says nothing of the store. */
  async #prove(): Promise<void> {
    const { permit, candidate, clock, election, input, logger } = this.#options;
    const sentAt = clock.monotonic();
    const wasUnfit = election().unfit !== undefined;
    try {
      await permit.prove(candidate.identity, election().sighting?.record, this.#call());
      input((e) => sawProof(e, sentAt));
      if (wasUnfit) logger.info('The cluster accepted writes again: this controller became a candidate');
    } catch (error) {
      const because = messageOf(error);
      input((e, now) => sawRefusal(e, candidate, because, now));
      logger[wasUnfit ? 'debug' : 'warn']('The cluster did not accept writes: this controller is not a candidate', {
        error: because,
        retryInMs: Math.round((election().unfit?.until ?? 0) - clock.monotonic()),
      });
    }
  }

  async #write(step: Extract<Step, { do: 'acquire' | 'renew' }>): Promise<void> {
    const { store, candidate, listener, clock, election, input, onRenewed } = this.#options;
    const sentAt = clock.monotonic();
    const sentAtWall = clock.wall();
    if (step.do === 'acquire') this.lastSignOfOther = signOfOther(election(), candidate);
    const number = ++this.#sent;
    const writing = store.write(this.#key, encodeRecord(step.record), step.expected, this.#call());
    const reply = await writing.catch((error: unknown) => {
      if (step.do === 'acquire') input((e) => sawNoReply(e, step, { sentAt, sentAtWall }));
      throw error;
    });
    if (reply.ok) this.#counted = Math.max(this.#counted, number);
    input((e, now) => sawWrite(e, candidate, { step, reply, sentAt }, now), sentAtWall);
    const { held } = election();
    if (!reply.ok) return listener.refused();
    if (step.do === 'acquire' || !held) return;
    listener.renewed(clock.monotonic() - sentAt);
    onRenewed(held);
  }

  /** Until the time, an input, or `wake`. */
  #wait(step: Extract<Step, { do: 'wait' }>): Promise<void> {
    const { clock, logger } = this.#options;
    if (step.because !== this.waitsFor) {
      this.waitsFor = step.because;
      logger.debug('Waiting', { reason: step.because });
    }
    return new Promise((resolve) => {
      const timer = clock.after(Math.max(0, step.until - clock.monotonic()), resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** No call may outlast a retry period or the lease itself. */
  #call(): Call {
    const { candidate, clock, election } = this.#options;
    const { held } = election();
    const left = held ? held.validUntil - clock.monotonic() : Infinity;
    return { timeoutMs: Math.max(1, Math.min(candidate.timing.retryPeriodMs, left)) };
  }

  #saw(reply: ReadReply): void {
    const { candidate, election, input } = this.#options;
    input((e, now) => sawCell(e, candidate, reply, now), election().tried?.sentAtWall);
  }
}
