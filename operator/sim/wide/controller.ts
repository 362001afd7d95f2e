/** A controller of the wide border: the program's own composition, on a simulated machine, store and cluster. */
import type { Base } from '../../context.ts';
import type { Composed } from '../../app/compose.ts';
import { compose } from '../../app/compose.ts';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { clusterTime } from '../../cluster/cluster-time.ts';
import { ServerClock } from '../../cluster/server-clock.ts';
import type { Config } from '../../config/config.ts';
import { Controllers } from '../../controller/controllers.ts';
import type { Takeover } from '../../leadership/activation.ts';
import type { Elector } from '../../leadership/elector.ts';
import { stopMarginMs } from '../../leadership/permit.ts';
import type { Timing } from '../../leadership/timing.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Dispatch } from '../api/client.ts';
import { SimClusterClient } from '../api/client.ts';
import type { ActorOptions } from '../actor.ts';
import { Actor, TENANT } from '../actor.ts';
import type { Checker } from '../checker.ts';
import type { WideCluster } from './cluster.ts';
import type { Kept } from './memory.ts';
import { keeping } from './memory.ts';
import { OWN_NAMESPACE } from './permit.ts';
import type { Wire } from './stream.ts';
import { transportOver } from './stream.ts';

/** Where a controller runs, and how it is configured. */
export interface WideOptions extends ActorOptions<WideCluster> {
  readonly timing: Timing;
  readonly takeover: Takeover;
}

/** Longest from a decision to stop something until the last request that follows from it. */
const DECIDED_MS = 10_000;

/** So long may it still be for want of writes that a term was given up. */
const REFUSED_MS = 60_000;

/** Verbs that start nothing. */
const STOPS: ReadonlySet<string> = new Set(['patch', 'delete']);

/** A controller of the wide model. */
export class WideController extends Actor<WideCluster> {
  /** What it holds in memory for as long as it lives. */
  readonly kept: Kept[] = [];
  readonly #options: WideOptions;
  readonly #composed: Composed;
  readonly #wire: Wire;
  readonly #stopping = new AbortController();
  #doubtedAt = -Infinity;

  constructor(options: WideOptions) {
    super(options);
    this.#options = options;
    const { cluster, checker } = options;
    const { process, toCluster } = this;
    const serverClock = new ServerClock(process.clock);
    toCluster.onDate = (date, sentAt) => serverClock.observe(date, sentAt);
    this.#wire = { process, link: toCluster, server: cluster, version: () => cluster.api.version, lagMs: 50 };
    const client = new SimClusterClient({
      server: cluster.api,
      transport: transportOver(this.#wire),
      by: this.identity,
      onDispatch: (dispatch) => this.#dispatched(dispatch, checker),
    });
    const store = this.watched(options.store.connect(process, this.toStore));
    const base = this.#base(Object.assign(client as ClusterClient, { serverClock }));
    const { made, kept } = keeping(() =>
      compose(base, {
        cluster: { id: cluster.id, name: cluster.id },
        store,
        watchdog: { arm: () => {}, disarm: () => {}, close: async () => {} },
        operate: (deps) => new Controllers(deps),
      }),
    );
    this.#composed = made;
    this.kept.push(...kept);
  }

  override get elector(): Elector {
    return this.#composed.leadership.elector;
  }

  override set watchLagMs(ms: number) {
    this.#wire.lagMs = ms;
  }

  /** Asked after each event, so that doubts are known that have passed. */
  override mayAct(): boolean {
    if (super.isInDoubt) this.#doubtedAt = this.process.machine.world.now;
    return super.mayAct();
  }

  /** What is stopped now was decided some calls ago. */
  override get isInDoubt(): boolean {
    return this.process.machine.world.now < this.#doubtedAt + DECIDED_MS;
  }

  override get isWorking(): boolean {
    return super.isWorking && !this.cluster.refusing.hinders;
  }

  protected override isExcused(term: number): boolean {
    return super.isExcused(term) || this.process.machine.world.now < this.cluster.refusing.hinderedAt() + REFUSED_MS;
  }

  override start(): void {
    const { checker } = this.#options;
    this.process.machine.world.note(this.identity, 'starts');
    const { made, kept } = keeping(() => this.#composed.run(this.#stopping.signal));
    this.kept.push(...kept);
    made
      .then(() => this.process.machine.world.note(this.identity, 'has ended'))
      .catch((error: unknown) => checker.fail('no defect', `${this.identity}: ${String(error)}`));
  }

  protected override beginToLeave(): void {
    this.#stopping.abort(new Error('SIGTERM'));
  }

  #dispatched({ verb, type, name, isStatus, isGuarded }: Dispatch, checker: Checker): void {
    if (isGuarded) return checker.dispatched(this, verb);
    const { cluster, identity } = this;
    const stops =
      STOPS.has(verb) && !isStatus && ['pods', 'jobs', 'cronjobs', 'deployments', 'statefulsets'].includes(type.plural);
    if (!stops) return;
    const object = cluster.api.get(type, { name, namespace: 'default' });
    const isFresh = object && object.metadata.deletionTimestamp === undefined;
    if (isFresh) checker.parked(cluster, identity, checker.isNeedless(cluster, identity));
  }

  #base(client: Base['client']): Base {
    const { process, identity } = this;
    const { clock, machine } = process;
    const { cluster, timing, takeover, preference } = this.#options;
    const config = {
      tenant: TENANT,
      namespace: OWN_NAMESPACE,
      watchNamespaces: [],
      ownNamespaces: [],
      remainsFollower: false,
      workers: 4,
      workloads: [],
      cluster: { name: cluster.id },
      lease: timing,
      terminationGracePeriodMs: 60_000,
      maxGracePeriodMs: 3_600_000,
      podDefaults: 'kubernetes',
      storageType: 'redis',
      failover: { takeover, ...preference, apiDeadlineMs: 3 * timing.ttlMs },
    } as unknown as Config;
    return {
      config,
      identity,
      clock,
      clusterClock: clusterTime(clock, client.serverClock),
      logger: traced((what) => machine.world.note(identity, what)),
      metrics: this.#metrics(),
      random: () => machine.world.chance.next(),
      client,
    };
  }

  #metrics(): Metrics {
    const { checker } = this.#options;
    const { identity } = this;
    const nothing = () => {};
    const lease = {
      elected: (term: number) => checker.elected(identity, term, this.mayAct()),
      lost: (term: number, because: string) => checker.lost(identity, term, because, this.isExcused(term)),
      renewed: nothing,
      refused: nothing,
      tookOver: nothing,
    };
    const observers = {
      lease,
      worker: {},
      workloads: { status: nothing, forget: nothing },
      store: () => ({}),
      queue: () => ({}),
    };
    const gauges = {
      controllerState: nothing,
      clusterHealth: nothing,
      clusterPriority: nothing,
      overlapped: nothing,
      fence: nothing,
    };
    return { ...observers, ...gauges } as unknown as Metrics;
  }

  /** Longest that the tenant's pods here may take to stop. */
  get drainMs(): number {
    const { objects } = this.#composed;
    return objects.drainMs() + stopMarginMs(objects.count);
  }
}

/** What is worth a line: what changed, and what failed. */
function traced(note: (what: string) => void): Logger {
  const say = (level: string) => (message: string, fields?: object) => {
    const { reconcileID: _, stack: __, ...rest } = (fields ?? {}) as Record<string, unknown>;
    note(`${level}: ${message} ${JSON.stringify(rest)}`);
  };
  const logger = {
    debug: () => {},
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    child: () => logger,
  } as unknown as Logger;
  return logger;
}
