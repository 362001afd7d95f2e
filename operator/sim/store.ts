/**
 * A model of a store: cells that change by compare-and-set, a clock of its own that may be set back, and the ways in which
 * stores lose what they had acknowledged. Linearizable as long as none of those is used.
 */
import type { Call, CellStore, ListedCell, ReadReply, Version, WriteReply } from '../lease/cell-store.ts';
import { cellKeys } from '../lease/cell-store.ts';
import type { LeaseRecord } from '../leadership/lease-record.ts';
import type { Availability, Link } from './link.ts';
import type { Process } from './machine.ts';
import { EPOCH } from './machine.ts';
import type { World } from './world.ts';

interface Stored {
  readonly value: string;
  readonly version: Version;
  /** By the store's clock. */
  readonly writtenAt: number;
  readonly trueTime: number;
}

interface Connection {
  readonly key: string;
  readonly process: Process;
  readonly link: Link;
  readonly hint: () => void;
}

/** One acknowledged change, and what to put back to undo it. */
interface Change {
  readonly at: number;
  readonly before: ReadonlyMap<string, Stored>;
}

/** `server`: age by the store's own clock. `observer`: time since the reader first saw the version, as with Kubernetes. */
export type AgeBy = 'server' | 'observer';

/** How far back a backup can go, true milliseconds. */
const HISTORY_MS = 120_000;
const LEASE = cellKeys.lease('default');

/** A store that can fail in each way that a real one can. */
export class SimStore implements Availability {
  down = false;
  hangs = false;
  /** Probability that a hint arrives. */
  hints = 1;
  /** How many times acknowledged writes were lost, or clients had to think so. */
  losses = 0;
  /** How many times its clock was set. */
  jumps = 0;
  incarnation = 'i1';
  /** Keys of writes that met another version than they expected. */
  readonly refused = new Set<string>();
  readonly ageBy: AgeBy;
  readonly #world: World;
  readonly #rate: number;
  #offset = 0;
  #cells: ReadonlyMap<string, Stored> = new Map();
  #history: Change[] = [];
  #sequence = 0;
  #incarnations = 1;
  readonly #connections = new Set<Connection>();

  constructor(world: World, ageBy: AgeBy, rate: number) {
    this.#world = world;
    this.ageBy = ageBy;
    this.#rate = rate;
  }

  /** Milliseconds since the epoch by its own clock. */
  get time(): number {
    return EPOCH + this.#offset + this.#rate * this.#world.now;
  }

