/**
 * A store on a virtual clock that a test can steer: hang it, make it lose writes, take it back to an earlier state.
 * Everything that a real server can be made to do is tested against the real server.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Call, CellStore, ListedCell, ReadReply, Version, WriteReply } from '../cell-store.ts';

interface Stored {
  readonly value: string;
  readonly version: Version;
  readonly at: number;
}

export type Contents = ReadonlyMap<string, Stored>;

export class MemoryStore implements CellStore {
  readonly kind = 'memory';
  readonly #clock: Clock;
  readonly #hints = new Set<{ readonly key: string; readonly hint: () => void }>();
  #cells = new Map<string, Stored>();
  #sequence = 0;
  incarnation = 'first';
  /** While false, calls run into their deadline. */
  reachable = true;
  /** Whether writes that are carried out are answered. */
  answersWrites = true;
  /** Whether subscribers hear of writes. */
  sendsHints = true;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async read(key: string, call: Call): Promise<ReadReply> {
    await this.#reach(call);
    const cell = this.#cells.get(key);
    return {
      incarnation: this.incarnation,
      storeTimeMs: this.#clock.wall(),
      cell: cell && { value: cell.value, version: cell.version, ageMs: this.#clock.monotonic() - cell.at },
    };
  }

  async write(key: string, value: string, expected: Version | undefined, call: Call): Promise<WriteReply> {
    await this.#reach(call);
    const { incarnation } = this;
    if (this.#cells.get(key)?.version !== expected) return { ok: false, incarnation };
    this.#sequence += 1;
    const version = String(this.#sequence);
    this.#cells.set(key, { value, version, at: this.#clock.monotonic() });
    this.#notify(key);
    if (!this.answersWrites) await this.#hang(call);
    return { ok: true, version, incarnation };
  }

  async remove(key: string, expected: Version, call: Call): Promise<boolean> {
    await this.#reach(call);
    return this.#cells.get(key)?.version === expected && this.#cells.delete(key);
  }

  async list(prefix: string, call: Call): Promise<readonly ListedCell[]> {
    await this.#reach(call);
    const now = this.#clock.monotonic();
    return [...this.#cells]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, { value, version, at }]) => ({ key, value, version, ageMs: now - at }));
  }

  subscribe(key: string, hint: () => void): () => void {
    const entry = { key, hint };
    this.#hints.add(entry);
    return () => void this.#hints.delete(entry);
  }

  async close(): Promise<void> {}

  /** What the store holds now, to go back to later. */
  snapshot(): Contents {
    return new Map(this.#cells);
  }

  /** Goes back to an earlier state, as after a restored backup or the promotion of a replica that lagged. */
  restore(contents: Contents, incarnation = this.incarnation): void {
    this.#cells = new Map(contents);
    this.incarnation = incarnation;
  }

  #notify(key: string): void {
    if (!this.sendsHints) return;
    for (const entry of this.#hints) if (entry.key === key) queueMicrotask(entry.hint);
  }

  async #reach(call: Call): Promise<void> {
    if (!this.reachable) await this.#hang(call);
  }

  async #hang(call: Call): Promise<never> {
    await this.#clock.sleep(call.timeoutMs, call.signal);
    throw new Error(`no answer within ${call.timeoutMs} ms`);
  }
}
