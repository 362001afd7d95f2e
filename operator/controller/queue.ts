/**
 * What is to be looked at: keys, each at most once, however many events named it. A key is never worked on twice at the
 * same time; one that is added while it is worked on comes once more afterwards. Knows keys, not kinds.
 */
import { type BackoffOptions, backoffMs, type Random } from '../lib/backoff.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { ObjectKey } from '../reconcile/reconciler.ts';

/**
 * `normal` is served at once. `low` is a follow-up, which has mostly something to report: it waits until no `normal` key
 * was taken for a moment, so that a burst of new workloads is not held up by the reports of the first of them, and that
 * an object that changes in quick steps is looked at once.
 */
export type Priority = 'normal' | 'low';

/** For metrics. */
export interface QueueObserver {
  added?(): void;
  retried?(): void;
  /** Keys that wait, after a change. */
  depth?(keys: number): void;
  /** Milliseconds that a key waited until a worker took it. */
  waited?(ms: number): void;
}

/** What the queue needs, and how it backs off. */
export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Per key, for `addRateLimited`; 50 ms to 60 s unless told. */
  readonly backoff?: BackoffOptions;
  readonly observer?: QueueObserver;
}

interface Entry {
  readonly key: ObjectKey;
  readonly id: string;
  /** Where it waits; undefined when it does not. */
  waiting: Priority | undefined;
  waitingSince: number;
  processing: boolean;
  /** Added while it was worked on. */
  again: Priority | undefined;
  timer: { readonly timer: Timer; readonly dueAt: number } | undefined;
  failures: number;
}

const BACKOFF: BackoffOptions = { baseMs: 50, maxMs: 60_000 };
/** A follow-up waits until it was quiet for so long, but no longer than the second figure; milliseconds. */
const QUIET_MS = 200;
const FOLLOW_UP_MS = 5000;
/** So many keys of `normal` in a row, and a follow-up that is due has its turn: nothing starves. */
const NORMAL_IN_A_ROW = 16;

