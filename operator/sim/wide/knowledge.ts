/**
 * Which containers a controller must know of that starts when their pods have no objects any more: those that a colleague
 * had the time to note.
 */
import type { CheckedController } from '../checker.ts';
import type { World } from '../world.ts';

const LOOK_MS = 1000;
/** How long a controller that works may take until it has noted what runs: its watch, a pause between two looks, a conflict. */
const NOTED_MS = 20_000;

/** Who must know of which containers. */
export interface KnowledgeOptions {
  readonly world: World;
  /** Those of the cluster. */
  readonly controllers: () => readonly CheckedController[];
  /** Uids of the containers whose pods have objects. */
  readonly seen: () => readonly string[];
  /** True time since when there is a reason to note anything. */
  readonly from: () => number;
}

/** Checks that controllers remember what runs on without an object. */
export class Knowledge {
  readonly #options: KnowledgeOptions;
  /** By identity: since when it has worked without a break. True time, as all here. */
  #workingSince = new Map<string, number>();
  #seenSince = new Map<string, number>();
  readonly #noted = new Set<string>();

  constructor(options: KnowledgeOptions) {
    this.#options = options;
    this.#look();
  }

  has(uid: string): boolean {
    return this.#noted.has(uid);
  }

  #look(): void {
    const { world, controllers, seen, from } = this.#options;
    const working = controllers().filter(({ isWorking }) => isWorking);
    const since = (of: ReadonlyMap<string, number>, keys: readonly string[]) =>
      new Map(keys.map((key) => [key, of.get(key) ?? world.now]));
    this.#workingSince = since(
      this.#workingSince,
      working.map(({ identity }) => identity),
    );
    this.#seenSince = since(this.#seenSince, seen());
    const first = Math.min(...this.#workingSince.values());
    for (const [uid, at] of this.#seenSince)
      if (world.now > Math.max(first, at, from()) + NOTED_MS) this.#noted.add(uid);
    world.after(LOOK_MS, () => this.#look());
  }
}
