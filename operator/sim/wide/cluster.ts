/** A cluster of the wide border: a whole API server, Kubernetes' own controllers, and a node. */
import { core } from '../../cluster/cluster-client.ts';
import { childTypes } from '../../api/children.ts';
import { podGraceMs } from '../../api/grace.ts';
import { labels } from '../../api/group.ts';
import { permitName } from '../../api/admission.ts';
import type { Permit } from '../../leadership/permit.ts';
import type { Stored } from '../api/json.ts';
import type { Change } from '../api/watching.ts';
import { SimApiServer } from '../api/server.ts';
import { TENANT } from '../actor.ts';
import type { Checker } from '../checker.ts';
import { permitPolicy, termIn, termPolicy } from '../kube/admission.ts';
import { startCollector } from '../kube/collector.ts';
import { startDeployments } from '../kube/deployments.ts';
import { startJobs } from '../kube/jobs.ts';
import { Kubelet } from '../kube/kubelet.ts';
import { KUBERNETES, ownerOf } from '../kube/loop.ts';
import { startStatefulSets } from '../kube/stateful-sets.ts';
import { EPOCH } from '../machine.ts';
import {
  containerOf,
  CRON,
  fencingToken,
  imageIn,
  imageOf,
  isOwned,
  KINDS,
  readyOf,
  NAMESPACE,
  workloadOf,
} from './objects.ts';
import { Knowledge } from './knowledge.ts';
import { Refusing } from './refusals.ts';
import { OWN_NAMESPACE, readPermit } from './permit.ts';
import { bystander, USER } from './harms.ts';
import { Users } from './users.ts';
import { PermitTrace } from '../permit-trace.ts';
import type { ClusterOptions, PlayedCluster } from '../play.ts';
import type { World } from '../world.ts';

/** Until a permit that was written is what the policy goes by. */
const POLICY_LAG_MS = 300;

/** What Kubernetes notes on a Job: the instant that it was due. */
const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

/** A cluster of the wide model. */
export class WideCluster implements PlayedCluster {
  down = false;
  hangs = false;
  isDead = false;
  readonly id: string;
  readonly graceMs: number;
  readonly rate: number;
  readonly hasCron: boolean;
  readonly api: SimApiServer;
  readonly kubelet: Kubelet;
  readonly refusing: Refusing;
  readonly #world: World;
  readonly #checker: Checker;
  readonly #permits: PermitTrace;
  readonly #knowledge: Knowledge;
  readonly #offsetMs: number;
  /** Uids of Jobs. */
  readonly #begun = new Set<string>();
  readonly #users: Users;
  /** The permit as the policy sees it. */
  #enforced: Stored | undefined;

  constructor(world: World, checker: Checker, options: ClusterOptions) {
    this.#world = world;
    this.#checker = checker;
    this.id = options.id;
    this.graceMs = options.graceMs;
    this.rate = options.rate;
    this.#offsetMs = options.offsetMs;
    this.hasCron = options.catchUp !== undefined;
    // Its Deployment replaces a pod that somebody deletes beside the one that ends.
    checker.besides.add('y');
    this.#permits = new PermitTrace(world, checker, this);
    const time = () => this.time;
    const policy = permitPolicy({ tenant: TENANT, permit: () => this.#enforced, time });
    this.api = new SimApiServer({ id: this.id, time });
    this.#users = new Users(world, this.api, this);
    this.refusing = new Refusing(world, this.api, this.id);
    this.api.changes.subscribe((change) => this.#changed(change));
    const ground = { world, server: this.api, time, isUp: () => !this.down && !this.hangs };
    this.kubelet = new Kubelet(ground, {
      started: (pod) => isOwned(pod) && this.#started(pod),
      ended: (pod) => isOwned(pod) && checker.ended(this, containerOf(pod)),
    });
    this.#knowledge = new Knowledge({
      world,
      controllers: () => checker.controllers.filter((each) => each.cluster === this),
      seen: () => this.kubelet.running.filter(({ pod }) => this.#hasObject(pod)).map(({ uid }) => uid),
      from: () => this.limitedAt,
    });
    startDeployments(ground);
    startStatefulSets(ground);
    startJobs(ground);
    startCollector(ground);
    for (const [name, type] of [
      ['x', childTypes.pods],
      ['y', childTypes.deployments],
    ] as const)
      this.api.create(type, bystander(type, TENANT, { kind: KINDS[name]?.kind ?? '', name }), USER);
    this.api.admission.push(policy, termPolicy(time));
    if (options.catchUp) this.#users.wantCron(options.catchUp);
  }

  /** Milliseconds since the epoch by the clock of its API server. */
  get time(): number {
    return EPOCH + this.#offsetMs + this.rate * this.#world.now;
  }

  date(): string {
    return new Date(this.time).toUTCString();
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

  hinderedAt(workload: string): number {
    return this.refusing.hinderedAt(workload);
  }

  get isStuck(): boolean {
    return this.kubelet.isStuck;
  }

  set isStuck(isStuck: boolean) {
    this.kubelet.isStuck = isStuck;
  }

  get stuckPods(): Set<string> {
    return this.kubelet.stuckPods;
  }

  /** Without those of which nobody can know. */
  get runs(): readonly string[] {
    const ours = this.kubelet.running.filter(({ pod, uid }) => isOwned(pod) && !this.isUnknown(uid));
    return ours.map(({ pod }) => workloadOf(pod));
  }

  /** Its object went without a word, and nobody had the time to note it. */
  isUnknown(uid: string): boolean {
    const container = this.kubelet.running.find((each) => each.uid === uid);
    return container !== undefined && !this.#hasObject(container.pod) && !this.#knowledge.has(uid);
  }

  #hasObject({ metadata }: Stored): boolean {
    return this.api.get(childTypes.pods, metadata)?.metadata.uid === metadata.uid;
  }

  /** A StatefulSet or Job makes the next pod when the object is gone, as that is all it knows. */
  collect(): void {
    this.#checker.besides.add('z').add(CRON);
    this.kubelet.collect();
  }

  refuseWrites(which: 'some' | 'one kind'): () => void {
    return which === 'some' ? this.refusing.some() : this.refusing.oneKind();
  }

  spoilNotes(): void {
    this.#users.spoilNotes();
  }

  editNotes(): void {
    this.#users.editNotes();
  }

  remove(): () => void {
    // The next run begins beside the pod of a Job that somebody has removed.
    this.#checker.besides.add(CRON);
    return this.#users.remove();
  }

  removePermit(): void {
    this.#users.removePermit();
  }

  get hasForgotten(): boolean {
    return this.api.get(core.leases, { name: permitName(TENANT), namespace: OWN_NAMESPACE }) === undefined;
  }

  want(name: string, version: number): void {
    this.#users.want(name, version);
  }

  die(): void {
    this.isDead = true;
    this.down = true;
    this.kubelet.die();
  }

  evict(): void {
    this.#users.evict();
  }

  isSettledIn(term: number | undefined): boolean {
    const running = this.kubelet.running.filter(({ pod }) => isOwned(pod));
    if (term === undefined) return running.length === 0;
    return [...this.#users.wanted].every(([name, version]) => {
      const mine = running.filter(({ pod }) => workloadOf(pod) === name);
      const [one] = mine;
      const child = this.#childOf(name);
      const isRight = mine.length === 1 && one && !one.isEnding && imageIn(one.pod) === imageOf(version);
      return isRight && child !== undefined && termIn(child) === term;
    });
  }

  describe(): string {
    const states = [...this.#users.wanted].map(([name, version]) => {
      const child = this.#childOf(name);
      const mine = this.kubelet.running.filter(({ pod }) => workloadOf(pod) === name);
      const runs = mine.map(({ pod, isEnding }) => `${pod.metadata.name} ${imageIn(pod)}${isEnding ? ', ending' : ''}`);
      const { type } = KINDS[name] ?? {};
      const ready = type && readyOf(this.api.get(type, { name, namespace: NAMESPACE }));
      const state = child ? `term ${termIn(child)}` : 'absent';
      return `${this.id}: ${name} ${state}, runs [${runs.join(' ')}], wanted ${version}, ${ready?.reason}: ${ready?.message}`;
    });
    return states.join('; ');
  }

