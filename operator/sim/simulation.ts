/** One run: machines, a store, a cluster, and controllers that come and go. */
import type { Takeover } from '../leadership/activation.ts';
import type { Timing } from '../leadership/timing.ts';
import type { CatchUp } from '../workloads/cronjob/catch-up.ts';
import { Chance } from './chance.ts';
import { Checker } from './checker.ts';
import { SimCluster } from './cluster.ts';
import { termOf } from './objects.ts';
import { SimController } from './controller.ts';
import { Machine } from './machine.ts';
import { timings } from './profiles.ts';
import type { AgeBy } from './store.ts';
import { SimStore } from './store.ts';
import { Trace } from './trace.ts';
import { World } from './world.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** How many lines of the trace to keep. */
  readonly lines?: number;
  readonly timing?: Timing;
  readonly ageBy?: AgeBy;
  readonly machines?: number;
  /** Machines belong to them in turns; 1 unless told. */
  readonly clusters?: number;
  readonly takeover?: Takeover;
  /** Longest time that a container takes to end, milliseconds. */
  readonly graceMs?: number;
  /** Of a cron job in every cluster, whose runs are claimed; absent: there is none. */
  readonly catchUp?: CatchUp;
  /** Whether the clocks of all API servers show the same time; those of clusters may be a minute apart. */
  readonly clocksAgree?: boolean;
  /** Whether clocks run at different rates, within what the protocol allows. */
  readonly drift?: boolean;
}

/** By how much the wait for other clusters is longer than their containers take to end. */
const PARKING_MS = 8000;
/** So long may the API server's time be unknown after a clock stood still. */
const SERVER_TIME_MS = 30_000;

/** Clocks run at rates that differ from true time by no more than this. */
const DRIFT = 0.0099;

export class Simulation {
  readonly world: World;
  readonly timing: Timing;
  readonly checker: Checker;
  readonly store: SimStore;
  readonly clusters: readonly SimCluster[];
  readonly machines: readonly Machine[];
  controllers: SimController[] = [];
  readonly takeover: Takeover | undefined;
  #starts = 0;

  constructor(options: SimulationOptions) {
    const chance = new Chance(options.seed);
    this.world = new World(chance, new Trace(options.lines));
    this.timing = options.timing ?? chance.pick(timings);
    this.checker = new Checker(this.world);
    const rate = () => (options.drift === false ? 1 : 1 + chance.between(-DRIFT, DRIFT));
    this.store = new SimStore(this.world, options.ageBy ?? chance.pick(['server', 'observer']), rate());
    const graceMs = options.graceMs ?? chance.between(500, (options.clusters ?? 1) > 1 ? 15_000 : 5000);
    const clusters = options.clusters ?? 1;
    this.takeover = clusters > 1 ? (options.takeover ?? 'bounded') : undefined;
    this.checker.hasHole = this.takeover === 'bounded';
    this.clusters = Array.from({ length: clusters }, (_, i) => {
      const offsetMs = clusters > 1 && options.clocksAgree !== true ? chance.between(-60_000, 60_000) : 0;
      return new SimCluster(this.world, this.checker, {
        id: `cluster-${'abc'[i]}`,
        graceMs,
        rate: rate(),
        offsetMs,
        catchUp: options.catchUp,
      });
    });
    this.checker.clusters = this.clusters;
    const count = options.machines ?? clusters * chance.pick(clusters > 1 ? [1, 2, 2] : [2, 3, 3, 4]);
    this.machines = Array.from({ length: count }, (_, i) => {
      const wallOffsetMs = chance.hits(0.3) ? chance.between(-3_600_000, 3_600_000) : 0;
      return new Machine(this.world, {
        name: `m${i + 1}`,
        rate: rate(),
        wallOffsetMs,
        memoryMs: Math.max(this.timing.ttlMs * 1.03, clusters > 1 ? SERVER_TIME_MS : 0),
      });
    });
    this.checker.storeLosses = () => this.store.losses;
    for (const name of ['x', 'y', 'z']) this.#want(name, 1);
  }

