/** Does the harm: faults at random times, each healed some time later, all healed at the end. */
import type { Conditions } from './link.ts';
import { calm } from './link.ts';
import type { Actor } from './actor.ts';
import { People } from './people.ts';
import type { Fault } from './profiles.ts';
import { long, losses } from './profiles.ts';
import type { Play, PlayedCluster } from './play.ts';

/** A faster network cannot be told from a calm one. */
const DAY_MS = 86_400_000;

/** Causes the faults of a profile. */
export class Nemesis {
  readonly #sim: Play;
  readonly #faults: readonly Fault[];
  readonly #heals = new Set<() => void>();
  #active = true;
  readonly #people: People | undefined;

  constructor(sim: Play, faults: readonly Fault[]) {
    this.#sim = sim;
    this.#people = sim.hasPeople ? new People(sim) : undefined;
    this.#faults = faults;
  }

  start(): void {
    const { world, timing } = this.#sim;
    world.after(world.chance.skewed(0.05, 1) * timing.ttlMs, () => {
      if (!this.#active) return;
      const fault = world.chance.pick(this.#faults);
      if (this.#sim.controllers.length > 0 && !this.#isBirth(fault)) this.harm(fault);
      this.start();
    });
  }

  /** No more faults, and those that last end. */
  stop(): void {
    this.#active = false;
    for (const heal of this.#heals) heal();
    this.#heals.clear();
  }

  /** A cluster is gone for good, after all else is healed; and people say so. */
  bury(): void {
    const cluster = this.#chance.pick(this.#sim.clusters);
    this.#die(cluster);
    this.#people?.confirm(cluster.id);
  }

  harm(fault: Fault): void {
    const { world, timing } = this.#sim;
    const ttls = long.includes(fault) ? world.chance.between(1, 6) : world.chance.skewed(0.05, 2.5);
    const lastsMs = ttls * timing.ttlMs;
    world.note('nemesis', `${fault}, ${Math.round(lastsMs)} ms`);
    const heal = this.#harms[fault](lastsMs);
    if (!heal) return;
    this.#heals.add(heal);
    world.after(lastsMs, () => {
      if (this.#heals.delete(heal)) heal();
    });
  }

  /** Each returns how it is undone, if it is. */
  readonly #harms: Readonly<Record<Fault, (ms: number) => (() => void) | void>> = {
    kill: (ms) => this.#replace((controller) => controller.kill(), ms),
    leave: (ms) => this.#replace((controller) => controller.leave(ms), ms),
    'hand over': () => this.#handOver(),
    'cut store': () => this.#bend('toStore', () => this.#cut()),
    'cut cluster': () => this.#bend('toCluster', () => this.#cut()),
    slow: () =>
      this.#bend(this.#side(), () => ({ latencyMs: [1, this.#chance.skewed(50, 2 * this.#sim.timing.retryPeriodMs)] })),
    lossy: () =>
      this.#bend(this.#side(), () => ({ loses: this.#chance.between(0, 0.5), doubles: this.#chance.between(0, 0.5) })),
    'late writes': () =>
      this.#bend(this.#side(), () => ({ delays: this.#chance.between(0, 0.6), lateMs: 8 * this.#sim.timing.ttlMs })),
    'store down': () => this.#fail(this.#sim.store),
    'cluster down': () => this.#fail(this.#chance.pick(this.#sim.clusters)),
    'no hints': () => {
      this.#sim.store.hints = 0;
      return () => void (this.#sim.store.hints = 1);
    },
    'watch lag': () => {
      const victim = this.#victim();
      victim.watchLagMs = this.#chance.skewed(100, this.#sim.timing.ttlMs);
      return () => void (victim.watchLagMs = 50);
    },
    pause: (ms) => this.#victim().process.machine.pause(ms),
    stall: () => {
      const { machine } = this.#victim().process;
      machine.stalls = { probability: 0.02, longestMs: 2 * this.#sim.timing.ttlMs };
      return () => void (machine.stalls = { probability: 0, longestMs: 0 });
    },
    'wall jump': () =>
      this.#victim().process.machine.jumpWall(this.#chance.pick([-DAY_MS, -5000, -800, 800, 5000, DAY_MS])),
    'freeze one clock': (ms) => this.#victim().process.machine.freeze(ms, 'monotonic clock'),
    'freeze both clocks': (ms) => this.#victim().process.machine.freeze(ms, 'both clocks'),
    'store clock': () => this.#sim.store.jumpClock(this.#chance.pick([-3_600_000, -10_000, 10_000, 3_600_000])),
    'store restart': () => this.#sim.store.restart(),
    'store flush': () => this.#sim.store.flush(),
    'store lag': () => this.#sim.store.goBack(this.#chance.skewed(0, 5000)),
    'store backup': () => this.#sim.store.goBack(this.#chance.between(5000, 100_000)),
    'store backup unnoticed': () => this.#sim.store.goBack(this.#chance.between(20_000, 100_000), true),
    'spec change': () => this.#sim.changeSpec(),
    eviction: () => this.#sim.evict(),
    'stuck pod': () => {
      const { stuckPods } = this.#chance.pick(this.#sim.clusters);
      const name = this.#chance.pick(['x', 'y', 'z']);
      stuckPods.add(name);
      return () => void stuckPods.delete(name);
    },
    'stuck node': () => this.#stick(),
    'lost node': (ms) => this.#loseNode(ms),
    'refused writes': () => this.#chance.pick(this.#sim.clusters).refuseWrites?.('some'),
    'refused kind': () => this.#place().refuseWrites?.('one kind'),
    'edited notes': () => this.#place().editNotes?.(),
    removal: () => this.#place().remove?.(),
    'forgotten permit': () => this.#forget(),
    'spoilt notes': () => this.#chance.pick(this.#sim.clusters).spoilNotes?.(),
    'spoilt cells': () => this.#sim.spoilCell(),
    'hand-over order': () => this.#people?.orderHandOver(),
    priorities: (ms) => this.#prefer(ms),
    'cluster dies': () => this.#die(this.#chance.pick(this.#sim.clusters)),
    confirmed: () => {
      const { clusters } = this.#sim;
      const dead = clusters.filter(({ isDead }) => isDead);
      const cluster = this.#chance.pick(dead.length > 0 && this.#chance.hits(0.7) ? dead : clusters);
      return this.#people?.confirm(this.#chance.hits(0.2) ? 'default' : cluster.id);
    },
    'tenant paused': () => {
      this.#sim.pauseTenant(true);
      return () => this.#sim.pauseTenant(false);
    },
  };

  /** Kubernetes forgets its pods, and half the time the controllers ran on it, too. */
  #loseNode(ms: number): () => void {
    const { world, clusters, controllers } = this.#sim;
    const cluster = this.#chance.pick(clusters);
    cluster.isStuck = true;
    const soon = () => this.#chance.between(0, 0.4) * ms;
    world.after(soon(), () => cluster.collect?.());
    const victims = this.#chance.hits(0.5) ? controllers.filter((each) => each.cluster === cluster) : [];
    for (const victim of victims)
      world.after(soon(), () => victim.process.alive && void this.#replace((it) => it.kill(), ms / 3, victim));
    return () => void (cluster.isStuck = false);
  }

  /** None of a cluster's controllers reaches the store, and somebody deletes its permit meanwhile. */
  #forget(): () => void {
    const { world, timing, controllers } = this.#sim;
    const cluster = this.#place();
    const links = controllers.filter((each) => each.cluster === cluster).map(({ toStore }) => toStore);
    for (const link of links) link.conditions = { ...link.conditions, cutRequests: true, cutReplies: true };
    world.after(this.#chance.between(0.2, 1) * timing.ttlMs, () => cluster.removePermit?.());
    return () => {
      for (const link of links) link.conditions = calm;
    };
  }

  #stick(): () => void {
    const cluster = this.#chance.pick(this.#sim.clusters);
    cluster.isStuck = true;
    return () => void (cluster.isStuck = false);
  }

  get #chance() {
    return this.#sim.world.chance;
  }

  /** A known gap: a loss while some cluster has never heard of the tenant; what its controllers find is a new tenant. */
  #isBirth(fault: Fault): boolean {
    const { clusters } = this.#sim;
    return (
      losses.includes(fault) &&
      clusters.length > 1 &&
      clusters.some(({ permit, hasForgotten }) => permit === undefined || hasForgotten)
    );
  }

  /** Somebody who leads is a more rewarding victim. */
  #victim(): Actor {
    const alive = this.#sim.controllers.filter(({ process }) => process.alive);
    const leader = alive.find((controller) => controller.term !== undefined);
    return leader && this.#chance.hits(0.5)
      ? leader
      : this.#chance.pick(alive.length > 0 ? alive : this.#sim.controllers);
  }

  /** Where somebody leads, more often than elsewhere. */
  #place(): PlayedCluster {
    const { leader, clusters } = this.#sim;
    return leader && this.#chance.hits(0.5) ? leader.cluster : this.#chance.pick(clusters);
  }

  #handOver(): void {
    const { controllers } = this.#sim;
    const to = this.#chance.pick(controllers);
    controllers.find((each) => each.term !== undefined)?.handOver(to.identity);
  }

