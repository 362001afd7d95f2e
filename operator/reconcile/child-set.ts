/**
 * Keeps the children of one kind of workload as its pure functions want them: one step at a time, looking again at what
 * the API server answered. Children are made and changed by server-side apply; nothing is written when nothing changed.
 */
import { childTypes } from '../api/children.ts';
import { API_VERSION } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';
import { ApiError } from '../cluster/cluster-client.ts';
import { INVALID_AGAIN_MS, RetryLater, TerminalError } from '../lib/errors.ts';
import { Applier, isInvalid, isRefusal, StatusWriter } from './apply.ts';
import type { Attendant } from './attendant.ts';
import { aboutStep, aboutVerdict } from './child-events.ts';
import type { ChildView, Contenders, Step, Subject, Workload, WorkloadKind } from './child-look.ts';
import { lookAtChildren, refusal, sightOf } from './child-look.ts';
import type { ChildSetOptions } from './child-options.ts';
import { ChildMemory } from './child-memory.ts';
import { ChildRetirement } from './child-retirement.ts';
import { ChildScene } from './child-scene.ts';
import type { AnyChild } from './child.ts';
import { OlderThanChild } from './forged-marks.ts';
import { stillRunning } from './leftovers.ts';
import { fitsWithout, isQuota } from './quota.ts';
import type { Grant, ObjectKey, Reconciler, Result } from './reconciler.ts';
import type { Report } from './status.ts';
import { readyReason, timestamp } from './status.ts';
import { successorOf } from './successor.ts';

/** Steps in one reconcile; every child may take a few, and conflicts some more. */
const MAX_STEPS = 12;
/** New children are reported when there is time: in a burst those of others come first. */
const WHEN_QUIET: Result = { requeueAfterMs: 0 };
const AGAIN_MS = 200;
const RECHECK_LEFTOVERS_MS = 1000;

export class ChildSetReconciler<S> implements Reconciler {
  readonly kind: string;
  readonly #kind: WorkloadKind<S>;
  readonly #options: ChildSetOptions;
  readonly #attendants: readonly Attendant<S>[];
  readonly #statuses: StatusWriter<Workload>;
  readonly #retirement: ChildRetirement;
  readonly #memory = new ChildMemory();

  constructor(kind: WorkloadKind<S>, options: ChildSetOptions, attendants: readonly Attendant<S>[] = []) {
    this.kind = kind.resource.kind;
    this.#attendants = attendants;
    this.#kind = kind;
    this.#options = options;
    this.#statuses = new StatusWriter(options.client, kind.resource);
    this.#retirement = new ChildRetirement(kind, options);
  }

  async reconcile(key: ObjectKey, grant: Grant): Promise<Result> {
    const { workloads, tenancy, clock } = this.#options;
    const workload = workloads.get(key);
    if (!workload || workload.metadata.deletionTimestamp !== undefined)
      return this.#retirement.retire(key, workload, grant);
    const ownership = tenancy.of(workload, this.#retirement.runs(key, workload));
    if (ownership === 'ours') return this.#bringUp(workload, key, grant);
    if (ownership === 'claimable') return this.#take(workload, key, grant);
    const result = await this.#retirement.retire(key, workload, grant);
    if (result.requeueAfterMs === undefined)
      await this.#statuses.disown(workload, tenancy, { now: timestamp(clock.wall()), grant });
    return result;
  }

  async #take(workload: Workload, key: ObjectKey, grant: Grant): Promise<Result> {
    const { workloads, tenancy, clock } = this.#options;
    const taken = await this.#statuses.take(workload, tenancy, { now: clock.wall(), grant });
    if (!taken) return {};
    workloads.observe(taken);
    return this.#bringUp(taken, key, grant);
  }

