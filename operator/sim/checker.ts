/** What must hold at every step of every run. The first thing that does not hold ends the run. */
import type { KubeObject } from '../cluster/cluster-client.ts';
import { annotations } from '../api/group.ts';
import type { LeaseRecord } from '../leadership/lease-record.ts';
import { ADOPT_GRACE_MS } from '../leadership/permit.ts';
import { numberAnnotation } from '../reconcile/metadata.ts';
import type { Permit } from '../leadership/permit.ts';
import { termOf } from './objects.ts';
import type { Process } from './machine.ts';
import type { Property } from './properties.ts';
import { RATE_ERROR } from '../leadership/timing.ts';
import { isExpectedEnd, Words } from './words.ts';
import type { World } from './world.ts';

/** What did not hold. */
export interface Violation {
  readonly property: Property;
  readonly detail: string;
  /** True time, milliseconds. */
  readonly at: number;
}

/** What must be known of a cluster. */
export interface CheckedCluster {
  readonly id: string;
  readonly permit: Permit | undefined;
  /** True time at which the permit ends or ended, since when it was good without a gap, and since when it limits anything. */
  readonly lapsesAt: number;
  readonly goodSince: number;
  readonly limitedAt: number;
  readonly isStuck: boolean;
  readonly stuckPods: ReadonlySet<string>;
  /** True time at which its API server last refused what stops a workload. */
  hinderedAt?(workload: string): number;
  /** Workloads of which a container runs there; undefined: not known. */
  readonly runs?: readonly string[];
  /** A container of which none of its controllers can know. */
  isUnknown?(uid: string): boolean;
  /** Whether this controller has made the permit good, and heard so. */
  isToldGood?(by: string): boolean;
  /** Longest that a container takes to end, milliseconds. */
  readonly graceMs: number;
  /** By its API server's clock. */
  readonly time: number;
}

/** What must be known of a controller. */
export interface CheckedController {
  readonly identity: string;
  readonly process: Process;
  readonly cluster: CheckedCluster;
  readonly leaving: boolean;
  readonly isWorking: boolean;
  readonly isInDoubt: boolean;
  readonly term: number | undefined;
  mayAct(): boolean;
}

interface Running {
  readonly cluster: CheckedCluster;
  readonly uid: string;
  /** True time. */
  readonly since: number;
}

/** By how much an API server's time, as it can be known, may be behind; and how long a controller needs to act on it. */
const SLACK_MS = 2500;
/** How long parking takes with a controller that works, besides the grace of the containers. */
const PARKING_MS = ADOPT_GRACE_MS + 6000;
/** How old may be what a controller that parks has seen of the permit. */
const LOOK_MS = 5000;

/** Hears of everything that happens, and keeps the first violation. */
export class Checker {
  readonly #world: World;
  /** By workload: the containers that run. */
  readonly #running = new Map<string, Running[]>();
  /** By cluster: when nobody worked in it last. */
  readonly #unattendedAt = new Map<CheckedCluster, number>();
  /** By cluster: when its kubelet ended nothing last. */
  readonly #stuckAt = new Map<CheckedCluster, number>();
  /** By cluster: when one of its controllers last heard that the store had taken its lease. */
  readonly #acknowledgedAt = new Map<CheckedCluster, number>();
  /** By instant: where its run began last. */
  readonly #runs = new Map<number, CheckedCluster>();
  /** By cluster: the highest term that one of its controllers led in. */
  readonly #ledIn = new Map<CheckedCluster, number>();
  readonly #terms = new Set<number>();
  #highestTerm = 0;
  violation: Violation | undefined;
  controllers: readonly CheckedController[] = [];
  clusters: readonly CheckedCluster[] = [];
  /** How many times the store has lost writes or may have. */
  storeLosses: () => number = () => 0;
  /** As the store has it; undefined: there is none. */
  lease: () => LeaseRecord | undefined = () => undefined;
  /** How many changes of leader were seen, for people. */
  elections = 0;
  /** How many containers were stopped because their cluster's permit had ended, or was given up. */
  parkings = 0;
  /** How often the known hole was met: pods of a cluster in which nobody works run on, past the wait. */
  holes = 0;
  /** Workloads that a cluster may run twice for a moment, as Kubernetes' own controllers do; never two clusters. */
  readonly besides = new Set<string>();
  readonly words = new Words();
  /** Whether the hole is there: with the takeover `strict` it is not. */
  hasHole = true;