  #side(): 'toStore' | 'toCluster' {
    return this.#chance.pick(['toStore', 'toCluster']);
  }

  #bend(side: 'toStore' | 'toCluster', how: () => Partial<Conditions>): () => void {
    const links = this.#chance.hits(0.3) ? this.#sim.controllers.map((c) => c[side]) : [this.#victim()[side]];
    for (const link of links) link.conditions = { ...link.conditions, ...how() };
    return () => {
      for (const link of links) link.conditions = calm;
    };
  }

  #cut(): Partial<Conditions> {
    const cut = this.#chance.pick(['requests', 'replies', 'both']);
    return { cutRequests: cut !== 'replies', cutReplies: cut !== 'requests' };
  }

  #fail(server: { down: boolean; hangs: boolean; isDead?: boolean }): () => void {
    const how = this.#chance.pick(['down', 'hangs'] as const);
    server[how] = true;
    return () => void (server[how] = server.isDead === true && how === 'down');
  }

  /** Its controllers are configured anew, one after the other. */
  #prefer(ms: number): () => void {
    const cluster = this.#chance.pick(this.#sim.clusters);
    this.#sim.preferences.set(cluster.id, {
      priority: this.#chance.pick([0, 1, 2]),
      failback: this.#chance.pick(['manual', 'auto', 'auto']),
      failbackDelayMs: this.#chance.skewed(0, 2 * this.#sim.timing.ttlMs),
    });
    const old = this.#sim.controllers.filter((each) => each.cluster === cluster);
    const successors = old.map((each) => this.#replace((controller) => controller.leave(ms), ms, each));
    return () => {
      for (const start of successors) start();
    };
  }

  /** Controllers and containers of a cluster end at once, and come back together. */
  #die(cluster: PlayedCluster): (() => void) | void {
    if (cluster.isDead) return;
    this.#sim.world.note('nemesis', `${cluster.id} loses its power`);
    for (const each of this.#sim.controllers) if (each.cluster === cluster) each.kill();
    cluster.die();
    return () => {
      cluster.isDead = false;
      cluster.down = false;
      for (const machine of this.#sim.machines)
        if (this.#sim.clusterOf(machine) === cluster) this.#sim.startController(machine);
    };
  }

  /** Ends a process; another one starts in its place, now and then before the first is gone. */
  #replace(end: (controller: Actor) => void, ms: number, victim = this.#victim()): () => void {
    end(victim);
    const { world } = this.#sim;
    let done = false;
    const successor = () => {
      const { machine } = victim.process;
      if (done || this.#sim.clusterOf(machine).isDead) return;
      done = true;
      this.#sim.startController(machine);
    };
    world.after(world.chance.skewed(0, ms), successor);
    return successor;
  }
}
