/**
 * A machine with its own clocks, and the processes on it. It can stop: the process (SIGSTOP: clocks run on), or the whole
 * virtual machine (one clock or both stand still). Code reads the clock wherever time matters, so a stop inside a reading
 * of the clock is a stop between any two of its steps.
 */
import { sleepOn, waitOf, type Clock, type Timer } from '../lib/clock.ts';
import type { World } from './world.ts';

/** Milliseconds since the epoch at true time 0. */
export const EPOCH = Date.UTC(2030, 0, 1);

type Freeze = 'both clocks' | 'monotonic clock';

/** Which machine, and how wrong its clocks are. */
export interface MachineOptions {
  readonly name: string;
  /** Milliseconds of its clocks per true millisecond. */
  readonly rate: number;
  /** By how much its wall clock is wrong. */
  readonly wallOffsetMs: number;
  /** No lease outlasts this, true milliseconds: as long does it matter what its clocks did. */
  readonly memoryMs: number;
}

/** A machine that can stop and go on. */
export class Machine {
  readonly name: string;
  readonly world: World;
  readonly #rate: number;
  readonly #origin: number;
  readonly #memoryMs: number;
  #wallOffset: number;
  /** Clock time that freezes have taken, and the one that was last. */
  #monotonicLost = 0;
  #wallLost = 0;
  #freeze: { readonly from: number; readonly until: number; readonly kind: Freeze } | undefined;
  #jumpedAt = -Infinity;
  #busyUntil = 0;
  #stalledUntil = 0;
  readonly #waiting: (() => void)[] = [];
  /** Probability that a reading of the clock stops the process, and the longest such stop, milliseconds. */
  stalls = { probability: 0, longestMs: 0 };
  /** The checker looks: its readings stop nothing. */
  probing = false;
  /** Until then its clocks deceive its processes in a way that none of them can notice. */
  #fooledUntil = 0;

  constructor(world: World, options: MachineOptions) {
    this.world = world;
    this.name = options.name;
    this.#rate = options.rate;
    this.#origin = 1000 + world.chance.between(0, 1e6);
    this.#wallOffset = options.wallOffsetMs;
    this.#memoryMs = options.memoryMs;
  }

