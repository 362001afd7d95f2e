/** A controller as the program composes it, on a simulated machine, between a simulated store and a simulated cluster. */
import type { CellStore } from '../lease/cell-store.ts';
import { Elector } from '../leadership/elector.ts';
import { LeadershipGuard } from '../leadership/guard.ts';
import { Failback } from '../leadership/failback.ts';
import { Obedience } from '../leadership/obedience.ts';
import { OrderBook } from '../leadership/orders.ts';
import { PermitKeeper } from '../leadership/permit-keeper.ts';
import { STOP_MARGIN_MS } from '../leadership/permit.ts';
import type { Takeover } from '../leadership/activation.ts';
import type { ClusterClient } from '../cluster/cluster-client.ts';
import { ServerClock } from '../cluster/server-clock.ts';
import { Warden } from '../leadership/warden.ts';
import { Presence } from '../leadership/presence.ts';
import type { Timing } from '../leadership/timing.ts';
import { silentLogger } from '../lib/logger.ts';
import { labels } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';
import { VanishedPods } from '../reconcile/vanished.ts';
import type { ActorOptions } from './actor.ts';
import { Actor, TENANT } from './actor.ts';
import type { SimCluster } from './cluster.ts';
import { Informer } from './informer.ts';
import { SimClient, SimReconciler } from './reconciler.ts';
import { SimRuns } from './runs.ts';

/** Where a controller runs, and how it is configured. */
export interface ControllerOptions extends ActorOptions<SimCluster> {
  readonly timing: Timing;
  /** Absent: there is one cluster. */
  readonly takeover?: Takeover;
  /** Whether it looks for what people ask. */
  readonly obeys?: boolean;
}

/** A controller of the narrow model. */
export class SimController extends Actor<SimCluster> {
  readonly elector: Elector;
  readonly guard: LeadershipGuard;
  readonly presence: Presence;
  readonly informer: Informer;
  readonly serverClock: ServerClock;
  readonly permit: PermitKeeper;
  readonly warden: Warden | undefined;
  readonly #obedience: Obedience | undefined;
  readonly #stopping = new AbortController();
  readonly #client: ClusterClient;
  readonly runs: SimRuns | undefined;
  readonly #options: ControllerOptions;
  readonly #vanished = new VanishedPods();
  /** By verb: for how many milliseconds the network holds its next write back. */
  readonly heldBack = new Map<string, number>();

  constructor(options: ControllerOptions) {
    super(options);
    const { store, cluster } = options;
    this.#options = options;
    this.serverClock = new ServerClock(this.process.clock);
    this.toCluster.onDate = (date, sentAt) => this.serverClock.observe(date, sentAt);
    this.permit = new PermitKeeper(cluster.permitStore(this.identity, this.toCluster));
    this.informer = new Informer(this.process, cluster.pods, this.toCluster);
    this.informer.onGone = (last) => this.#vanished.went(last as Pod);
    const cells = this.watched(store.connect(this.process, this.toStore));
    this.#client = new SimClient(this, cluster, options.checker);
    this.runs = cluster.batch && new SimRuns({ controller: this, client: this.#client, store: cells }, cluster.batch);
    this.presence = this.#makePresence(cells);
    this.elector = this.#makeElector(cells);
    this.guard = new LeadershipGuard(this.elector, options.timing.retryPeriodMs);
    this.#obedience = options.obeys ? this.#makeObedience(cells) : undefined;
    this.warden = options.takeover && new Warden({ ...this.#common(), lease: this.elector });
  }

  override set watchLagMs(ms: number) {
    this.informer.lagMs = ms;
  }

  protected override ended(): void {
    this.informer.stop();
    this.runs?.informer.stop();
  }

  start(): void {
    const { checker, timing, cluster } = this.#options;
    this.process.machine.world.note(this.identity, 'starts');
    const reconciler = new SimReconciler(this, this.#client, { checker, timing, cluster, runs: this.runs });
    const election = this.elector.run().finally(() => {
      this.#stopping.abort();
      this.presence.stop();
      this.warden?.stop();
    });
    const informing = [this.informer.run(), this.runs?.informer.run()];
    const obeying = this.#obedience?.run(this.#stopping.signal);
    const running = [...informing, election, this.presence.run(), reconciler.run(), this.warden?.run(), obeying];
    for (const part of running) {
      part?.catch((error: unknown) => checker.fail('no defect', `${this.identity}: ${String(error)}`));
    }
  }

  #makeObedience(store: CellStore): Obedience {
    const { cluster, timing, preference } = this.#options;
    const { priority, failback, failbackDelayMs: delayMs } = preference;
    const better = new Failback({ clusterId: cluster.id, priority, ttlMs: timing.ttlMs, delayMs });
    return new Obedience({
      book: new OrderBook(store, TENANT),
      leader: () => this.elector,
      peers: () => this.presence.peers,
      ...(failback === 'auto' && { failback: better }),
      onPause: () => {},
      periodMs: timing.renewDeadlineMs / 2,
      clock: this.process.clock,
      logger: silentLogger,
    });
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
      priority: this.preference.priority,
      mayLead: () => this.#mayLead && this.elector.unfitBecause === undefined,
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
        lost: (term, because) => checker.lost(identity, term, because, this.isExcused(term)),
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
    const { identity, timing, cluster, takeover, preference } = this.#options;
    return {
      candidate: {
        priority: preference.priority,
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
