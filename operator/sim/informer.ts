/**
 * What one process knows of a cluster's objects: a list, then a watch that lags, breaks with its connection, and is
 * begun anew. Stands for the reflector; its answers are old, never reordered.
 */
import { podGraceMs } from '../api/grace.ts';
import type { KubeObject } from '../cluster/cluster-client.ts';
import type { Change, Objects } from './objects.ts';
import { termOf } from './objects.ts';
import type { Link } from './link.ts';
import type { Process } from './machine.ts';

const RELIST_MS = 1000;
const LIST_TIMEOUT_MS = 3000;

/** The cache of one process. */
export class Informer {
  /** Longest lag of an event, milliseconds. */
  lagMs = 50;
  /** Hears of each object that has gone, as it was known last. */
  onGone: (last: KubeObject) => void = () => {};
  readonly #process: Process;
  readonly #objects: Objects;
  readonly #link: Link;
  readonly #known = new Map<string, KubeObject>();
  /** Events that came before the list that they follow. */
  readonly #early: Change[] = [];
  readonly #gone = new Set<string | undefined>();
  /** Events up to that version are older than the list. */
  #listedAt = 0;
  #synced = false;
  /** An event did not arrive. */
  #hasGap = false;
  #lastArrival = 0;
  #unwatch: () => void = () => {};

  constructor(process: Process, objects: Objects, link: Link) {
    this.#process = process;
    this.#objects = objects;
    this.#link = link;
  }

  get ready(): boolean {
    return this.#synced;
  }

  get highestStamp(): number {
    let highest = 0;
    for (const object of this.#known.values()) highest = Math.max(highest, termOf(object));
    return highest;
  }

  /** Milliseconds; 0 when there is none. */
  get longestGraceMs(): number {
    return Math.max(0, ...[...this.#known.values()].map(podGraceMs));
  }

  list(): readonly KubeObject[] {
    return [...this.#known.values()];
  }

  get(name: string): KubeObject | undefined {
    return this.#known.get(name);
  }

  /** Takes the reply to a call of ours, if it is newer. An object whose deletion was seen does not come back. */
  observe(object: KubeObject): void {
    if (this.#gone.has(object.metadata.uid)) return;
    const known = this.#known.get(object.metadata.name);
    if (!known || versionOf(known) < versionOf(object)) this.#known.set(object.metadata.name, object);
  }

  async run(): Promise<void> {
    const { clock } = this.#process;
    while (this.#process.alive) {
      if (!this.#synced) await this.#list().catch(() => {});
      await clock.sleep(RELIST_MS);
      if (this.#hasGap || this.#link.conditions.cutReplies || this.#link.conditions.cutRequests) this.#broken();
    }
  }

  stop(): void {
    this.#unwatch();
  }

  async #list(): Promise<void> {
    const found = await this.#link.call(
      () => {
        this.#watch();
        return { version: this.#objects.version, objects: [...this.#objects.all.values()] };
      },
      { timeoutMs: LIST_TIMEOUT_MS },
    );
    this.#listedAt = found.version;
    const listed = new Set(found.objects.map(({ metadata }) => metadata.uid));
    const gone = [...this.#known.values()].filter(({ metadata }) => !listed.has(metadata.uid));
    for (const last of gone) this.#gone.add(last.metadata.uid);
    this.#known.clear();
    for (const object of found.objects) this.#known.set(object.metadata.name, object);
    this.#synced = true;
    for (const last of gone) this.onGone(last);
    for (const change of this.#early.splice(0)) this.#take(change);
  }

  #watch(): void {
    this.#unwatch();
    const { world } = this.#process.machine;
    this.#unwatch = this.#objects.watch((change) => {
      const arrival = Math.max(this.#lastArrival, world.now + world.chance.skewed(1, this.lagMs));
      this.#lastArrival = arrival;
      world.at(arrival, () => this.#arrived(change));
    });
  }

  #arrived(change: Change): void {
    if (this.#link.conditions.cutReplies) {
      this.#hasGap = true;
      return;
    }
    this.#process.deliver(() => (this.#synced ? this.#take(change) : void this.#early.push(change)));
  }

  #take({ name, uid, object, version }: Change): void {
    if (!object) this.#gone.add(uid);
    const known = this.#known.get(name);
    if (version <= this.#listedAt || (known && versionOf(known) > version)) return;
    if (object) this.#known.set(name, object);
    else if (known) this.#forget(known);
  }

  #forget(known: KubeObject): void {
    this.#known.delete(known.metadata.name);
    this.onGone(known);
  }

  #broken(): void {
    this.#synced = false;
    this.#hasGap = false;
    this.#early.length = 0;
    this.#unwatch();
  }
}

function versionOf(object: KubeObject): number {
  return Number(object.metadata.resourceVersion ?? 0);
}
