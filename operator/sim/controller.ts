/** A controller as the program composes it, on a simulated machine, between a simulated store and a simulated cluster. */
import type { CellStore } from '../lease/cell-store.ts';
import { cellKeys } from '../lease/cell-store.ts';
import { Elector } from '../leadership/elector.ts';
import { LeadershipGuard } from '../leadership/guard.ts';
import { PermitKeeper } from '../leadership/permit-keeper.ts';
import { STOP_MARGIN_MS } from '../leadership/permit.ts';
import type { Takeover } from '../leadership/activation.ts';
import type { ClusterClient } from '../cluster/cluster-client.ts';
import { ServerClock } from '../cluster/server-clock.ts';
import { Warden } from '../leadership/warden.ts';
import { Presence } from '../leadership/presence.ts';
import type { Term } from '../leadership/term.ts';
import type { Timing } from '../leadership/timing.ts';
import { silentLogger } from '../lib/logger.ts';
import { labels } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';
import { VanishedPods } from '../reconcile/vanished.ts';
import type { Checker } from './checker.ts';
import type { SimCluster } from './cluster.ts';
import { Informer } from './informer.ts';
import { calm, Link } from './link.ts';
import { Process } from './machine.ts';
import type { Machine } from './machine.ts';
import { SimClient, SimReconciler } from './reconciler.ts';
import { SimRuns } from './runs.ts';
import type { SimStore } from './store.ts';

export const TENANT = 'default';

export interface ControllerOptions {
  readonly machine: Machine;
  /** Unique per start of a process. */
  readonly identity: string;
  readonly timing: Timing;
  readonly store: SimStore;
  readonly cluster: SimCluster;
  readonly checker: Checker;
  /** Absent: there is one cluster. */
  readonly takeover?: Takeover;
}

export class SimController {
  readonly identity: string;
  readonly process: Process;
  readonly elector: Elector;
  readonly guard: LeadershipGuard;
  readonly presence: Presence;
  readonly informer: Informer;
  readonly toStore: Link;
  readonly toCluster: Link;
  readonly serverClock: ServerClock;
  readonly permit: PermitKeeper;
  readonly warden: Warden | undefined;
  readonly #client: ClusterClient;
  readonly runs: SimRuns | undefined;
  readonly #options: ControllerOptions;
  readonly #vanished = new VanishedPods();
  /** When the lease was last asked for; the guard must ask anew for each grant. */
  leaseReadSentAt = -1;
  leaving = false;
  /** Term in which somebody else was to lead next. */
  #handedOver: number | undefined;
  mayNotLead = false;
  /** By verb: for how many milliseconds the network holds its next write back. */
  readonly heldBack = new Map<string, number>();
  /** As last seen. */
  #lastTerm: Term | undefined;

