/** A controller's process on a simulated machine, between a store and a cluster: what is done to it, and what can be seen of it. */
import type { CellStore } from '../lease/cell-store.ts';
import { cellKeys } from '../lease/cell-store.ts';
import type { Elector } from '../leadership/elector.ts';
import type { PresenceRecord } from '../leadership/presence-record.ts';
import type { Term } from '../leadership/term.ts';
import type { Checker, CheckedCluster } from './checker.ts';
import type { Availability } from './link.ts';
import { calm, Link } from './link.ts';
import type { Machine } from './machine.ts';
import { Process } from './machine.ts';
import type { Preference } from './play.ts';
import type { SimStore } from './store.ts';

/** The tenant of all simulated controllers. */
export const TENANT = 'default';

/** Where a process runs, and what it is between. */
export interface ActorOptions<C> {
  readonly machine: Machine;
  /** Unique per start of a process. */
  readonly identity: string;
  readonly store: SimStore;
  readonly cluster: C;
  readonly checker: Checker;
  readonly preference: Preference;
}

/** A controller's process, whichever model of a cluster it works in. */
export abstract class Actor<C extends CheckedCluster & Availability = CheckedCluster & Availability> {
  readonly identity: string;
  readonly cluster: C;
  readonly preference: Preference;
  readonly process: Process;
  readonly toStore: Link;
  readonly toCluster: Link;
  /** When the lease was last asked for; the guard must ask anew for each grant. */
  leaseReadSentAt = -1;
  /** Version of the lease that it has last heard of as written by itself. */
  #written: string | undefined;
  leaving = false;
  mayNotLead = false;
  readonly #checker: Checker;
  /** Term in which somebody else was to lead next. */
  #handedOver: number | undefined;
  /** As last seen. */
  #lastTerm: Term | undefined;

  constructor({ machine, identity, store, cluster, checker, preference }: ActorOptions<C>) {
    this.identity = identity;
    this.preference = preference;
    this.cluster = cluster;
    this.#checker = checker;
    this.process = new Process(machine, identity);
    this.toStore = new Link(this.process, store);
    this.toCluster = new Link(this.process, cluster);
  }

  abstract get elector(): Elector;

  /** Begins to work. */
  abstract start(): void;

  /** Its watches lag by up to so many milliseconds. */
  abstract set watchLagMs(ms: number);

  /** Nothing hinders it to do its work in its cluster, and it means to stay. */
  get isWorking(): boolean {
    const { alive, machine } = this.process;
    const { down, hangs } = this.cluster;
    const isHindered = machine.isBusy || machine.isStalled || machine.wasFrozen || machine.isFooled || down || hangs;
    return (
      alive && !this.leaving && !isHindered && this.toCluster.conditions === calm && machine.stalls.probability === 0
    );
  }

  /** Renewals are late, or it cannot tell. */
  get isInDoubt(): boolean {
    return this.probe(() => this.elector.doubtfulTerm !== undefined) || this.process.machine.wasFrozen;
  }

  kill(): void {
    this.process.kill();
    this.ended();
  }

  /** The process is gone, and its connections with it. */
  protected ended(): void {}

  /** SIGTERM. The process ends some time later, whether it is done or not. */
  leave(graceMs: number): void {
    if (this.leaving || !this.process.alive) return;
    this.leaving = true;
    this.process.machine.world.note(this.identity, 'is told to leave');
    this.process.deliver(() => this.beginToLeave());
    this.process.machine.world.after(graceMs, () => this.kill());
  }

  /** What the signal does. */
  protected beginToLeave(): void {
    this.elector.leave();
  }

  /** Somebody else is to lead. */
  handOver(to: string): void {
    this.process.machine.world.note(this.identity, `is told to hand over to ${to}`);
    this.process.deliver(() => {
      this.#handedOver = this.elector.term?.number;
      this.elector.handOver(to);
    });
  }

  /** Number of the term that it holds by its own clock. */
  get term(): number | undefined {
    return this.probe(() => this.elector.term?.number);
  }

  /** For people. */
  get standing(): string {
    return this.term === undefined ? this.elector.standing : `leads in term ${this.term}`;
  }

  /** Whether a write would go out now. False where its clocks deceive it: no code inside the process can notice that. */
  mayAct(): boolean {
    const { machine } = this.process;
    if (machine.isFrozen || machine.isFooled) return false;
    return this.probe(() => {
      const { term } = this.elector;
      this.#lastTerm = term ?? this.#lastTerm;
      if (!term || term.ended) return false;
      try {
        term.assertHeld();
        return true;
      } catch {
        return false;
      }
    });
  }

  /** A lease may end for any reason when its holder leaves, was frozen, or is past its deadline already. */
  protected isExcused(term: number): boolean {
    const isOver = this.probe(() => this.#lastTerm?.number === term && this.#lastTerm.overdue);
    return this.leaving || this.#handedOver === term || this.process.machine.wasFrozen || isOver;
  }

  protected probe<T>(look: () => T): T {
    const { machine } = this.process;
    machine.probing = true;
    try {
      return look();
    } finally {
      machine.probing = false;
    }
  }

  #reports(value: string): void {
    const { report } = JSON.parse(value) as PresenceRecord;
    if (report?.notGone.length === 0) this.#checker.reported(this.cluster, this.identity, report.term);
  }

  /** The store as it sees it, and as the checker hears of it. */
  protected watched(store: CellStore): CellStore {
    return {
      ...store,
      read: async (key, call) => {
        if (key !== cellKeys.lease(TENANT)) return store.read(key, call);
        this.leaseReadSentAt = this.process.machine.instant;
        const reply = await store.read(key, call);
        // A write of its own whose reply was lost: this is how it hears of it.
        const isOwn = reply.cell?.value.includes(`"holder":"${this.identity}"`);
        if (isOwn && reply.cell?.version !== this.#written) this.#acknowledged(reply.cell?.version);
        return reply;
      },
      write: async (key, value, expected, call) => {
        if (key === cellKeys.presence(TENANT, this.identity)) this.#reports(value);
        const reply = await store.write(key, value, expected, call);
        if (reply.ok && key === cellKeys.lease(TENANT)) this.#acknowledged(reply.version);
        return reply;
      },
    };
  }

  #acknowledged(version: string | undefined): void {
    this.#written = version;
    this.#checker.acknowledged(this.cluster);
  }
}