  /** Another process on the machine, under a name that was never used. */
  startController(machine: Machine): SimController {
    this.#starts += 1;
    const identity = `${machine.name}-${this.#starts}`;
    const { timing, store, checker, takeover } = this;
    const cluster = this.clusterOf(machine);
    const shared = { machine, identity, timing, store, cluster, checker };
    const controller = new SimController({ ...shared, ...(takeover && { takeover }) });
    this.controllers = [...this.controllers.filter((other) => other.process.alive), controller];
    this.checker.controllers = this.controllers;
    controller.start();
    return controller;
  }

  get hasCron(): boolean {
    return this.clusters.some(({ batch }) => batch !== undefined);
  }

  get leader(): SimController | undefined {
    return this.controllers.find((controller) => controller.process.alive && controller.mayAct());
  }

  clusterOf(machine: Machine): SimCluster {
    const cluster = this.clusters[this.machines.indexOf(machine) % this.clusters.length];
    if (!cluster) throw new Error(`${machine.name} belongs to no cluster`);
    return cluster;
  }

  /** The users of all clusters want the same. */
  changeSpec(): void {
    const wanted = this.clusters[0]?.wanted ?? new Map<string, number>();
    const name = this.world.chance.pick([...wanted.keys()]);
    this.#want(name, (wanted.get(name) ?? 0) + 1);
  }

  #want(name: string, template: number): void {
    this.world.note('user', `wants ${name} version ${template}`);
    for (const cluster of this.clusters) cluster.want(name, template);
  }

  /** Somebody else deletes an object. */
  evict(): void {
    const objects = this.clusters.flatMap((cluster) => [...cluster.objects.keys()].map((name) => ({ cluster, name })));
    if (objects.length === 0) return;
    const { cluster, name } = this.world.chance.pick(objects);
    cluster.delete('user', name, {});
  }

  /** Runs for `ms`, or until a property is violated or `done` says so. */
  async run(ms: number, done: () => boolean = () => false): Promise<void> {
    await this.world.run(this.world.now + ms, () => {
      this.checker.step();
      return this.checker.violation !== undefined || done();
    });
  }

  /** Somebody leads, every object is there and carries that term, and there are none elsewhere. */
  get isSettled(): boolean {
    const { leader } = this;
    const term = leader?.term;
    if (term === undefined) return false;
    return this.clusters.every((cluster) => {
      const { batch } = cluster;
      if (cluster !== leader?.cluster) return cluster.objects.size === 0 && (batch?.running ?? []).length === 0;
      if (batch && !batch.isActiveIn(term)) return false;
      return [...cluster.wanted.keys()].every((name) => {
        const object = cluster.objects.get(name);
        return object !== undefined && !object.metadata.deletionTimestamp && termOf(object) === term;
      });
    });
  }

  /** Who leads, and how far the objects are, for people. */
  describe(): string {
    const objects = this.clusters.flatMap((cluster) =>
      [...cluster.wanted].map(([name, template]) => {
        const object = cluster.objects.get(name);
        const state = object
          ? `term ${termOf(object)}${object.metadata.deletionTimestamp ? ', terminating' : ''}`
          : 'absent';
        return `${cluster.id}: ${name} ${state}, wanted ${template}`;
      }),
    );
    const standing = this.controllers.filter(({ process }) => process.alive).map((c) => `${c.identity}: ${c.standing}`);
    return [...standing, ...objects].join('; ');
  }

  /** True milliseconds within which a healed system must have settled. */
  get progressBoundMs(): number {
    const { ttlMs, renewDeadlineMs, retryPeriodMs } = this.timing;
    const graceMs = this.clusters[0]?.graceMs ?? 0;
    const alone = (3 * ttlMs + graceMs) * 1.05 + renewDeadlineMs / 2 + 4 * retryPeriodMs + graceMs + 10_000;
    return this.takeover ? 2 * alone + ttlMs + PARKING_MS + SERVER_TIME_MS : alone;
  }
}
