/** One run: machines, a store, clusters, and controllers that come and go, of one model or another. */
import type { Takeover } from '../leadership/activation.ts';
import type { Timing } from '../leadership/timing.ts';
import type { CatchUp } from '../workloads/cronjob/catch-up.ts';
import { cellKeys } from '../lease/cell-store.ts';
import type { Actor } from './actor.ts';
import { TENANT } from './actor.ts';
import { Chance } from './chance.ts';
import type { CheckedCluster } from './checker.ts';
import { Checker } from './checker.ts';
import type { Availability } from './link.ts';
import { Liveness } from './liveness.ts';
import { Machine } from './machine.ts';
import { timings } from './profiles.ts';
import type { AgeBy } from './store.ts';
import { SimStore } from './store.ts';
import { Trace } from './trace.ts';
import { World } from './world.ts';

/** What is simulated. */
export interface SimulationOptions {
  readonly seed: number;
  /** How many lines of the trace to keep. */
  readonly lines?: number;
  readonly timing?: Timing;
  readonly ageBy?: AgeBy;
  readonly machines?: number;
  /** Machines belong to them in turns; default: 1. */
  readonly clusters?: number;
  readonly takeover?: Takeover;
  /** Longest time that a container takes to end, milliseconds. */
  readonly graceMs?: number;
  /** Of a cron job in every cluster, whose runs are claimed; absent: there is none. */
  readonly catchUp?: CatchUp;
  /** Whether the clocks of all API servers show the same time; those of clusters may be a minute apart. */
  readonly clocksAgree?: boolean;
  /** Whether people ask anything of the tenant. */
  readonly hasPeople?: boolean;
  /** Whether clocks run at different rates, within what the protocol allows. */
  readonly drift?: boolean;
}

/** A cluster as a run sees it. */
export interface PlayedCluster extends CheckedCluster, Availability {
  readonly hasCron: boolean;
  /** Everything in it has lost its power: nothing runs there, and nothing can begin. */
  isDead: boolean;
  /** All of its containers end at once; and its API server answers no more. */
  die(): void;
  /** What its users want: a version of a workload. */
  want(workload: string, version: number): void;
  /** Somebody else deletes an object. */
  evict(): void;
  /** Workloads whose containers do not end; and all of them, on a node that says nothing. */
  readonly stuckPods: Set<string>;
  isStuck: boolean;
  /** Somebody, or Kubernetes, removes the objects of pods by force. */
  collect?(): void;
  /** Some writes of controllers are refused, or all of one kind, until what it returns is called. */
  refuseWrites?(which: 'some' | 'one kind'): () => void;
  /** Somebody edits our notes on objects. */
  editNotes?(): void;
  /** Somebody deletes what others go by, such as custom resources: these come back when what it returns is called. */
  remove?(): () => void;
  removePermit?(): void;
  /** Its permit, by which it remembers the tenant, is gone. */
  readonly hasForgotten?: boolean;
  /** Somebody writes nonsense on objects. */
  spoilNotes?(): void;
  /** Whether everything is there and carries that term; undefined: nothing is. */
  isSettledIn(term: number | undefined): boolean;
  /** For people. */
  describe(): string;
}

/** Which cluster, and how wrong its clock is. */
export interface ClusterOptions {
  readonly id: string;
  readonly graceMs: number;
  /** Milliseconds of its API server's clock per true millisecond, and how wrong it is. */
  readonly rate: number;
  readonly offsetMs: number;
  /** Of its cron job; absent: it has none. */
  readonly catchUp?: CatchUp | undefined;
}

/** How the controllers of a cluster are configured that start from now on. */
export interface Preference {
  readonly priority: number;
  readonly failback: 'manual' | 'auto';
  readonly failbackDelayMs: number;
}

const NO_PREFERENCE: Preference = { priority: 0, failback: 'manual', failbackDelayMs: 0 };

/** By how much the wait for other clusters is longer than their containers take to end. */
const PARKING_MS = 8000;
/** So long may the API server's time be unknown after a clock stood still. */
const SERVER_TIME_MS = 30_000;

/** Clocks run at rates that differ from true time by no more than this. */
const DRIFT = 0.0099;