  async #bringUp(workload: Workload, key: ObjectKey, grant: Grant): Promise<Result> {
    await this.#options.podDefaults?.load(key.namespace);
    try {
      return await this.#takeSteps(workload, key, { ...grant, isFresh: false });
    } catch (error) {
      if (!(error instanceof OlderThanChild)) throw error;
      const live = await this.#refresh(key, grant);
      return live ? this.#takeSteps(live, key, { ...grant, isFresh: true }) : {};
    }
  }

  async #takeSteps(workload: Workload, key: ObjectKey, grant: Grant & Freshness): Promise<Result> {
    const { caches, tenant } = this.#options;
    const scene = new ChildScene(caches, key, this.kind, tenant);
    let created = false;
    for (let taken = 0; taken < MAX_STEPS; taken++) {
      const subject = this.#subject(workload, scene, grant);
      const view = lookAtChildren(subject);
      const { step } = view;
      if (!step && created) return WHEN_QUIET;
      if (!step) return this.#conclude(workload, key, await this.#attended(subject, view, grant), grant);
      const isNew = step.action.type === 'apply' && !step.action.live;
      const leftover = isNew ? await this.#leftover(step, scene, grant.signal) : undefined;
      if (leftover === 'its own') continue;
      if (leftover) return this.#waitFor(leftover, subject, grant);
      await this.#rehearse(subject, step, scene, grant);
      const changed = await this.#act(subject, step, scene, grant);
      created ||= isNew && !changed;
    }
    throw new RetryLater(AGAIN_MS, 'The children kept changing while they were worked on');
  }

  /** Undefined: not to be brought up any more; its event comes. */
  async #refresh(key: ObjectKey, grant: Grant): Promise<Workload | undefined> {
    const { client, workloads, tenancy } = this.#options;
    const live = await client.get<Workload>(this.#kind.resource, key, { signal: grant.signal });
    if (live) workloads.observe(live);
    return live && live.metadata.deletionTimestamp === undefined && tenancy.of(live) !== 'others' ? live : undefined;
  }

  /** With what else there is to say of it. */
  async #attended(subject: Subject<S>, view: ChildView, grant: Grant): Promise<ChildView> {
    if (this.#attendants.length === 0 || view.terminal) return view;
    const spec = this.#kind.parse(subject.workload.spec);
    let report = view.verdict;
    for (const attendant of this.#attendants) report = await attendant.attend(sightOf(subject), spec, report, grant);
    return report === view.verdict ? view : { ...view, ...refusal(subject, report) };
  }

  #subject(
    workload: Workload,
    all: ChildScene,
    { term, holder, scope, isForged, isFresh }: Grant & Freshness,
  ): Subject<S> {
    const { tenant, clusterName, maxGraceMs, clock } = this.#options;
    const { namespace = '' } = workload.metadata;
    const podDefaults = this.#options.podDefaults?.of(namespace);
    const place = { tenant, clusterName, podDefaults, maxGraceMs };
    const by = { scope, term, holder, isForged, isFresh };
    const at = { ...place, ...by, now: clock.wall(), memory: this.#memory };
    return { kind: this.#kind, workload, contenders: this.#contendersIn(namespace), all, at };
  }

  #contendersIn(namespace: string): Contenders | undefined {
    const { contenders, workloads } = this.#options;
    if (!contenders) return undefined;
    const caches = new Map([
      [this.kind, workloads],
      [contenders.kind, contenders.cache],
    ]);
    const get = (kind: string, name: string) => {
      const found = caches.get(kind)?.get({ namespace, name });
      return found && { ...found, kind };
    };
    return { kind: contenders.kind, get };
  }

  async #conclude(workload: Workload, key: ObjectKey, view: ChildView, grant: Grant): Promise<Result> {
    await this.#say(workload, view, grant);
    if (view.terminal) throw view.terminal;
    const { requeueAfterMs } = view.verdict;
    if (view.predecessor) await this.#retirement.dispose(key, view.predecessor, grant);
    return requeueAfterMs === undefined ? {} : { requeueAfterMs };
  }

  /**
   * A pod that must end before the child is made. A child that others have taken the labels from is in no cache: then it is
   * found by its name, and what runs is its own.
   */
  async #leftover(
    { action, child }: Step,
    scene: ChildScene,
    signal: AbortSignal,
  ): Promise<Pod | 'its own' | undefined> {
    const { client } = this.#options;
    const pod = child.waitsForPods ? await stillRunning(scene.list<Pod>(childTypes.pods), client, signal) : undefined;
    if (!pod) return undefined;
    const name = nameOf(action);
    const live = await client.get<AnyChild>(child.type, { namespace: pod.metadata.namespace ?? '', name }, { signal });
    if (live) scene.put(child.type, name, live);
    return live ? 'its own' : pod;
  }

  async #waitFor(pod: Pod, subject: Subject<S>, grant: Grant): Promise<Result> {
    const message = `Pod ${pod.metadata.name} of an earlier instance has not ended yet; the next one starts when it has`;
    const verdict: Report = { state: 'working', reason: 'WaitingForPredecessor', message };
    await this.#say(subject.workload, refusal(subject, verdict), grant);
    return { requeueAfterMs: RECHECK_LEFTOVERS_MS };
  }

  /** Before an edit ends what runs: whatever would refuse the next pod, the old one runs on. */
  async #rehearse(subject: Subject<S>, step: Step, scene: ChildScene, grant: Grant): Promise<void> {
    const successor = successorOf(step);
    if (!successor) return;
    try {
      await new Applier<Pod>(this.#options.client, childTypes.pods).rehearse(successor, grant);
    } catch (error) {
      if (!(error instanceof ApiError) || !isRefusal(error)) throw error;
      if (isInvalid(error) && (await this.#isRefused(step, grant))) return; // and says so better itself
      const { message } = error;
      if (isQuota(message) && fitsWithout(message, scene.list<Pod>(childTypes.pods)[0])) return;
      const verdict = { state: 'working', reason: 'PodRefused', message, problem: message } as const;
      await this.#say(subject.workload, refusal(subject, verdict), grant);
      throw error;
    }
  }

  /** Whether the API server would not take the child either: then nothing ends. */
  async #isRefused({ action, child }: Step, grant: Grant): Promise<boolean> {
    if (action.type !== 'apply') return false;
    const tried = new Applier<AnyChild>(this.#options.client, child.type).tryOut(action, grant);
    return tried.then(
      () => false,
      (error: unknown) => error instanceof ApiError && isRefusal(error),
    );
  }

  /** True when the step was not taken, because the object is not what it was when the decision fell. */
  async #act(subject: Subject<S>, step: Step, scene: ChildScene, grant: Grant): Promise<boolean> {
    const { action, child } = step;
    try {
      const { live, changed } = await new Applier<AnyChild>(this.#options.client, child.type).apply(action, grant);
      scene.put(child.type, nameOf(action), live);
      if (changed) return true;
      if (live) this.#remember(step, live);
      this.#tell(subject.workload, step, grant.term);
      return false;
    } catch (error) {
      if (action.type === 'apply' && error instanceof ApiError && isRefusal(error))
        await this.#refuse(subject, step, error, grant);
      throw error;
    }
  }

  #tell(workload: Workload, step: Step, term: number): void {
    const { namespace, name } = workload.metadata;
    const fields = { kind: this.kind, namespace, name, child: step.child.type.kind };
    this.#options.logger.info('Changed child', { ...fields, action: step.action.type, reason: step.action.reason });
    const event = aboutStep(step, term);
    if (event) this.#options.events.record({ regarding: this.#referenceTo(workload), ...event });
  }

  #remember({ child: { type, hash }, action }: Step, live: AnyChild): void {
    this.#memory.noteWritten({ hash }, live);
    if (action.type !== 'apply' || this.#memory.noteApplied({ type, object: action.object, hash }, live)) return;
    const { name, namespace } = live.metadata;
    this.#options.logger.warn('The API server does not keep what was set', { child: type.kind, namespace, name });
  }

  /** The API server will not have the child: says so, then fails for good (Invalid) or to be tried again. */
  async #refuse(subject: Subject<S>, step: Step, error: ApiError, grant: Grant): Promise<void> {
    const invalid = isInvalid(error);
    const reason = `${step.child.type.kind}${invalid ? 'Invalid' : 'Refused'}`;
    const { message } = error;
    const verdict = { state: invalid ? 'stalled' : 'working', reason, message, problem: message } as const;
    await this.#say(subject.workload, refusal(subject, verdict), grant);
    if (invalid) throw new TerminalError(reason, message, { cause: error, retryAfterMs: INVALID_AGAIN_MS });
  }

  async #say(workload: Workload, view: ChildView, grant: Grant): Promise<void> {
    const written = await this.#statuses.write(workload, view.status, grant);
    if (!written) return;
    this.#options.workloads.observe(written);
    const event = readyReason(workload.status) === view.verdict.reason ? undefined : aboutVerdict(view.verdict);
    if (event) this.#options.events.record({ regarding: this.#referenceTo(workload), ...event });
  }

  #referenceTo({ metadata: { namespace = '', name, uid = '' } }: Workload) {
    return { apiVersion: API_VERSION, kind: this.kind, namespace, name, uid };
  }
}

interface Freshness {
  /** The workload was read from the API server, after its children were. */
  readonly isFresh: boolean;
}

function nameOf(action: Step['action']): string {
  return action.type === 'apply' || action.type === 'create' ? action.object.metadata.name : action.live.metadata.name;
}