  /** The store as one process reaches it. */
  connect(process: Process, link: Link): CellStore {
    const seen = new Map<string, { version: Version; at: number }>();
    return {
      kind: 'simulated',
      read: async (key, call) => {
        const reply = await link.call(() => this.#read(key), call);
        return this.ageBy === 'server' ? reply : agedByObserver(reply, key, seen, process.clock.monotonic());
      },
      write: (key, value, expected, call) => link.call(() => this.#write(key, value, expected), call),
      remove: (key, expected, call) => link.call(() => this.#remove(key, expected), call),
      list: (prefix, call: Call) => link.call(() => this.#list(prefix), call),
      subscribe: (key, hint) => {
        const connection = { key, process, link, hint };
        this.#connections.add(connection);
        return () => void this.#connections.delete(connection);
      },
      close: async () => {},
    };
  }

  /** When the cell was last written, true milliseconds; undefined when it is absent. */
  writtenAt(key: string): number | undefined {
    return this.#cells.get(key)?.trueTime;
  }

  get lease(): LeaseRecord | undefined {
    const lease = this.#cells.get(LEASE);
    return lease && (JSON.parse(lease.value) as LeaseRecord);
  }

  /** Identity in the lease. */
  get holder(): string | undefined {
    return this.lease?.holder ?? undefined;
  }

  /** Sets its clock. */
  jumpClock(ms: number): void {
    this.#note(`clock jumps by ${ms} ms`);
    this.#offset += ms;
    this.jumps += 1;
  }

  /** Starts anew without having lost anything; clients cannot know that. */
  restart(): void {
    this.#note('restarts');
    this.#newIncarnation();
  }

  /** A replica that lagged by `ms` is promoted, or a backup of that age restored. */
  goBack(ms: number, sameIncarnation = false): void {
    const since = this.#world.now - ms;
    const first = this.#history.find((change) => change.at >= since);
    this.#note(`goes back by ${Math.round(ms)} ms${sameIncarnation ? ' under the same incarnation' : ''}`);
    if (!sameIncarnation) this.#newIncarnation();
    if (first) this.#replace(first.before);
  }

  /** FLUSHALL: everything is gone, and the incarnation is the same. */
  flush(): void {
    this.#note('loses everything');
    this.#replace(new Map());
  }

  /** Somebody writes a cell by hand. */
  overwrite(key: string, change: (value: string) => string): void {
    const cell = this.#cells.get(key);
    if (!cell) return;
    this.#note(`has ${key} written by hand`);
    this.#change((cells) => cells.set(key, { ...cell, value: change(cell.value), version: `${cell.version}'` }));
  }

  /** Somebody writes a cell, whether it is there or not, as the production code would. */
  put(key: string, change: (value: string | undefined) => string): void {
    this.#write(key, change(this.#cells.get(key)?.value), this.#cells.get(key)?.version);
  }

  #replace(cells: ReadonlyMap<string, Stored>): void {
    this.losses += 1;
    this.#history = [];
    this.#cells = cells;
  }

  #newIncarnation(): void {
    this.losses += 1;
    this.#incarnations += 1;
    this.incarnation = `i${this.#incarnations}`;
  }

  #read(key: string): ReadReply {
    const { incarnation, time } = this;
    const cell = this.#cells.get(key);
    if (!cell) return { incarnation, storeTimeMs: time, cell: undefined };
    const { value, version } = cell;
    return { incarnation, storeTimeMs: time, cell: { value, version, ageMs: this.#age(cell) } };
  }

  #write(key: string, value: string, expected: Version | undefined): WriteReply {
    const { incarnation } = this;
    if (this.#cells.get(key)?.version !== expected) {
      this.refused.add(key);
      return { ok: false, incarnation };
    }
    this.#sequence += 1;
    const version = `v${this.#sequence}`;
    this.#change((cells) => cells.set(key, { value, version, writtenAt: this.time, trueTime: this.#world.now }));
    this.#notify(key);
    return { ok: true, version, incarnation };
  }

  #remove(key: string, expected: Version): boolean {
    if (this.#cells.get(key)?.version !== expected) return false;
    this.#change((cells) => cells.delete(key));
    this.#notify(key);
    return true;
  }

  #list(prefix: string): readonly ListedCell[] {
    return [...this.#cells]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, cell]) => ({ key, value: cell.value, version: cell.version, ageMs: this.#age(cell) }));
  }

  #age({ writtenAt }: Stored): number {
    return Math.max(0, this.time - writtenAt);
  }

  #change(apply: (cells: Map<string, Stored>) => void): void {
    const at = this.#world.now;
    this.#history.push({ at, before: this.#cells });
    if ((this.#history[0]?.at ?? at) < at - HISTORY_MS) this.#history.shift();
    const next = new Map(this.#cells);
    apply(next);
    this.#cells = next;
  }

  #notify(key: string): void {
    const { chance } = this.#world;
    for (const { key: wanted, process, link, hint } of this.#connections) {
      if (wanted !== key || link.conditions.cutReplies || !chance.hits(this.hints)) continue;
      this.#world.after(chance.skewed(...link.conditions.latencyMs), () => process.deliver(hint));
    }
  }

  #note(what: string): void {
    this.#world.note('store', what);
  }
}

function agedByObserver(
  reply: ReadReply,
  key: string,
  seen: Map<string, { version: Version; at: number }>,
  now: number,
): ReadReply {
  const { cell } = reply;
  if (!cell) {
    seen.delete(key);
    return reply;
  }
  const known = seen.get(key);
  const first = known?.version === cell.version ? known : { version: cell.version, at: now };
  seen.set(key, first);
  return { ...reply, cell: { ...cell, ageMs: now - first.at } };
}
