/**
 * What a holder does for its own cluster: it readies each new term, keeps the cluster's permit good while it acts, and
 * leaves in the way that lets the next one start soonest. In scope `single` none of it limits the workloads.
 */
import type { Call } from '../lease/cell-store.ts';
import type { Clock } from '../lib/clock.ts';
import { HigherTermSeen, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { Ability } from './ability.ts';
import type { HeldBack, Outlook, SeenReport } from './activation.ts';
import { outlookOf } from './activation.ts';
import type { Candidate, Held } from './election.ts';
import type { Exit, Leaving } from './departure.ts';
import type { PendingCluster } from './lease-record.ts';
import type { PermitKeeper } from './permit-keeper.ts';
import type { ClusterView, Wishes, Workloads } from './ports.ts';
import type { Peer, Presence } from './presence.ts';
import { isStandby } from './presence.ts';
import { hasOthers, isShared } from './shared.ts';
import type { Term } from './term.ts';

/** What a holder needs for its own cluster. */
export interface TenureOptions {
  readonly candidate: Candidate;
  readonly permit: PermitKeeper;
  readonly presence: Presence;
  readonly cluster: ClusterView;
  /** Present when `candidate.takeover` is. */
  readonly workloads?: Workloads;
  readonly wishes?: Wishes;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Somebody may lead after us: resolves when it is known whether the term goes on. */
  readonly onHigherTerm: (seen: HigherTermSeen) => void | Promise<void>;
  /** Whether a higher term is known to be one that no leader has written; absent: none is. */
  readonly isForged?: (term: number) => boolean;
  /** Other workloads are held back than before. */
  readonly onHeldBack: () => void;
  /** The own cluster takes no writes, and somebody else may do better. */
  readonly onUnable?: (because: string) => void;
}

const NOTHING: HeldBack = new Map();

/** Looks after the cluster of a holder, from a term's beginning to its release. */
export class Tenure {
  readonly #options: TenureOptions;
  #term: Term | undefined;
  #outlook: Outlook | undefined;
  #again: Held | undefined;
  #keeping: Promise<void> | undefined;
  #isLimited = false;
  readonly #ability: Ability;

  constructor(options: TenureOptions) {
    this.#options = options;
    this.#ability = new Ability({ ...options, peers: () => options.presence.peers });
  }

  /** What the holder still waits for, when that is less than its record says. */
  get pending(): readonly PendingCluster[] | undefined {
    return this.#outlook?.pending;
  }

  /** The permit stands that the term goes by, because other clusters have been seen: the lease may say so, too. */
  get isLimited(): boolean {
    return this.#isLimited;
  }

  /** What is not to be begun yet, although the term acts. */
  get heldBack(): HeldBack {
    return this.#outlook?.heldBack ?? NOTHING;
  }

  /** Resolves when the term may act, or has ended. `held` is the lease as it is at that moment. */
  async prepare(term: Term, held: () => Held | undefined): Promise<void> {
    const { clock, candidate, logger } = this.#options;
    this.#term = term;
    this.#outlook = undefined;
    this.#isLimited = false;
    this.#ability.reset();
    while (!term.ended) {
      const lease = held();
      if (!lease) return;
      try {
        if (await this.#isReady(lease)) return;
      } catch (error) {
        if (error instanceof HigherTermSeen) {
          await this.#options.onHigherTerm(error);
          continue;
        }
        logger.warn('Failed to prepare the new term', { term: term.number, error: messageOf(error) });
        this.#giveUpIfUnable();
      }
      await clock.sleep(candidate.timing.retryPeriodMs / 4);
    }
  }

  /** A renewal was acknowledged, and the term acts: so may the cluster, for as long. Nobody waits for this. */
  renewed(held: Held): void {
    if (!this.isShared(held) && !this.#ability.isToBeProved) return;
    this.#again = held;
    this.#keeping ??= this.#keepGood().finally(() => (this.#keeping = undefined));
  }

  /** Stops what must be stopped before the lease is given up, and says how it may then be given up. */
  async leave(leaving: Leaving, held: () => Held | undefined): Promise<Exit> {
    const { presence, workloads, candidate, logger, clock } = this.#options;
    if (this.#runsOn(held())) return { release: 'adopt', ...successorIn(leaving) };
    if (leaving.isFinal) presence.setLeaving();
    const began = clock.monotonic();
    while (held()) {
      let because = 'workloads of the tenant are still running here';
      try {
        const exit = await this.#exitNow(leaving, held);
        if (exit) return exit;
      } catch (error) {
        because = messageOf(error);
        logger.warn('Leaving is delayed', { reason: because });
      }
      // What could end has ended. Nobody acts while the lease is kept, and the reports of this cluster say what has not.
      if (clock.monotonic() - began > (held()?.record.drainMs ?? Infinity)) {
        logger.warn('Leaving although some workloads have not stopped', { reason: because });
        return { release: 'parked', ...successorIn(leaving) };
      }
      await workloads?.change(candidate.timing.retryPeriodMs / 4);
    }
    return { release: 'adopt' };
  }

  /** Nothing is to be stopped because of an election, or because nobody is to act. */
  #runsOn(lease: Held | undefined): boolean {
    return !lease || !this.isShared(lease) || (this.#options.wishes?.isPaused ?? false);
  }

  /** How the lease may be given up now, if it may. */
  async #exitNow(leaving: Leaving, held: () => Held | undefined): Promise<Exit | undefined> {
    const { presence } = this.#options;
    if (leaving.isFinal) await presence.announce();
    await presence.look(this.#call());
    const exit = leaving.isFinal ? this.#toStandby(leaving) : this.#withoutStop(leaving);
    if (exit) return exit;
    return (await this.#isStopped(held)) ? { release: 'stopped', ...successorIn(leaving) } : undefined;
  }

  async #isReady(held: Held): Promise<boolean> {
    const { permit } = this.#options;
    // Else losing the store's data would look like a new tenant.
    await this.#ability.track(() => permit.ensure(held.record, this.#call()));
    if (!this.isShared(held)) return true;
    const outlook = await this.#lookAround(held);
    if (!outlook || outlook.isBlocked) return false;
    await this.#renewPermit(held);
    return true;
  }

  /** What may be begun, by what other clusters say; undefined when the term has ended meanwhile. */
  async #lookAround({ record, takenOver }: Held): Promise<Outlook | undefined> {
    const { presence, candidate, clock, logger, onHeldBack } = this.#options;
    const term = this.#term;
    await presence.look(this.#call());
    if (!term || term !== this.#term || record.term !== term.number) return undefined;
    const waiting = {
      pending: record.pending,
      reports: this.#reports(),
      takeover: candidate.takeover ?? 'strict',
      term: term.number,
      takenOver,
      ttlMs: candidate.timing.ttlMs,
      sinceMs: clock.monotonic() - term.beganAt,
    };
    const before = this.heldBack;
    const outlook = outlookOf(waiting, before);
    this.#outlook = outlook;
    if (hasSameKeys(before, outlook.heldBack)) return outlook;
    logger.info('Waiting for other clusters before starting workloads', { workloads: [...outlook.heldBack.keys()] });
    onHeldBack();
    return outlook;
  }

  /** One after the other; of those that come meanwhile only the last counts. */
  async #keepGood(): Promise<void> {
    try {
      for (let held = this.#again; held; held = this.#again) {
        this.#again = undefined;
        await (this.isShared(held) ? this.#renewPermit(held) : this.#prove());
        if (held.record.pending.length > 0) await this.#lookAround(held);
      }
    } catch (error) {
      if (error instanceof HigherTermSeen) await this.#options.onHigherTerm(error);
      else this.#options.logger.warn('Failed to renew the permit', { error: messageOf(error) });
      this.#giveUpIfUnable();
    }
  }

  #giveUpIfUnable(): void {
    const because = this.#ability.lostBecause;
    if (because !== undefined) this.#options.onUnable?.(because);
  }

  /** No permit needs renewing: whether this cluster still takes writes would not show. */
  async #prove(): Promise<void> {
    const { permit, candidate } = this.#options;
    await this.#ability.track(() => permit.prove(candidate.identity, undefined, this.#call()));
  }

  async #renewPermit({ record, sentAt }: Held): Promise<void> {
    const { permit, cluster, workloads, isForged } = this.#options;
    // Nobody but whoever may edit the permit can have said so.
    if (record.scope === 'single' && !this.#isLimited && this.#isAlone)
      return this.#ability.track(() => permit.unlimit(record, this.#call(), isForged));
    // Before the tenant is shared for good it is known, and said, whether this cluster is held to its permit.
    if (record.scope === 'single') await workloads?.probe?.(this.#call());
    const renewedAt = cluster.serverTime(sentAt);
    if (renewedAt === undefined) throw new Error("the API server's time is not known yet");
    const term = this.#term;
    await this.#ability.track(() => permit.renew(record, renewedAt, this.#call(), isForged));
    if (term === this.#term) this.#isLimited = true;
  }

  /** As of a look that has seen at least this controller itself. */
  get #isAlone(): boolean {
    const { presence } = this.#options;
    return presence.peers.length > 0 && !hasOthers(this.#options);
  }

  /** False too when the lease ended meanwhile: what runs may be another one's. */
  async #isStopped(held: () => Held | undefined): Promise<boolean> {
    const { permit, workloads } = this.#options;
    if (!workloads) return false;
    await this.#keeping;
    await permit.end(({ term }) => term <= (held()?.record.term ?? 0), this.#call());
    if (!held()) return false;
    await workloads.park(this.#call());
    return (await workloads.running(this.#call())).length === 0;
  }

  /** A standby of this cluster takes over what runs, unless one has been asked in vain. */
  #toStandby({ wasLeftAlone }: Leaving): Exit | undefined {
    const { candidate, presence } = this.#options;
    const heir = presence.peers.find((peer) => peer.identity !== candidate.identity && this.#isReadyHere(peer));
    return heir && !wasLeftAlone ? { release: 'adopt', successor: heir.identity } : undefined;
  }

  /** Whoever was named is of this cluster; or is not ready any more, so that this controller may go on. */
  #withoutStop(leaving: Leaving): Exit | undefined {
    const { candidate, presence } = this.#options;
    const heir = presence.peers.find(({ identity }) => identity === leaving.to);
    if (heir && this.#isReadyHere(heir)) return { release: 'adopt', ...successorIn(leaving) };
    return heir && isStandby(heir, candidate.timing.ttlMs) ? undefined : { release: 'adopt' };
  }

  #isReadyHere(peer: Peer): boolean {
    const { cluster, timing } = this.#options.candidate;
    return peer.cluster.id === cluster.id && isStandby(peer, timing.ttlMs);
  }

  /** Several clusters share the tenant, or will: then a permit limits this one, and leaving takes longer. */
  isShared({ record }: Held): boolean {
    return isShared(this.#options) || (this.#options.candidate.takeover !== undefined && record.scope === 'multi');
  }

  #reports(): readonly SeenReport[] {
    return this.#options.presence.peers.flatMap(({ report, cluster, ageMs }) =>
      report ? [{ ...report, clusterId: cluster.id, ageMs }] : [],
    );
  }

  #call(): Call {
    return { timeoutMs: this.#options.candidate.timing.retryPeriodMs };
  }
}

function hasSameKeys(a: HeldBack, b: HeldBack): boolean {
  return a.size === b.size && [...a.keys()].every((key) => b.has(key));
}

function successorIn({ to }: Leaving): Pick<Exit, 'successor'> {
  return to === undefined ? {} : { successor: to };
}