  /** The true time of what its code does now. */
  get instant(): number {
    return Math.max(this.world.now, this.#stalledUntil);
  }

  /** What its code did last happens later than now. */
  get isStalled(): boolean {
    return this.#stalledUntil > this.world.now;
  }

  /** Nothing runs on it. */
  get isBusy(): boolean {
    return this.#busyUntil > this.world.now;
  }

  get isFooled(): boolean {
    return this.#fooledUntil > this.world.now;
  }

  /** A clock of it stood still not long ago: others may rightly have taken its lease before its own deadline. */
  get wasFrozen(): boolean {
    return this.#freeze !== undefined && this.world.now < this.#freeze.until + this.#memoryMs;
  }

  get isFrozen(): boolean {
    return this.#freeze !== undefined && this.#freeze.until > this.world.now;
  }

  monotonic(): number {
    const value = this.#origin + this.#rate * (this.instant - this.#monotonicLost - this.#frozenFor());
    this.#maybeStall();
    return value;
  }

  wall(): number {
    const frozen = this.#freeze?.kind === 'both clocks' ? this.#frozenFor() : 0;
    const value = EPOCH + this.#wallOffset + this.#rate * (this.instant - this.#wallLost - frozen);
    this.#maybeStall();
    return Math.floor(value);
  }

  /** True milliseconds for `ms` of its clocks. */
  trueMs(ms: number): number {
    return ms / this.#rate;
  }

  jumpWall(ms: number): void {
    this.world.note(this.name, `wall clock jumps by ${Math.round(ms)} ms`);
    this.#wallOffset += ms;
    this.#jumpedAt = this.instant;
    const thawed = this.#freeze?.until ?? -Infinity;
    if (this.instant < thawed + this.#memoryMs) this.#fool(this.instant);
  }

  /** SIGSTOP, and SIGCONT after `ms`. */
  pause(ms: number): void {
    this.world.note(this.name, `stops for ${Math.round(ms)} ms`);
    this.#busy(this.instant + ms);
  }

  /** The hypervisor stops the machine for `ms`. */
  freeze(ms: number, kind: Freeze): void {
    if (this.isFrozen || this.isStalled) return;
    this.world.note(this.name, `is frozen for ${Math.round(ms)} ms, and so is its ${kind}`);
    this.#monotonicLost += this.#frozenFor();
    if (this.#freeze?.kind === 'both clocks') this.#wallLost += this.#frozenFor();
    this.#freeze = { from: this.instant, until: this.instant + ms, kind };
    const jumped = this.instant < this.#jumpedAt + this.#memoryMs;
    if (kind === 'both clocks' || jumped) this.#fool(this.instant + ms);
    this.#busy(this.instant + ms);
  }

  /** Runs the task now, or when the machine runs again. */
  run(task: () => void): void {
    if (this.#busyUntil <= this.world.now) return task();
    this.#waiting.push(task);
  }

  #fool(until: number): void {
    this.#fooledUntil = Math.max(this.#fooledUntil, until + this.#memoryMs);
  }

  #busy(until: number): void {
    if (until <= this.#busyUntil) return;
    this.#busyUntil = until;
    this.world.at(until, () => this.#resume());
  }

  /** Each task is an event of its own, so that what follows from one is done before the next. */
  #resume(): void {
    if (this.#busyUntil > this.world.now) return;
    for (const task of this.#waiting.splice(0)) this.world.at(this.world.now, () => this.run(task));
  }

  #frozenFor(): number {
    if (!this.#freeze) return 0;
    const { from, until } = this.#freeze;
    return Math.min(Math.max(0, this.instant - from), until - from);
  }

  #maybeStall(): void {
    if (this.probing || !this.world.chance.hits(this.stalls.probability)) return;
    const ms = this.world.chance.skewed(0, this.stalls.longestMs);
    this.world.note(this.name, `stops for ${Math.round(ms)} ms in the middle of a step`);
    this.#stalledUntil = this.instant + ms;
    this.#busy(this.#stalledUntil);
  }
}

/** A process on a machine. Once killed, nothing of it runs any more and nothing reaches it. */
export class Process {
  readonly machine: Machine;
  readonly name: string;
  readonly clock: Clock;
  alive = true;

  constructor(machine: Machine, name: string) {
    this.machine = machine;
    this.name = name;
    this.clock = {
      monotonic: () => machine.monotonic(),
      wall: () => machine.wall(),
      sleep: (ms, signal) => sleepOn(this.clock, ms, signal),
      after: (ms, fire) => this.#after(ms, fire),
    };
  }

  kill(): void {
    this.machine.world.note(this.name, 'is killed');
    this.alive = false;
  }

  /** Something arrived for the process: it sees it when it runs. */
  deliver(task: () => void): void {
    this.machine.run(() => {
      if (this.alive) task();
    });
  }

  /** As the real one, no timer is shorter than a millisecond. */
  #after(ms: number, fire: () => void): Timer {
    const { machine } = this;
    const { probing } = machine;
    machine.probing = true;
    const deadline = machine.monotonic() + Math.max(1, waitOf(ms));
    let set = true;
    const arm = () => {
      machine.world.at(machine.instant + machine.trueMs(Math.max(0, deadline - this.#exactly())), () =>
        this.deliver(due),
      );
    };
    const due = () => {
      if (!set) return;
      if (deadline - this.#exactly() > 0.001) return arm();
      set = false;
      fire();
    };
    arm();
    machine.probing = probing;
    return { cancel: () => void (set = false) };
  }

  #exactly(): number {
    const { probing } = this.machine;
    this.machine.probing = true;
    const value = this.machine.monotonic();
    this.machine.probing = probing;
    return value;
  }
}
