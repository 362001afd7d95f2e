/** Does the harm: rounds of faults that may overlap. What is done, to whom and for how long follows from the seed alone. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chance } from '../../../operator/sim/chance.ts';
import { stamped, type Event } from './history.ts';
import type { Place } from './member-process.ts';
import { TIMING } from './settings.ts';
import { STORE_FAULTS, type Store, type StoreFault } from './stores.ts';

const MEMBER_FAULTS = ['kill', 'freeze', 'black hole', 'reset', 'leave'] as const;
type MemberFault = (typeof MEMBER_FAULTS)[number];
export type Fault = MemberFault | StoreFault;

export interface Plan {
  readonly fault: Fault;
  /** Milliseconds from the start of the round, and how long. */
  readonly afterMs: number;
  readonly lastsMs: number;
  /** Somebody who leads is a more rewarding victim. */
  readonly hitsLeader: boolean;
  /** In [0, 1): which of the others. */
  readonly which: number;
}

/** Each fault once in every pass through the deck, so that a short run has met nearly all. */
export class Deck {
  readonly #chance: Chance;
  readonly #ofMembers: Pile<MemberFault>;
  readonly #ofStore: Pile<StoreFault>;
  #rounds = 0;

  constructor(chance: Chance, store: Store) {
    this.#chance = chance;
    this.#ofMembers = new Pile(chance, MEMBER_FAULTS);
    this.#ofStore = new Pile(
      chance,
      STORE_FAULTS.filter((fault) => store.faults[fault]),
    );
  }

  /** Every other round is the store's too: while all wait because of it, members can do little wrong. */
  round(): readonly Plan[] {
    this.#rounds += 1;
    const faults: Fault[] = this.#rounds % 2 === 0 ? [this.#ofStore.draw()] : [];
    for (const count = this.#chance.pick([2, 3]); faults.length < count;) faults.push(this.#ofMembers.draw());
    return faults.map((fault) => this.#plan(fault));
  }

  #plan(fault: Fault): Plan {
    const chance = this.#chance;
    const [shortest, longest] = LASTS[fault];
    return {
      fault,
      afterMs: chance.between(0, 1500),
      lastsMs: chance.between(shortest, longest) * TIMING.ttlMs,
      hitsLeader: chance.hits(0.7),
      which: chance.next(),
    };
  }
}

/** How long faults last, in ttls. A frozen or cut off leader wakes up beside another one, as a rule. */
const LASTS: Readonly<Record<Fault, readonly [number, number]>> = {
  kill: [0, 1.5],
  freeze: [1.05, 2],
  'black hole': [0.3, 2],
  reset: [0.3, 2],
  leave: [0, 1],
  'store restart': [0, 0.6],
  'store loss': [0, 0.6],
  'store hang': [0.1, 1.2],
};

class Pile<T> {
  readonly #chance: Chance;
  readonly #all: readonly T[];
  #left: T[] = [];

  constructor(chance: Chance, all: readonly T[]) {
    this.#chance = chance;
    this.#all = all;
  }

  draw(): T {
    if (this.#left.length === 0) this.#left = [...this.#all];
    const drawn = this.#chance.pick(this.#left);
    this.#left.splice(this.#left.indexOf(drawn), 1);
    return drawn;
  }
}

function isOfStore(fault: Fault): fault is StoreFault {
  return (STORE_FAULTS as readonly Fault[]).includes(fault);
}

export class Nemesis {
  readonly events: Event[] = [];
  readonly #places: readonly Place[];
  readonly #store: Store;
  readonly #leader: () => string | undefined;
  readonly #harmed = new Set<Place>();

  /** `leader`: the identity of whoever leads, as far as can be seen. */
  constructor(places: readonly Place[], store: Store, leader: () => string | undefined) {
    this.#places = places;
    this.#store = store;
    this.#leader = leader;
  }

  /** Resolves when everything is healed. */
  async play(plans: readonly Plan[]): Promise<void> {
    await Promise.all(plans.map((plan) => this.#harm(plan)));
  }

  async #harm(plan: Plan): Promise<void> {
    await sleep(plan.afterMs);
    if (isOfStore(plan.fault)) {
      await this.#noted(plan.fault, plan.fault, () => this.#store.faults[plan.fault as StoreFault]?.(plan.lastsMs));
      return;
    }
    const victim = this.#victim(plan);
    if (!victim) return;
    this.#harmed.add(victim);
    const what = `${plan.fault} of ${victim.identity ?? victim.name}, ${Math.round(plan.lastsMs)} ms`;
    await this.#noted(plan.fault, what, () => this.#harms[plan.fault as MemberFault](victim, plan.lastsMs));
    this.#harmed.delete(victim);
  }

  async #noted(fault: Fault, what: string, act: () => Promise<void> | undefined): Promise<void> {
    this.events.push(stamped('nemesis', { kind: 'fault', what }));
    await act();
    this.events.push(stamped('nemesis', { kind: 'healed', what: fault }));
  }

  readonly #harms: Readonly<Record<MemberFault, (victim: Place, ms: number) => Promise<void>>> = {
    kill: async (victim, ms) => {
      await victim.kill();
      await sleep(ms);
      await victim.start();
    },
    freeze: async (victim, ms) => {
      victim.freeze();
      await sleep(ms);
      victim.thaw();
    },
    'black hole': async ({ proxy }, ms) => {
      proxy.blackhole();
      await sleep(ms);
      proxy.restore();
    },
    reset: async ({ proxy }, ms) => {
      proxy.reset();
      await sleep(ms);
      proxy.restore();
    },
    leave: async (victim, ms) => {
      await victim.leave();
      await sleep(ms);
      await victim.start();
    },
  };

  #victim({ hitsLeader, which }: Plan): Place | undefined {
    const whole = this.#places.filter((place) => !this.#harmed.has(place));
    const leader = this.#leader();
    const leading = whole.find(({ identity }) => identity !== undefined && identity === leader);
    return hitsLeader && leading ? leading : whole[Math.floor(which * whole.length)];
  }
}
