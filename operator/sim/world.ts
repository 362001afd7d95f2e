/**
 * The virtual timeline: what happens, in the order of true time. Between two events all promise work that follows from
 * the first is done, without a turn of the real event loop, so that a run is a function of its seed.
 */
import type { Chance } from './chance.ts';
import type { Trace } from './trace.ts';

interface Event {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/** The timeline of one run. */
export class World {
  /** True time, milliseconds since the start of the run. */
  now = 0;
  readonly chance: Chance;
  readonly trace: Trace;
  readonly #heap: Event[] = [];
  #order = 0;

  constructor(chance: Chance, trace: Trace) {
    this.chance = chance;
    this.trace = trace;
  }

  /** Events of one time fire in the order in which they were asked for. */
  at(time: number, fire: () => void): void {
    const event = { at: Math.max(this.now, time), order: this.#order++, fire };
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1);
  }

  after(ms: number, fire: () => void): void {
    this.at(this.now + ms, fire);
  }

  note(who: string, what: string): void {
    this.trace.add(this.now, who, what);
  }

  /** Runs until true time `end`, or until `after`, called once after each event, says true. */
  run(end: number, after: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const guarded = (act: () => void) => () => {
        try {
          act();
        } catch (error) {
          reject(error);
        }
      };
      const settled = guarded(() => (after() ? resolve() : step()));
      const step = guarded(() => {
        const next = this.#heap[0];
        if (!next || next.at > end) {
          this.now = end;
          return resolve();
        }
        this.#take();
        this.now = next.at;
        next.fire();
        // A microtask that asks for a tick: ticks come when no microtask is left.
        queueMicrotask(() => process.nextTick(settled));
      });
      process.nextTick(step);
    });
  }

  #take(): void {
    const last = this.#heap.pop();
    if (!last || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(start: number): void {
    for (let i = start; i > 0;) {
      const parent = (i - 1) >> 1;
      if (!this.#swapIfEarlier(i, parent)) return;
      i = parent;
    }
  }

  #sink(start: number): void {
    for (let i = start; ;) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      const child = right < this.#heap.length && this.#isEarlier(right, left) ? right : left;
      if (child >= this.#heap.length || !this.#swapIfEarlier(child, i)) return;
      i = child;
    }
  }

  #swapIfEarlier(child: number, parent: number): boolean {
    if (!this.#isEarlier(child, parent)) return false;
    const [a, b] = [this.#heap[child], this.#heap[parent]];
    if (!a || !b) return false;
    this.#heap[child] = b;
    this.#heap[parent] = a;
    return true;
  }

  #isEarlier(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    return a !== undefined && b !== undefined && (a.at < b.at || (a.at === b.at && a.order < b.order));
  }
}
