/** What this process has seen of each Lease object: the only age that a store without a clock can tell. */
import type { Clock } from '../lib/clock.ts';
import type { Cell, Version } from './cell-store.ts';
import { valueOf, versionOf, type LeaseMeta, type LeaseObject } from './kubernetes-lease.ts';

interface Sighting {
  readonly version: Version;
  readonly meta: LeaseMeta;
  /** Monotonic milliseconds. */
  readonly since: number;
}

/** When this process first saw each version of each Lease. */
export class SeenLeases {
  readonly #clock: Clock;
  readonly #seen = new Map<string, Sighting>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The cell, with the time since this process first saw its version. */
  observe(key: string, lease: LeaseObject): Cell {
    const now = this.#clock.monotonic();
    const version = versionOf(lease);
    const known = this.#seen.get(key);
    const seen = known?.version === version ? known : { version, meta: lease.metadata, since: now };
    this.#seen.set(key, seen);
    return { value: valueOf(lease), version, ageMs: now - seen.since };
  }

  /** The object's metadata as of that version; `undefined` when another one was seen last, or none. */
  metaAt(key: string, version: Version): LeaseMeta | undefined {
    const seen = this.#seen.get(key);
    return seen?.version === version ? seen.meta : undefined;
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }

  /** Of the keys that start with `prefix`, only these exist. */
  keepOnly(prefix: string, keys: ReadonlySet<string>): void {
    for (const key of this.#seen.keys()) if (key.startsWith(prefix) && !keys.has(key)) this.#seen.delete(key);
  }

  clear(): void {
    this.#seen.clear();
  }
}
