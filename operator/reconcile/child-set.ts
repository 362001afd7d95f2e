/**
 * Keeps the children of one kind of workload as its pure functions want them: one step at a time, looking again at what
 * the API server answered. Children are made and changed by server-side apply; nothing is written when nothing changed.
 */
import { childTypes } from '../api/children.ts';
import type { Pod } from '../api/kubernetes.ts';
import { ApiError } from '../cluster/cluster-client.ts';
import { Applier, isInvalid, isRefusal } from './apply.ts';
import type { Attendant } from './attendant.ts';
import type { EventText } from './child-events.ts';
import { aboutStep, aboutVerdict } from './child-events.ts';
import type { ChildView, Contenders, Step, Subject, Workload, WorkloadKind } from './child-look.ts';
import { lookAtChildren, refusal, sightOf } from './child-look.ts';
import type { ChildSetOptions } from './child-options.ts';
import { ChildMemory } from './child-memory.ts';
import { ChildRetirement } from './child-retirement.ts';
import { ChildScene } from './child-scene.ts';
import type { AnyChild } from './child.ts';
import { stillRunning } from './leftovers.ts';
import type { Grant, ObjectKey, Result } from './reconciler.ts';
import type { Report, Verdict } from './status.ts';
import { successorOf } from './successor.ts';
import type { Freshness, Retired } from './workload-reconciler.ts';
import { keptChanging, WHEN_QUIET, WorkloadReconciler } from './workload-reconciler.ts';

/** Steps in one reconcile; every child may take a few, and conflicts some more. */
const MAX_STEPS = 12;
const RECHECK_LEFTOVERS_MS = 1000;

/** Reconciles one kind whose pods Kubernetes makes. */
export class ChildSetReconciler<S> extends WorkloadReconciler<Workload, ChildView> {
  readonly #kind: WorkloadKind<S>;
  readonly #options: ChildSetOptions;
  readonly #attendants: readonly Attendant<S>[];
  readonly #retirement: ChildRetirement;
  readonly #memory = new ChildMemory();

  constructor(kind: WorkloadKind<S>, options: ChildSetOptions, attendants: readonly Attendant<S>[] = []) {
    super(kind.resource, options);
    this.#attendants = attendants;
    this.#kind = kind;
    this.#options = options;
    this.#retirement = new ChildRetirement(kind, options);
  }

  protected runs(key: ObjectKey, workload: Workload): boolean {
    return this.#retirement.runs(key, workload);
  }

  protected async retire(key: ObjectKey, workload: Workload | undefined, grant: Grant): Promise<Retired> {
    const result = await this.#retirement.retire(key, workload, grant);
    return { result, isOver: result.requeueAfterMs === undefined };
  }

  protected eventOf(verdict: Verdict): EventText | undefined {
    return aboutVerdict(verdict);
  }

  protected async takeSteps(workload: Workload, key: ObjectKey, grant: Grant & Freshness): Promise<Result> {
    const { caches, tenant } = this.#options;
    const scene = new ChildScene(caches, key, this.kind, tenant);
    let created = false;
    for (let taken = 0; taken < MAX_STEPS; taken++) {
      const subject = this.#subject(workload, scene, grant);
      const view = lookAtChildren(subject);
      const { step } = view;
      if (!step && created) return WHEN_QUIET;
      if (!step) return this.#finish(workload, key, await this.#attended(subject, view, grant), grant);
      const isNew = step.action.type === 'apply' && !step.action.live;
      const leftover = isNew ? await this.#leftover(step, scene, grant.signal) : undefined;
      if (leftover === 'its own') continue;
      if (leftover) return this.#waitFor(leftover, subject, grant);
      await this.#tryOut(subject, step, scene, grant);
      const changed = await this.#act(subject, step, scene, grant);
      created ||= isNew && !changed;
    }
    throw keptChanging('The children');
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

  async #finish(workload: Workload, key: ObjectKey, view: ChildView, grant: Grant): Promise<Result> {
    await this.conclude(workload, view, grant);
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
    const message = `Pod ${pod.metadata.name} of an earlier instance is still terminating; the next instance starts afterwards`;
    const verdict: Report = { state: 'working', reason: 'WaitingForPredecessor', message };
    await this.writeStatus(subject.workload, refusal(subject, verdict), grant);
    return { requeueAfterMs: RECHECK_LEFTOVERS_MS };
  }

  async #tryOut(subject: Subject<S>, step: Step, scene: ChildScene, grant: Grant): Promise<void> {
    const successor = successorOf(step);
    if (!successor) return;
    const [pod] = scene.list<Pod>(childTypes.pods);
    await this.dryRun(successor, { pod, grant }, async (error) => {
      if (isInvalid(error) && (await this.#isRefused(step, grant))) return; // and says so better itself
      const { message } = error;
      const verdict = { state: 'working', reason: 'PodRefused', message, problem: message } as const;
      await this.writeStatus(subject.workload, refusal(subject, verdict), grant);
      throw error;
    });
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
        return this.#reject(subject, step, error, grant);
      throw error;
    }
  }

  #tell(workload: Workload, step: Step, term: number): void {
    const { namespace, name } = workload.metadata;
    const fields = { kind: this.kind, namespace, name, child: step.child.type.kind };
    this.#options.logger.info('Changed child', { ...fields, action: step.action.type, reason: step.action.reason });
    this.recordEvent(workload, aboutStep(step, term));
  }

  #remember({ child: { type, hash }, action }: Step, live: AnyChild): void {
    this.#memory.noteWritten({ hash }, live);
    if (action.type !== 'apply' || this.#memory.noteApplied({ type, object: action.object, hash }, live)) return;
    const { name, namespace } = live.metadata;
    this.#options.logger.warn('The API server changed an applied child', { child: type.kind, namespace, name });
  }

  #reject(subject: Subject<S>, { child: { type } }: Step, error: ApiError, grant: Grant): Promise<never> {
    const view = (verdict: Report) => refusal(subject, verdict);
    return this.reportRejection(subject.workload, { kind: type.kind, error, view }, grant);
  }
}

function nameOf(action: Step['action']): string {
  return action.type === 'apply' || action.type === 'create' ? action.object.metadata.name : action.live.metadata.name;
}