/** A run of either model. */
export abstract class Play<C extends PlayedCluster = PlayedCluster, A extends Actor<C> = Actor<C>> {
  readonly world: World;
  readonly timing: Timing;
  readonly checker: Checker;
  readonly store: SimStore;
  readonly clusters: readonly C[];
  readonly machines: readonly Machine[];
  controllers: A[] = [];
  readonly takeover: Takeover | undefined;
  readonly liveness: Liveness;
  readonly hasPeople: boolean;
  /** By cluster. */
  readonly preferences = new Map<string, Preference>();
  readonly #wanted = new Map<string, number>();
  readonly #started = new Map<string, A>();
  #starts = 0;

  constructor(options: SimulationOptions) {
    const chance = new Chance(options.seed);
    this.world = new World(chance, new Trace(options.lines));
    this.timing = options.timing ?? chance.pick(timings);
    this.checker = new Checker(this.world);
    this.hasPeople = options.hasPeople ?? false;
    const rate = () => (options.drift === false ? 1 : 1 + chance.between(-DRIFT, DRIFT));
    this.store = new SimStore(this.world, options.ageBy ?? chance.pick(['server', 'observer']), rate());
    const graceMs = options.graceMs ?? chance.between(500, (options.clusters ?? 1) > 1 ? 15_000 : 5000);
    const clusters = options.clusters ?? 1;
    this.takeover = clusters > 1 ? (options.takeover ?? 'bounded') : undefined;
    this.checker.hasHole = this.takeover === 'bounded';
    this.clusters = Array.from({ length: clusters }, (_, i) => {
      const offsetMs = clusters > 1 && options.clocksAgree !== true ? chance.between(-60_000, 60_000) : 0;
      return this.makeCluster({
        id: `cluster-${'abc'[i]}`,
        graceMs,
        rate: rate(),
        offsetMs,
        catchUp: options.catchUp,
      });
    });
    this.checker.clusters = this.clusters;
    this.machines = this.#makeMachines(options, rate);
    this.liveness = this.#makeLiveness();
    this.#tellChecker();
    for (const name of ['x', 'y', 'z']) this.#want(name, 1);
  }

