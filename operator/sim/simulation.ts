/** One run: machines, a store, a cluster, and controllers that come and go. */
import type { Timing } from '../leadership/timing.ts';
import { Chance } from './chance.ts';
import { Checker } from './checker.ts';
import { SimCluster, termOf } from './cluster.ts';
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
  /** Longest time that a container takes to end, milliseconds. */
  readonly graceMs?: number;
  /** Whether clocks run at different rates, within what the protocol allows. */
  readonly drift?: boolean;
}

/** Clocks run at rates that differ from true time by no more than this. */
const DRIFT = 0.0099;

export class Simulation {
  readonly world: World;
  readonly timing: Timing;
  readonly checker: Checker;
  readonly store: SimStore;
  readonly cluster: SimCluster;
  readonly machines: readonly Machine[];
  controllers: SimController[] = [];
  #starts = 0;

  constructor(options: SimulationOptions) {
    const chance = new Chance(options.seed);
    this.world = new World(chance, new Trace(options.lines));
    this.timing = options.timing ?? chance.pick(timings);
    this.checker = new Checker(this.world);
    const rate = () => (options.drift === false ? 1 : 1 + chance.between(-DRIFT, DRIFT));
    this.store = new SimStore(this.world, options.ageBy ?? chance.pick(['server', 'observer']), rate());
    const graceMs = options.graceMs ?? chance.between(500, 5000);
    this.cluster = new SimCluster(this.world, this.checker, { id: 'cluster-a', graceMs });
    const count = options.machines ?? chance.pick([2, 3, 3, 4]);
    this.machines = Array.from({ length: count }, (_, i) => {
      const wallOffsetMs = chance.hits(0.3) ? chance.between(-3_600_000, 3_600_000) : 0;
      return new Machine(this.world, {
        name: `m${i + 1}`,
        rate: rate(),
        wallOffsetMs,
        memoryMs: this.timing.ttlMs * 1.03,
      });
    });
    this.checker.storeLosses = () => this.store.losses;
    for (const name of ['x', 'y', 'z']) this.cluster.want(name, 1);
  }

  /** Another process on the machine, under a name that was never used. */
  startController(machine: Machine): SimController {
    this.#starts += 1;
    const identity = `${machine.name}-${this.#starts}`;
    const { timing, store, cluster, checker } = this;
    const controller = new SimController({ machine, identity, timing, store, cluster, checker });
    this.controllers = [...this.controllers.filter((other) => other.process.alive), controller];
    this.checker.controllers = this.controllers;
    controller.start();
    return controller;
  }

  get leader(): SimController | undefined {
    return this.controllers.find((controller) => controller.process.alive && controller.mayAct());
  }

  changeSpec(): void {
    const name = this.world.chance.pick([...this.cluster.wanted.keys()]);
    this.cluster.want(name, (this.cluster.wanted.get(name) ?? 0) + 1);
  }

  /** Somebody else deletes an object. */
  evict(): void {
    const names = [...this.cluster.objects.keys()];
    if (names.length > 0) this.cluster.delete('user', this.world.chance.pick(names), {});
  }

  /** Runs for `ms`, or until a property is violated or `done` says so. */
  async run(ms: number, done: () => boolean = () => false): Promise<void> {
    await this.world.run(this.world.now + ms, () => {
      this.checker.step();
      return this.checker.violation !== undefined || done();
    });
  }

  /** Somebody leads, and every object is there and carries that term. */
  get isSettled(): boolean {
    const term = this.leader?.term;
    if (term === undefined) return false;
    return [...this.cluster.wanted.keys()].every((name) => {
      const object = this.cluster.objects.get(name);
      return object !== undefined && !object.metadata.deletionTimestamp && termOf(object) === term;
    });
  }

  /** Who leads, and how far the objects are, for people. */
  describe(): string {
    const objects = [...this.cluster.wanted].map(([name, template]) => {
      const object = this.cluster.objects.get(name);
      const state = object
        ? `term ${termOf(object)}${object.metadata.deletionTimestamp ? ', terminating' : ''}`
        : 'absent';
      return `${name} ${state}, wanted ${template}`;
    });
    const standing = this.controllers.filter(({ process }) => process.alive).map((c) => `${c.identity}: ${c.standing}`);
    return [...standing, ...objects].join('; ');
  }

  /** True milliseconds within which a healed system must have settled. */
  get progressBoundMs(): number {
    const { ttlMs, renewDeadlineMs, retryPeriodMs } = this.timing;
    return (
      (3 * ttlMs + this.cluster.graceMs) * 1.05 +
      renewDeadlineMs / 2 +
      4 * retryPeriodMs +
      this.cluster.graceMs +
      10_000
    );
  }
}
