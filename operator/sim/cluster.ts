/**
 * A model of a cluster: an API server with uids, resource versions and preconditions, a kubelet that takes its time, and
 * the tenant's permit, which it enforces by its own clock. Objects are never changed in place.
 */
import type { DeleteOptions, KubeObject } from '../cluster/cluster-client.ts';
import { ApiError } from '../cluster/cluster-client.ts';
import type { Permit } from '../leadership/permit.ts';
import { hasEnded } from '../leadership/permit.ts';
import { wholeSeconds } from './permit-trace.ts';
import type { PermitStore, Workloads } from '../leadership/ports.ts';
import type { Call } from '../lease/cell-store.ts';
import { podGraceMs } from '../api/grace.ts';
import type { BatchPatch } from './batch.ts';
import { SimBatch } from './batch.ts';
import type { Checker } from './checker.ts';
import type { Link } from './link.ts';
import { EPOCH } from './machine.ts';
import { Objects, termOf } from './objects.ts';
import { PermitTrace } from './permit-trace.ts';
import type { ClusterOptions, PlayedCluster } from './play.ts';
import type { World } from './world.ts';

interface MergePatch {
  readonly metadata: KubeObject['metadata'];
}

/** Longest that a kubelet which was cut off takes to notice what was removed meanwhile. */
const NOTICE_MS = 9000;

/** What a kubelet says last. */
const ENDED = { status: { phase: 'Succeeded' } };

interface Parking {
  /** As of when it was decided. */
  readonly isNeedless: boolean;
}

/** A cluster of the narrow model. */
export class SimCluster implements PlayedCluster {
  down = false;
  hangs = false;
  isDead = false;
  readonly id: string;
  /** Grace of the pods that are made from now on: a container takes as long to end at most. Milliseconds. */
  graceMs: number;
  /** The kubelet ends nothing, and its node does not say that it lives. */
  isStuck = false;
  /** Workloads whose pod it does not end. */
  readonly stuckPods = new Set<string>();
  readonly #rate: number;
  readonly #offsetMs: number;
  #permitVersion = 0;
  readonly #permits: PermitTrace;
  readonly #world: World;
  readonly #checker: Checker;
  readonly pods: Objects;
  readonly batch: SimBatch | undefined;
  /** Template version wanted, by workload: what the custom resources say. */
  readonly #wanted = new Map<string, number>();
  #renewal = '';
  /** By controller: since when the permit was good, as its last write of it was answered. */
  readonly #toldGood = new Map<string, number | undefined>();

  constructor(world: World, checker: Checker, options: ClusterOptions) {
    this.#world = world;
    this.#checker = checker;
    this.id = options.id;
    this.#permits = new PermitTrace(world, checker, this);
    this.pods = new Objects(options.id);
    this.graceMs = options.graceMs;
    this.#rate = options.rate;
    this.#offsetMs = options.offsetMs;
    this.batch = options.catchUp && new SimBatch(world, checker, this, options.catchUp);
  }

  /** Milliseconds since the epoch by the clock of its API server. */
  get time(): number {
    return EPOCH + this.#offsetMs + this.#rate * this.#world.now;
  }

  get rate(): number {
    return this.#rate;
  }

  get permit(): Permit | undefined {
    return this.#permits.permit;
  }

  get lapsesAt(): number {
    return this.#permits.lapsesAt;
  }

  get goodSince(): number {
    return this.#permits.goodSince;
  }

  get limitedAt(): number {
    return this.#permits.limitedAt;
  }

  get hasCron(): boolean {
    return this.batch !== undefined;
  }

  date(): string {
    return new Date(this.time).toUTCString();
  }

  /** As the admission policy does: whole seconds, and nothing without a permit. */
  get refusesPods(): boolean {
    return this.permit === undefined || hasEnded(this.permit, wholeSeconds(this.time));
  }

  get wanted(): ReadonlyMap<string, number> {
    return this.#wanted;
  }

  get objects(): ReadonlyMap<string, KubeObject> {
    return this.pods.all;
  }

  want(workload: string, template: number): void {
    this.#wanted.set(workload, template);
  }