  #makeMachines({ machines: wanted, clusters = 1 }: SimulationOptions, rate: () => number): readonly Machine[] {
    const { chance } = this.world;
    const count = wanted ?? clusters * chance.pick(clusters > 1 ? [1, 2, 2] : [2, 3, 3, 4]);
    return Array.from({ length: count }, (_, i) => {
      const wallOffsetMs = chance.hits(0.3) ? chance.between(-3_600_000, 3_600_000) : 0;
      return new Machine(this.world, {
        name: `m${i + 1}`,
        rate: rate(),
        wallOffsetMs,
        memoryMs: Math.max(this.timing.ttlMs * 1.03, clusters > 1 ? SERVER_TIME_MS : 0),
      });
    });
  }

  #makeLiveness(): Liveness {
    return new Liveness({
      world: this.world,
      checker: this.checker,
      store: this.store,
      clusters: this.clusters,
      isStrict: this.takeover === 'strict',
      boundMs: () => this.actingBoundMs,
    });
  }

  #tellChecker(): void {
    this.checker.storeLosses = () => this.store.losses;
    this.checker.lease = () => this.store.lease;
    this.checker.words.isToFailBack = (by, to) => this.#isToFailBack(by, to);
  }

  protected abstract makeCluster(options: ClusterOptions): C;

  protected abstract makeController(machine: Machine, identity: string): A;

  /** Another process on the machine, under a name that was never used. */
  startController(machine: Machine): A {
    this.#starts += 1;
    const identity = `${machine.name}-${this.#starts}`;
    const controller = this.makeController(machine, identity);
    this.#started.set(identity, controller);
    this.controllers = [...this.controllers.filter((other) => other.process.alive), controller];
    this.checker.controllers = this.controllers;
    controller.start();
    return controller;
  }

  get hasCron(): boolean {
    return this.clusters.some((cluster) => cluster.hasCron);
  }

  get leader(): A | undefined {
    return this.controllers.find((controller) => controller.process.alive && controller.mayAct());
  }

  clusterOf(machine: Machine): C {
    const cluster = this.clusters[this.machines.indexOf(machine) % this.clusters.length];
    if (!cluster) throw new Error(`${machine.name} belongs to no cluster`);
    return cluster;
  }

  preferenceOf({ id }: C): Preference {
    return this.preferences.get(id) ?? NO_PREFERENCE;
  }

  #isToFailBack(by: string, to: string): boolean {
    const leader = this.controllers.find(({ identity }) => identity === by);
    const heir = this.#started.get(to);
    if (!leader || !heir || leader.preference.failback !== 'auto') return false;
    return heir.cluster !== leader.cluster && heir.preference.priority > leader.preference.priority;
  }

  /** The users of all clusters want the same. */
  changeSpec(): void {
    const name = this.world.chance.pick([...this.#wanted.keys()]);
    this.#want(name, (this.#wanted.get(name) ?? 0) + 1);
  }

  #want(name: string, version: number): void {
    this.world.note('user', `wants ${name} version ${version}`);
    this.#wanted.set(name, version);
    for (const cluster of this.clusters) cluster.want(name, version);
  }

  /** Somebody else deletes an object. */
  evict(): void {
    this.world.chance.pick(this.clusters).evict();
  }

  /** Somebody else writes into the store. */
  spoilCell(): void {
    const { chance } = this.world;
    const text = chance.pick(['', '{}', 'not JSON', 'null', '{"identity":7}', '[]']);
    this.store.put(cellKeys.presence(TENANT, `stranger-${Math.floor(chance.between(0, 5))}`), () => text);
  }

  /** People ask that nobody acts; or that everything goes on. */
  pauseTenant(isPaused: boolean): void {
    const pause = { since: new Date(this.store.time).toISOString(), by: 'user' };
    this.world.note('user', isPaused ? 'pauses the tenant' : 'resumes the tenant');
    const orders = (text = '{}') => ({ ...(JSON.parse(text) as object), paused: isPaused ? pause : undefined });
    this.store.put(cellKeys.orders(TENANT), (text) => JSON.stringify(orders(text)));
  }

  /** Runs for `ms`, or until a property is violated or `done` says so. */
  async run(ms: number, done: () => boolean = () => false): Promise<void> {
    await this.world.run(this.world.now + ms, () => {
      this.checker.step();
      this.liveness.look(this.controllers);
      return this.checker.violation !== undefined || done();
    });
  }

  /** Somebody leads, every object is there and carries that term, and there are none elsewhere. */
  get isSettled(): boolean {
    const { leader } = this;
    const term = leader?.term;
    if (term === undefined) return false;
    return this.clusters.every((cluster) => cluster.isSettledIn(cluster === leader?.cluster ? term : undefined));
  }

  /** No cluster comes before the one that leads, as far as that fails back by itself. */
  get isWhereItBelongs(): boolean {
    const { leader } = this;
    if (!leader) return false;
    const others = this.controllers.filter(({ process, cluster }) => process.alive && cluster !== leader.cluster);
    const { priority, failback } = leader.preference;
    return failback !== 'auto' || others.every(({ preference }) => preference.priority <= priority);
  }

  /** Who leads, and how far the objects are, for people. */
  describe(): string {
    const standing = this.controllers.filter(({ process }) => process.alive).map((c) => `${c.identity}: ${c.standing}`);
    return [...standing, ...this.clusters.map((cluster) => cluster.describe())].join('; ');
  }

  /** True milliseconds within which somebody must act while a controller could. */
  get actingBoundMs(): number {
    const { ttlMs, renewDeadlineMs, retryPeriodMs } = this.timing;
    const graceMs = this.clusters[0]?.graceMs ?? 0;
    return (3 * ttlMs + graceMs) * 1.05 + renewDeadlineMs / 2 + 4 * retryPeriodMs + graceMs + 10_000;
  }

  /** True milliseconds within which a healed system must have settled. */
  get progressBoundMs(): number {
    const alone = this.actingBoundMs;
    return this.takeover ? 2 * alone + this.timing.ttlMs + PARKING_MS + SERVER_TIME_MS : alone;
  }
}
