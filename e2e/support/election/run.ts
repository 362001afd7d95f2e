/** Plays one election for a while: faults, recoveries, hand-overs; then looks whether everything held. */
import { setTimeout as sleep } from 'node:timers/promises';
import { median, ms as inMs } from '../../../bench/numbers.ts';
import { Chance } from '../../../operator/sim/chance.ts';
import { violations, type Violation } from './checker.ts';
import { now, tell, type Event } from './history.ts';
import { Deck, Nemesis, type Plan } from './nemesis.ts';
import { CALM_MS, HAND_OVER_MS, PROGRESS_MS } from './settings.ts';
import { openStage, type Stage, type StageOptions } from './stage.ts';
import { STORE_FAULTS } from './stores.ts';

const LOOK_EVERY_MS = 5;
/** A leader writes many times in so long. */
const SILENCE_MS = 250;
/** Without a fault of the store nobody has to wait: everybody has seen the lease by then. */
const PAUSE_MS = 1000;
/** What is told of the time before and after a violation. */
const TOLD_MS = { before: 25_000, after: 1000 };

export interface RunOptions extends Omit<StageOptions, 'onUnexpectedEnd'> {
  readonly seed: number;
  /** How long faults are made; the last round is finished. */
  readonly ms: number;
  /** Ends the run after the round. */
  readonly signal?: AbortSignal;
  readonly say?: (line: string) => void;
}

export interface Report {
  readonly violations: readonly Violation[];
  /** One line. */
  readonly summary: string;
  /** What happened around the first violation; empty when there is none. */
  readonly story: string;
}

/** Ends by itself with the first violation that shows while it is played. */
export async function playElection(options: RunOptions): Promise<Report> {
  await using ending = new AsyncDisposableStack();
  const found: Violation[] = [];
  const onUnexpectedEnd = (detail: string) => void found.push({ property: 'no defect', at: now(), detail });
  const stage = await openStage({ ...options, onUnexpectedEnd }, ending);
  return await new Election(options, stage, found).play();
}

class Election {
  readonly #options: RunOptions;
  readonly #stage: Stage;
  readonly #found: Violation[];
  readonly #nemesis: Nemesis;
  readonly #deck: Deck;
  readonly #began = now();
  readonly #handOvers: number[] = [];
  readonly #recoveries: number[] = [];
  #rounds = 0;

  constructor(options: RunOptions, stage: Stage, found: Violation[]) {
    this.#options = options;
    this.#stage = stage;
    this.#found = found;
    this.#nemesis = new Nemesis(stage.places, stage.store, () => this.#leader());
    this.#deck = new Deck(new Chance(options.seed), stage.store);
  }

  async play(): Promise<Report> {
    const { ms, signal } = this.#options;
    await this.#recover();
    while (now() < this.#began + ms && this.#found.length === 0 && !signal?.aborted) await this.#round();
    if (this.#found.length === 0) await Promise.all(this.#stage.places.map((place) => place.leave()));
    return this.#report();
  }

  async #round(): Promise<void> {
    const plans = this.#deck.round();
    this.#rounds += 1;
    this.#options.say?.(`round ${this.#rounds}: ${plans.map(({ fault }) => fault).join(', ')}`);
    await this.#nemesis.play(plans);
    await this.#recover();
    if (this.#found.length === 0) await this.#handOver(plans);
  }

  /** Somebody leads after everything was healed. */
  async #recover(): Promise<void> {
    const healedAt = now();
    const led = await this.#written(healedAt, () => true, PROGRESS_MS);
    if (led) this.#recoveries.push(led.at - healedAt);
    else this.#fail('progress', `nobody leads ${inMs(PROGRESS_MS)} after everything was healed`);
  }

  /** A leader is asked to leave while nothing else happens. */
  async #handOver(plans: readonly Plan[]): Promise<void> {
    const touchedStore = plans.some(({ fault }) => STORE_FAULTS.some((each) => each === fault));
    await sleep(touchedStore ? CALM_MS : PAUSE_MS);
    const leader = this.#stage.places.find(({ identity }) => identity !== undefined && identity === this.#leader());
    if (!leader) return this.#fail('progress', 'nobody leads although nothing happens');
    const { identity } = leader;
    const askedAt = now();
    const left = leader.leave();
    const next = await this.#written(askedAt, ({ by }) => by !== identity, PROGRESS_MS);
    const took = next ? next.at - askedAt : Infinity;
    if (took > HAND_OVER_MS)
      this.#fail('hand-over', `${identity} was asked to leave, and the next one led after ${inMs(took)}`);
    this.#handOvers.push(took);
    await left;
    await leader.start();
  }

  /** The first write since then that was accepted. */
  async #written(since: number, wanted: (write: Event) => boolean, withinMs: number): Promise<Event | undefined> {
    const { accepted } = this.#stage.standIn;
    for (let from = accepted.length; now() < since + withinMs; await sleep(LOOK_EVERY_MS)) {
      const found = accepted.slice(from).find((write) => write.at > since && wanted(write));
      if (found || this.#found.length > 0) return found;
      from = accepted.length;
    }
    return undefined;
  }

  #leader(): string | undefined {
    const last = this.#stage.standIn.accepted.at(-1);
    return last && now() - last.at < SILENCE_MS ? last.by : undefined;
  }

  #fail(property: Violation['property'], detail: string): void {
    this.#found.push({ property, detail, at: now() });
  }

  #report(): Report {
    const { standIn, places } = this.#stage;
    const all = [...standIn.accepted, ...this.#nemesis.events, ...places.flatMap((place) => place.history())];
    const events = all.toSorted((a, b) => a.at - b.at);
    const found = [...violations(events), ...this.#found].toSorted((a, b) => a.at - b.at);
    const [first] = found;
    const near = ({ at }: Event) => first && at > first.at - TOLD_MS.before && at < first.at + TOLD_MS.after;
    return {
      violations: found,
      summary: this.#summary(events),
      story: first ? [tell(events.filter(near), this.#began), ...places.map(({ output }) => output)].join('\n') : '',
    };
  }

  #summary(events: readonly Event[]): string {
    const count = (kind: Event['kind']) => events.filter((event) => event.kind === kind).length;
    const longest = (values: readonly number[]) => (values.length === 0 ? '–' : inMs(Math.max(...values)));
    return [
      `${this.#options.store}, seed ${this.#options.seed}: ${Math.round((now() - this.#began) / 1000)} s`,
      `${this.#rounds} rounds, ${count('fault')} faults, ${count('elected')} terms`,
      `${count('acted')} writes dispatched, ${count('accepted')} accepted, ${this.#stage.standIn.refused} refused`,
      `leading again after faults within ${longest(this.#recoveries)}`,
      `${this.#handOvers.length} hand-overs, median ${this.#handOvers.length === 0 ? '–' : inMs(median(this.#handOvers))}, longest ${longest(this.#handOvers)}`,
    ].join('; ');
  }
}