  permitStore(by: string, link: Link): PermitStore {
    return {
      read: (call) =>
        link.call(() => this.permit && { permit: this.permit, version: String(this.#permitVersion) }, call),
      write: async (permit, expected, call) => {
        const write = () => ({ version: this.#writePermit(permit, expected), goodSince: this.#isGoodSince });
        const { version, goodSince } = await link.call(write, call);
        if (version !== undefined) this.#toldGood.set(by, goodSince);
        return version;
      },
    };
  }

  /** Whether a write of this controller has been acknowledged that left the permit good, without a gap since. */
  isToldGood(by: string): boolean {
    return this.#isGoodSince !== undefined && this.#toldGood.get(by) === this.#isGoodSince;
  }

  get #isGoodSince(): number | undefined {
    return this.lapsesAt > this.#world.now ? this.goodSince : undefined;
  }

  /** `awaited`: pods that have no object any more, and may run on. */
  workloads(by: string, link: Link, awaited: () => readonly string[]): Pick<Workloads, 'park' | 'running'> {
    const list = (call: Call) => link.call(() => [...this.objects.values()], call);
    return {
      park: async (call) => {
        const parking = { isNeedless: this.#checker.isNeedless(this, by) };
        const suspend = ({ name, patch }: { readonly name: string; readonly patch: BatchPatch }) =>
          link.call(() => {
            this.batch?.patch(by, name, patch);
            this.#checker.parked(this, by, parking.isNeedless);
          }, call);
        const stop = ({ metadata: { name, uid = '', resourceVersion = '' } }: KubeObject) =>
          link.call(() => void this.delete(by, name, { preconditions: { uid, resourceVersion } }, parking), call);
        const makers = this.batch ? await link.call(() => this.batch?.parkings ?? [], call) : [];
        const live = (await list(call)).filter(({ metadata }) => !metadata.deletionTimestamp);
        const asked = await Promise.allSettled([...makers.map(suspend), ...live.map(stop)]);
        for (const each of asked) if (each.status === 'rejected') throw each.reason;
      },
      running: async (call) => {
        const made = this.batch ? await link.call(() => this.batch?.running ?? [], call) : [];
        return [...made, ...(await list(call)).map(({ metadata }) => metadata.name), ...awaited()];
      },
    };
  }

  #writePermit(permit: Permit, expected: string | undefined): string | undefined {
    if (expected !== (this.permit && String(this.#permitVersion))) return undefined;
    this.#permits.written(permit);
    return String(++this.#permitVersion);
  }

  create(by: string, object: KubeObject): KubeObject {
    if (this.refusesPods) throw new ApiError(403, 'Forbidden', `the permit of ${this.id} has ended`);
    const made = this.pods.make(object);
    this.#world.note(by, `creates ${made.metadata.name} in term ${termOf(made)}`);
    this.#checker.accepted(by, made, undefined);
    this.#checker.started(this, made);
    return made;
  }

  patch(by: string, name: string, { metadata }: MergePatch): KubeObject {
    const old = this.pods.find(name, metadata);
    const changed = this.pods.put({
      ...old,
      metadata: { ...old.metadata, annotations: { ...old.metadata.annotations, ...metadata.annotations } },
    });
    this.#world.note(by, `stamps ${name} with term ${termOf(changed)}`);
    this.#checker.accepted(by, changed, old);
    return changed;
  }

  delete(by: string, name: string, options: Partial<DeleteOptions>, parking?: Parking): boolean {
    if (!this.pods.all.has(name)) return false;
    const old = this.pods.find(name, options.preconditions);
    this.#world.note(by, `deletes ${name}`);
    if (parking) this.#checker.parked(this, by, parking.isNeedless);
    else if (by !== 'user') this.#checker.stopped(by, old, this.#wanted.get(name));
    const runsFor = this.#world.chance.between(0.2, 1) * podGraceMs(old);
    if (!old.metadata.deletionTimestamp) this.#world.after(runsFor, () => this.#ended(old));
    if (options.gracePeriodSeconds === 0) this.pods.drop(old);
    else this.pods.put({ ...old, metadata: { ...old.metadata, deletionTimestamp: 'now' } });
    return true;
  }

  evict(): void {
    const names = [...this.objects.keys()];
    if (names.length > 0) this.delete('user', this.#world.chance.pick(names), {});
  }

  isSettledIn(term: number | undefined): boolean {
    const { batch } = this;
    if (this.isDead) return true;
    if (term === undefined) return this.objects.size === 0 && (batch?.running ?? []).length === 0;
    if (batch && !batch.isActiveIn(term)) return false;
    return [...this.wanted.keys()].every((name) => {
      const object = this.objects.get(name);
      return object !== undefined && !object.metadata.deletionTimestamp && termOf(object) === term;
    });
  }

  describe(): string {
    const states = [...this.wanted].map(([name, template]) => {
      const object = this.objects.get(name);
      const state = object
        ? `term ${termOf(object)}${object.metadata.deletionTimestamp ? ', terminating' : ''}`
        : 'absent';
      return `${this.id}: ${name} ${state}, wanted ${template}`;
    });
    return states.join('; ');
  }

  die(): void {
    this.isDead = true;
    this.down = true;
    for (const object of this.objects.values()) this.#gone(object);
    this.batch?.die();
  }

  /** As the node's Lease says; the same while nothing is heard of it. */
  get nodeRenewal(): string {
    if (!this.isStuck) this.#renewal = String(Math.floor(this.#world.now / 1000));
    return this.#renewal;
  }

  /** The objects of all pods are removed without a word of their kubelet, which may run them on. */
  collect(): void {
    this.#world.note(this.id, 'collects the pods of a node that is gone');
    for (const object of this.objects.values()) this.pods.drop(object);
  }

  /** The kubelet: its container has ended, and nothing holds the object any longer. */
  #ended(object: KubeObject, wasStuck = false): void {
    if (this.isStuck || this.stuckPods.has(object.metadata.name))
      return this.#world.after(1000, () => this.#ended(object, true));
    if (wasStuck) return this.#world.after(this.#world.chance.between(0.2, 1) * NOTICE_MS, () => this.#ended(object));
    this.#gone(object);
  }

  #gone(object: KubeObject): void {
    this.#checker.ended(this, object);
    const last = this.objects.get(object.metadata.name);
    if (last?.metadata.uid === object.metadata.uid) this.pods.put(Object.assign({}, last, ENDED));
    this.pods.drop(object);
  }
}