  constructor(options: ControllerOptions) {
    const { machine, identity, store, cluster } = options;
    this.#options = options;
    this.identity = identity;
    this.process = new Process(machine, identity);
    this.toStore = new Link(this.process, store);
    this.toCluster = new Link(this.process, cluster);
    this.serverClock = new ServerClock(this.process.clock);
    this.toCluster.onDate = (date, sentAt) => this.serverClock.observe(date, sentAt);
    this.permit = new PermitKeeper(cluster.permitStore(this.toCluster));
    this.informer = new Informer(this.process, cluster.pods, this.toCluster);
    this.informer.onGone = (last) => this.#vanished.went(last as Pod);
    const cells = this.#watched(store.connect(this.process, this.toStore));
    this.#client = new SimClient(this, cluster, options.checker);
    this.runs = cluster.batch && new SimRuns({ controller: this, client: this.#client, store: cells }, cluster.batch);
    this.presence = this.#makePresence(cells);
    this.elector = this.#makeElector(cells);
    this.guard = new LeadershipGuard(this.elector, options.timing.retryPeriodMs);
    this.warden = options.takeover && new Warden({ ...this.#common(), lease: this.elector });
  }

  get cluster(): SimCluster {
    return this.#options.cluster;
  }

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
    return this.#probe(() => this.elector.doubtfulTerm !== undefined) || this.process.machine.wasFrozen;
  }

  start(): void {
    const { checker, timing, cluster } = this.#options;
    this.process.machine.world.note(this.identity, 'starts');
    const reconciler = new SimReconciler(this, this.#client, { checker, timing, cluster, runs: this.runs });
    const election = this.elector.run().finally(() => {
      this.presence.stop();
      this.warden?.stop();
    });
    const informing = [this.informer.run(), this.runs?.informer.run()];
    const running = [...informing, election, this.presence.run(), reconciler.run(), this.warden?.run()];
    for (const part of running) {
      part?.catch((error: unknown) => checker.fail('no defect', `${this.identity}: ${String(error)}`));
    }
  }

  kill(): void {
    this.process.kill();
    this.informer.stop();
    this.runs?.informer.stop();
  }

  /** SIGTERM. The process ends some time later, whether it is done or not. */
  leave(graceMs: number): void {
    if (this.leaving || !this.process.alive) return;
    this.leaving = true;
    this.process.machine.world.note(this.identity, 'is told to leave');
    this.process.deliver(() => {
      this.elector.leave();
    });
    this.process.machine.world.after(graceMs, () => this.kill());
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
    return this.#probe(() => this.elector.term?.number);
  }

  /** For people. */
  get standing(): string {
    return this.term === undefined ? this.elector.standing : `leads in term ${this.term}`;
  }

  /** Whether a write would go out now. False where its clocks deceive it: no code inside the process can notice that. */
  mayAct(): boolean {
    const { machine } = this.process;
    if (machine.isFrozen || machine.isFooled) return false;
    return this.#probe(() => {
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
  #isExcused(term: number): boolean {
    const isOver = this.#probe(() => this.#lastTerm?.number === term && this.#lastTerm.overdue);
    return this.leaving || this.#handedOver === term || this.process.machine.wasFrozen || isOver;
  }

  #probe<T>(look: () => T): T {
    const { machine } = this.process;
    machine.probing = true;
    try {
      return look();
    } finally {
      machine.probing = false;
    }
  }

  #watched(store: CellStore): CellStore {
    return {
      ...store,
      read: (key, call) => {
        if (key === cellKeys.lease(TENANT)) this.leaseReadSentAt = this.process.machine.instant;
        return store.read(key, call);
      },
      write: async (key, value, expected, call) => {
        const reply = await store.write(key, value, expected, call);
        if (reply.ok && key === cellKeys.lease(TENANT)) this.#options.checker.acknowledged(this.cluster);
        return reply;
      },
    };
  }

  #makePresence(store: CellStore): Presence {
    const { identity, timing, cluster } = this.#options;
    return new Presence({
      tenant: TENANT,
      identity,
      cluster: { id: cluster.id, name: 'default' },
      store,
      clock: this.process.clock,
      logger: silentLogger,
      periodMs: timing.renewDeadlineMs / 2,
      highestStamp: () => Math.max(this.#highestStamp, this.permit.term),
      mayLead: () => this.#mayLead,
      onLoss: () => this.elector.canaryLost(),
    });
  }

  #makeElector(store: CellStore): Elector {
    const { identity, checker } = this.#options;
    return new Elector({
      ...this.#common(),
      tenant: TENANT,
      remainsFollower: false,
      store,
      listener: {
        elected: (term) => checker.elected(identity, term, this.mayAct()),
        lost: (term, because) => checker.lost(identity, term, because, this.#isExcused(term)),
        renewed: () => {},
        refused: () => {},
        reconsider: () => {},
      },
      watchdog: { arm: () => {}, disarm: () => {}, close: async () => {} },
    });
  }

  get #mayLead(): boolean {
    return this.informer.ready && (this.runs?.informer.ready ?? true) && !this.mayNotLead;
  }

  get #highestStamp(): number {
    return Math.max(this.informer.highestStamp, this.runs?.informer.highestStamp ?? 0);
  }

  /** Of pods without an object, that may run on. */
  #awaited(): readonly string[] {
    const now = this.process.clock.monotonic();
    for (const node of this.#vanished.nodes) this.#vanished.heard(node, this.cluster.nodeRenewal, now);
    return this.#vanished.pods.map(({ metadata }) => metadata.labels?.[labels.name] ?? '');
  }

  /** What elector and warden share. */
  #common() {
    const { identity, timing, cluster, takeover } = this.#options;
    return {
      candidate: {
        identity,
        cluster: { id: cluster.id, name: 'default' },
        timing,
        ...(takeover && { takeover }),
        apiDeadlineMs: 3 * timing.ttlMs,
      },
      permit: this.permit,
      presence: this.presence,
      cluster: {
        ready: () => this.#mayLead,
        highestStamp: () => this.#highestStamp,
        drainMs: (graceMs: number) => Math.max(graceMs, this.informer.longestGraceMs) + (takeover ? STOP_MARGIN_MS : 0),
        silentMs: () => this.serverClock.silentMs,
        serverTime: (monotonic?: number) => this.serverClock.at(monotonic),
      },
      workloads: {
        ...cluster.workloads(identity, this.toCluster, () => this.#awaited()),
        hasChanged: () => false,
        change: (ms: number) => this.process.clock.sleep(ms),
      },
      clock: this.process.clock,
      logger: silentLogger,
    };
  }
}