  #childOf(name: string): Stored | undefined {
    if (name === 'x') return this.api.get(childTypes.pods, { name: 'x-pod', namespace: NAMESPACE });
    const type = name === 'y' ? childTypes.deployments : childTypes.statefulSets;
    return this.api.get(type, { name, namespace: NAMESPACE });
  }

  #started(pod: Stored): void {
    this.#world.note(this.id, `starts ${pod.metadata.name} of term ${fencingToken(pod)}`);
    this.#checker.started(this, containerOf(pod));
    if (this.permit?.scope === 'multi') this.#checker.mayTake(this, podGraceMs(pod));
    const owner = ownerOf(pod);
    if (owner?.kind === 'Job') this.#ran(this.api.get(childTypes.jobs, { name: owner.name, namespace: NAMESPACE }));
  }

  /** The pod of a run may be replaced; a Job is one run. */
  #ran(job: Stored | undefined): void {
    const { uid, annotations: notes = {} } = job?.metadata ?? {};
    const instant = Date.parse(notes[SCHEDULED_AT] ?? '');
    if (Number.isNaN(instant) || uid === undefined || this.#begun.has(uid)) return;
    this.#begun.add(uid);
    this.#checker.ran(this, instant);
  }

  #changed(change: Change): void {
    const { type, object, by } = change;
    if (type === core.leases && object.metadata.name === permitName(TENANT)) this.#permitChanged(change);
    if (by === KUBERNETES.by || by === USER.by || !(labels.tenant in (object.metadata.labels ?? {}))) return;
    if (type.group === core.events.group) return;
    this.#judge(change);
  }

  /** A write of a controller. */
  #judge({ type, object, before, by, isGone, version }: Change): void {
    const verb = isGone ? 'removes' : before ? 'changes' : 'creates';
    this.#world.note(by, `${verb} ${type.kind} ${object.metadata.name}: term ${termIn(object)}, version ${version}`);
    if (object.metadata.labels?.['bystander'] !== undefined)
      this.#checker.fail('hands off', `${by} ${verb} ${type.kind} ${object.metadata.name}`);
    // What was spoilt tells nothing of terms.
    if (!isGone && !this.#users.spoilt.has(object.metadata.uid)) this.#checker.accepted(by, object, before);
  }

  #permitChanged({ object, isGone, before }: Change): void {
    this.#world.after(this.#world.chance.skewed(1, POLICY_LAG_MS), () => {
      const seen = Number(this.#enforced?.metadata.resourceVersion ?? 0);
      if (seen < Number(object.metadata.resourceVersion)) this.#enforced = isGone ? undefined : object;
    });
    if (isGone) this.#permits.removed();
    if (isGone || before?.spec === object.spec) return;
    void readPermit(this.api).then((permit) => permit && this.#permits.written(permit));
  }
}