/** Keys that wait for a worker, in two priorities. */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #waiting = { normal: new Map<string, Entry>(), low: new Map<string, Entry>() } as const;
  readonly #takers: ((entry: Entry | undefined) => void)[] = [];
  #idle: (() => void)[] = [];
  #normalInARow = 0;
  #normalTakenAt = Number.NEGATIVE_INFINITY;
  #followUp: Timer | undefined;
  #processing = 0;
  #isShutDown = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Keys that wait for a worker; those with a delay do not count. */
  get depth(): number {
    return this.#waiting.normal.size + this.#waiting.low.size;
  }

  /** Milliseconds that the oldest waiting key has waited; 0 when none waits. */
  get oldestAgeMs(): number {
    const since = [...this.#firstOf('normal'), ...this.#firstOf('low')].map((entry) => entry.waitingSince);
    return since.length === 0 ? 0 : this.#options.clock.monotonic() - Math.min(...since);
  }

  /** Adds a key. One that waits as `low` moves up when added as `normal`. */
  add(key: ObjectKey, priority: Priority = 'normal'): void {
    if (this.#isShutDown) return;
    this.#options.observer?.added?.();
    this.#makeReady(this.#entry(key), priority);
  }

  /** Adds a key after `ms` milliseconds; of several delays the earliest counts. */
  addAfter(key: ObjectKey, ms: number): void {
    if (this.#isShutDown) return;
    if (ms <= 0) return this.add(key);
    const entry = this.#entry(key);
    const dueAt = this.#options.clock.monotonic() + ms;
    if (entry.timer && entry.timer.dueAt <= dueAt) return;
    entry.timer?.timer.cancel();
    const timer = this.#options.clock.after(ms, () => {
      entry.timer = undefined;
      this.#options.observer?.added?.();
      this.#makeReady(entry, 'normal');
    });
    entry.timer = { timer, dueAt };
  }

  /** Adds a key after its back-off, which grows until `forget`, or after `atLeastMs`. Returns the delay, milliseconds. */
  addRateLimited(key: ObjectKey, atLeastMs = 0): number {
    if (this.#isShutDown) return 0;
    const entry = this.#entry(key);
    const delay = Math.max(
      atLeastMs,
      backoffMs(entry.failures++, this.#options.backoff ?? BACKOFF, this.#options.random),
    );
    this.#options.observer?.retried?.();
    this.addAfter(key, delay);
    return delay;
  }

  /** Ends a key's back-off: it did well. */
  forget(key: ObjectKey): void {
    const entry = this.#entries.get(idOf(key));
    if (!entry) return;
    entry.failures = 0;
    this.#tidy(entry);
  }

  /** Failures of a key in a row. */
  failures(key: ObjectKey): number {
    return this.#entries.get(idOf(key))?.failures ?? 0;
  }

  /** The next key, when there is one; undefined after `shutdown`. Whoever took it must call `done`. */
  async take(): Promise<ObjectKey | undefined> {
    if (this.#isShutDown) return undefined;
    const entry = await new Promise<Entry | undefined>((resolve) => {
      this.#takers.push(resolve);
      this.#serve();
    });
    return entry?.key;
  }

  /** Ends the work on a key. */
  done(key: ObjectKey): void {
    const entry = this.#entries.get(idOf(key));
    if (!entry?.processing) return;
    entry.processing = false;
    this.#processing--;
    const again = entry.again;
    entry.again = undefined;
    if (again) this.#makeReady(entry, again);
    else this.#tidy(entry);
    if (this.#processing === 0) for (const wake of this.#idle.splice(0)) wake();
  }

  /** Drops all keys, delays and back-offs; what is worked on goes on, but does not come again. */
  clear(): void {
    for (const entry of this.#entries.values()) {
      entry.timer?.timer.cancel();
      Object.assign(entry, { timer: undefined, waiting: undefined, again: undefined, failures: 0 });
      this.#tidy(entry);
    }
    this.#waiting.normal.clear();
    this.#waiting.low.clear();
    this.#followUp?.cancel();
    this.#options.observer?.depth?.(0);
  }

  /** Ends the queue: `take` gives no more keys. Resolves when nothing is worked on any more. */
  async shutdown(): Promise<void> {
    this.#isShutDown = true;
    this.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
    if (this.#processing > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #entry(key: ObjectKey): Entry {
    const id = idOf(key);
    let entry = this.#entries.get(id);
    if (!entry) {
      entry = {
        key,
        id,
        waiting: undefined,
        waitingSince: 0,
        processing: false,
        again: undefined,
        timer: undefined,
        failures: 0,
      };
      this.#entries.set(id, entry);
    }
    return entry;
  }

  #makeReady(entry: Entry, priority: Priority): void {
    if (entry.processing) {
      entry.again = entry.again === 'normal' ? 'normal' : priority;
      return;
    }
    if (entry.waiting === 'normal' || entry.waiting === priority) return;
    if (entry.waiting) this.#waiting[entry.waiting].delete(entry.id);
    else entry.waitingSince = this.#options.clock.monotonic();
    entry.waiting = priority;
    this.#waiting[priority].set(entry.id, entry);
    this.#serve();
    if (entry.waiting) this.#options.observer?.depth?.(this.depth);
  }

  /** Gives to those who wait what may be given now, and comes back when the next follow-up is due. */
  #serve(): void {
    while (this.#takers.length > 0) {
      const entry = this.#next();
      if (!entry) break;
      this.#takers.shift()?.(entry);
    }
    this.#followUp?.cancel();
    const [low] = this.#firstOf('low');
    if (!low || this.#takers.length === 0) return;
    const { clock } = this.#options;
    this.#followUp = clock.after(this.#dueAt(low) - clock.monotonic(), () => this.#serve());
  }

  #next(): Entry | undefined {
    const now = this.#options.clock.monotonic();
    const [normal] = this.#firstOf('normal');
    const [low] = this.#firstOf('low').filter((each) => this.#dueAt(each) <= now);
    const entry = this.#normalInARow >= NORMAL_IN_A_ROW ? (low ?? normal) : (normal ?? low);
    if (!entry) return undefined;
    this.#normalInARow = entry === normal && low ? this.#normalInARow + 1 : 0;
    if (entry === normal) this.#normalTakenAt = now;
    this.#handOut(entry, now);
    return entry;
  }

  #handOut(entry: Entry, now: number): void {
    if (entry.waiting) this.#waiting[entry.waiting].delete(entry.id);
    entry.waiting = undefined;
    entry.processing = true;
    this.#processing++;
    this.#options.observer?.waited?.(now - entry.waitingSince);
    this.#options.observer?.depth?.(this.depth);
  }

  #dueAt({ waitingSince }: Entry): number {
    return Math.min(Math.max(waitingSince, this.#normalTakenAt) + QUIET_MS, waitingSince + FOLLOW_UP_MS);
  }

  #firstOf(priority: Priority): readonly Entry[] {
    for (const entry of this.#waiting[priority].values()) return [entry];
    return [];
  }

  /** Forgets a key about which nothing is known any more, so that deleted objects leave no trace. */
  #tidy(entry: Entry): void {
    if (!entry.processing && !entry.waiting && !entry.timer && entry.failures === 0) this.#entries.delete(entry.id);
  }
}

function idOf(key: ObjectKey): string {
  return `${key.namespace}/${key.name}`;
}
