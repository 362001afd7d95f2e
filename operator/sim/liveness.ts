/**
 * Somebody acts while any controller could. A controller could when nothing hinders it: its process, its machine's clocks,
 * its cluster, the store and the ways to both. Sampled.
 */
import type { LeaseRecord } from '../leadership/lease-record.ts';
import type { Actor } from './actor.ts';
import type { CheckedCluster, Checker } from './checker.ts';
import type { Availability } from './link.ts';
import { calm } from './link.ts';
import type { World } from './world.ts';

const LOOK_MS = 250;

/** What could hinder somebody from acting, and how long it may take. */
export interface LivenessOptions {
  readonly world: World;
  readonly checker: Checker;
  readonly store: Availability & { readonly losses: number; readonly lease: LeaseRecord | undefined };
  readonly clusters: readonly CheckedCluster[];
  readonly isStrict: boolean;
  /** How long it may take, milliseconds. */
  readonly boundMs: () => number;
}

/** Measures for how long nobody has acted who could. */
export class Liveness {
  readonly #options: LivenessOptions;
  /** True times, as all here. */
  #lookedAt = -Infinity;
  #nobodySince = 0;
  #couldSince: ReadonlyMap<string, number> = new Map();
  #losses = 0;
  /** The longest time so far in which nobody acted although somebody could. Milliseconds. */
  worstMs = 0;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  look(controllers: readonly Actor[]): void {
    const { world, checker, boundMs } = this.#options;
    if (world.now < this.#lookedAt + LOOK_MS) return;
    this.#lookedAt = world.now;
    if (this.#mustBeginAnew(controllers)) this.#nobodySince = world.now;
    const able = controllers.filter((each) => this.#could(each));
    this.#couldSince = new Map(able.map(({ identity }) => [identity, this.#couldSince.get(identity) ?? world.now]));
    const [first] = [...this.#couldSince].toSorted(([, a], [, b]) => a - b);
    if (!first) return;
    const ms = world.now - Math.max(first[1], this.#nobodySince);
    this.worstMs = Math.max(this.worstMs, ms);
    if (ms > boundMs()) checker.fail('somebody acts', `nobody has for ${Math.round(ms)} ms, though ${first[0]} could`);
  }

  /** Somebody acts; or a wait began that is due, or has no end. */
  #mustBeginAnew(controllers: readonly Actor[]): boolean {
    const { store, clusters, isStrict } = this.#options;
    const hasLost = store.losses !== this.#losses;
    this.#losses = store.losses;
    const isAttended = (cluster: CheckedCluster) =>
      controllers.some((each) => each.cluster === cluster && this.#isUnhindered(each));
    return hasLost || controllers.some(acts) || (isStrict && !clusters.every(isAttended));
  }

  #could(controller: Actor): boolean {
    const { lease } = this.#options.store;
    const isOutside = lease?.scope === 'single' && lease.cluster.id !== controller.cluster.id;
    return !isOutside && !controller.mayNotLead && this.#isUnhindered(controller);
  }

  #isUnhindered({ isWorking, toStore }: Actor): boolean {
    const { store } = this.#options;
    return isWorking && toStore.conditions === calm && !store.down && !store.hangs;
  }
}

/** Also where nobody else can tell, because its clocks have deceived it. */
function acts(controller: Actor): boolean {
  const { machine } = controller.process;
  const isDeceived = machine.isFooled && !machine.isFrozen && !machine.isBusy;
  return controller.mayAct() || (isDeceived && controller.term !== undefined);
}