  constructor(world: World) {
    this.#world = world;
  }

  fail(property: Property, detail: string): void {
    if (this.violation) return;
    this.#world.note('checker', `${property}: ${detail}`);
    this.violation = { property, detail, at: this.#world.now };
  }

  /** After every event. */
  step(): void {
    this.#attend();
    this.#checkParking();
    let holder: CheckedController | undefined;
    for (const controller of this.controllers) {
      if (!controller.process.alive || controller.process.machine.isStalled) continue;
      if (!controller.mayAct()) continue;
      if (holder) this.fail('one holder', `${holder.identity} and ${controller.identity} may both act`);
      holder = controller;
    }
  }

  /** `mayAct`: false when its clock already says that the term is over, or when its clocks deceive it. */
  elected(by: string, term: number, mayAct: boolean): void {
    this.elections += 1;
    this.#world.note(by, `leads in term ${term}`);
    if (this.#terms.has(term)) this.fail('terms grow', `${by} leads in term ${term}, which was used before`);
    if (term < this.#highestTerm && mayAct) {
      this.fail('terms grow', `${by} leads in term ${term} after ${this.#highestTerm}`);
    }
    this.#terms.add(term);
    const place = this.controllers.find(({ identity }) => identity === by)?.cluster;
    if (place) {
      this.#ledIn.set(place, Math.max(term, this.#ledIn.get(place) ?? 0));
      this.words.leads(place);
    }
    this.#highestTerm = Math.max(this.#highestTerm, term);
  }

  lost(by: string, term: number, because: string, excused: boolean): void {
    this.#world.note(by, `no longer leads in term ${term}: ${because}`);
    const to = /^leadership is handed over to (.*)$/.exec(because)?.[1];
    if (to !== undefined && !excused && !this.words.isAsked(by, term, to))
      return this.fail('words of people', `${by} hands term ${term} over to ${to}, and nobody has asked for it`);
    if (excused || to !== undefined || this.storeLosses() > 0 || isExpectedEnd(because)) return;
    this.fail('no needless loss', `${by} lost term ${term}: ${because}`);
  }

  dispatched(controller: CheckedController, verb: string): void {
    if (controller.process.machine.isStalled || controller.term !== undefined) return;
    this.fail('no late dispatch', `${controller.identity} sends a ${verb} without the lease`);
  }

  granted(by: string, askedAt: number, readSentAt: number): void {
    if (readSentAt < askedAt) this.fail('guard reads', `${by} got a grant by an older read`);
  }

  accepted(by: string, now: KubeObject, before: KubeObject | undefined): void {
    if (before && termOf(now) < termOf(before)) {
      this.fail('later term stays', `${by} wrote ${now.metadata.name} in term ${termOf(now)} over ${termOf(before)}`);
    }
  }

  started(cluster: CheckedCluster, { metadata: { name, uid = '' } }: KubeObject): void {
    const others = this.#running.get(name) ?? [];
    for (const other of others) {
      if (other.cluster === cluster && this.besides.has(name)) continue;
      const isNobodys = this.#isHole(other.cluster, name) || other.cluster.isUnknown?.(other.uid);
      const isDenied = this.words.isDenied(other.cluster, other.since);
      if (other.cluster !== cluster && (isNobodys || isDenied)) this.holes += 1;
      else
        this.fail(
          'one instance',
          `${uid} of ${name} starts in ${cluster.id} while ${other.uid} runs in ${other.cluster.id}`,
        );
    }
    this.#running.set(name, [...others, { cluster, uid, since: this.#world.now }]);
  }

  stopped(by: string, object: KubeObject, wanted: number | undefined): void {
    if (numberAnnotation(object, annotations.generation) === wanted) {
      this.fail('no needless restart', `${by} stops ${object.metadata.name}, which is as wanted`);
    }
  }

  /** A run of the cron job begins. */
  ran(cluster: CheckedCluster, instant: number): void {
    const first = this.#runs.get(instant);
    const isExcused = this.storeLosses() > 0 && first !== undefined && cluster.time < first.time;
    if (first && !isExcused)
      this.fail('one run', `that of ${new Date(instant).toISOString()} begins in ${cluster.id} after ${first.id}`);
    this.#runs.set(instant, cluster);
  }

  /** Instants whose runs have begun. */
  get runs(): ReadonlyMap<number, CheckedCluster> {
    return this.#runs;
  }

  interrupted(by: string, job: string): void {
    this.fail('no needless restart', `${by} removes ${job}, which runs`);
  }

  /** Whether it would be a mistake of this controller to park what runs in its cluster now. */
  isNeedless(cluster: CheckedCluster, by: string): boolean {
    const controller = this.controllers.find(({ identity }) => identity === by);
    const isExcused = controller === undefined || controller.leaving || controller.isInDoubt;
    const { now } = this.#world;
    const mustKnow = now > cluster.goodSince + LOOK_MS || cluster.isToldGood?.(by) === true;
    return !isExcused && now < cluster.lapsesAt && mustKnow;
  }

  parked(cluster: CheckedCluster, by: string, isNeedless: boolean): void {
    this.parkings += 1;
    if (isNeedless) this.fail('no needless parking', `${by} parks ${cluster.id}, whose permit is good`);
  }

  ended(cluster: CheckedCluster, { metadata: { name, uid } }: KubeObject): void {
    const left = (this.#running.get(name) ?? []).filter((each) => each.cluster !== cluster || each.uid !== uid);
    this.#running.set(name, left);
  }

  /** Since its permit ended there was a time in which no controller worked in the cluster, or could stop the workload. */
  #isHole(cluster: CheckedCluster, workload: string): boolean {
    const hasHole = this.hasHole || this.storeLosses() > 0; // what was still pending is lost with the record
    if (cluster.permit?.scope !== 'multi') return false;
    return hasHole && this.#hinderedAt(cluster, workload) >= cluster.lapsesAt - SLACK_MS;
  }

  permitted(cluster: CheckedCluster, ttlMs: number): void {
    const acknowledgedAt = this.#acknowledgedAt.get(cluster) ?? -Infinity;
    if (cluster.lapsesAt > acknowledgedAt + ttlMs * (1 + RATE_ERROR) + SLACK_MS) {
      this.fail(
        'permit in time',
        `that of ${cluster.id} ends ${Math.round(cluster.lapsesAt - this.#world.now)} ms from now`,
      );
    }
  }

  /** A container starts that may take so long to end, milliseconds. */
  mayTake(cluster: CheckedCluster, graceMs: number): void {
    const lease = this.lease();
    if (this.storeLosses() > 0 || lease?.cluster.id !== cluster.id || lease.drainMs >= graceMs) return;
    this.fail('drain announced', `one in ${cluster.id} may take ${graceMs} ms, and the lease says ${lease.drainMs}`);
  }

  /** A controller is about to say that nothing runs in its cluster. */
  reported(cluster: CheckedCluster, by: string, term: number): void {
    const led = this.#ledIn.get(cluster) ?? 0;
    const running = cluster.runs ?? [];
    if (running.length > 0 && led < term)
      this.fail('true reports', `${by} says at term ${term} that nothing runs in ${cluster.id}: ${running.join(', ')}`);
  }

  #hinderedAt(cluster: CheckedCluster, workload: string): number {
    return Math.max(this.#unattendedAt.get(cluster) ?? -Infinity, cluster.hinderedAt?.(workload) ?? -Infinity);
  }

  /** A write of the lease by this cluster was acknowledged. */
  acknowledged(cluster: CheckedCluster): void {
    this.#acknowledgedAt.set(cluster, this.#world.now);
  }

  #checkParking(): void {
    for (const [name, all] of this.#running)
      for (const { cluster } of all)
        if (cluster.permit?.scope === 'multi') this.#checkParkingOf(name, cluster, cluster.permit);
  }

  #checkParkingOf(name: string, cluster: CheckedCluster, permit: Permit): void {
    if (cluster.isStuck || cluster.stuckPods.size > 0) this.#stuckAt.set(cluster, this.#world.now);
    const since = Math.max(
      cluster.lapsesAt,
      cluster.limitedAt,
      this.#hinderedAt(cluster, name),
      this.#stuckAt.get(cluster) ?? -Infinity,
    );
    // One that was ended before its time is heard of at the next look.
    const unheardMs = permit.renewedAt === 0 ? permit.ttlMs / 2 : 0;
    if (this.#world.now > since + unheardMs + PARKING_MS + cluster.graceMs)
      this.fail('parked in time', `${name} still runs in ${cluster.id}`);
  }

  #attend(): void {
    for (const cluster of this.clusters) {
      if (!this.controllers.some((controller) => controller.cluster === cluster && controller.isWorking))
        this.#unattendedAt.set(cluster, this.#world.now);
    }
  }
}
