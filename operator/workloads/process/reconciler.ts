/**
 * Keeps one pod per WorkloadProcess. It decides by pure functions (look, decide), acts one step at a time, and looks
 * again at what the API server answered. Starting a pod is the first write of all; the status follows.
 */
import type { Pod } from '../../api/kubernetes.ts';
import type { WorkloadProcess } from '../../api/process.ts';
import { PROCESS_KIND, processResource } from '../../api/process.ts';
import { ApiError, core } from '../../cluster/cluster-client.ts';
import type { ProcessLedger } from '../../ledger/process-ledger.ts';
import type { Outcome } from '../../reconcile/apply.ts';
import { Applier, isRefusal } from '../../reconcile/apply.ts';
import { belongsTo, controllerOf, tenantOf, workloadOf } from '../../reconcile/metadata.ts';
import type { EventText } from '../../reconcile/child-events.ts';
import type { Action } from '../../reconcile/plan.ts';
import type { ReadCache } from '../../reconcile/ports.ts';
import type { Grant, ObjectKey, Result } from '../../reconcile/reconciler.ts';
import type { Verdict } from '../../reconcile/status.ts';
import type { Freshness, Retired, WorkloadReconcilerOptions } from '../../reconcile/workload-reconciler.ts';
import { keptChanging, WHEN_QUIET, WorkloadReconciler } from '../../reconcile/workload-reconciler.ts';
import { podName } from './desired.ts';
import { aboutAction, aboutVerdict } from './events.ts';
import type { View, Viewpoint } from './look.ts';
import { look, refused } from './look.ts';
import { observePod } from './observe.ts';
import { Pasts } from './past.ts';
import { Retirement } from './retirement.ts';

/** What processes are reconciled with. */
export interface ProcessReconcilerOptions extends WorkloadReconcilerOptions<WorkloadProcess> {
  readonly pods: ReadCache<Pod>;
  /** What processes have behind them in other clusters. */
  readonly pasts: ProcessLedger;
}

/** Steps in one reconcile; the longest regular way is release, purge, refresh, create. */
const MAX_STEPS = 8;
/** Reconciles WorkloadProcesses. */
export class ProcessReconciler extends WorkloadReconciler<WorkloadProcess, View> {
  readonly #options: ProcessReconcilerOptions;
  readonly #applier: Applier<Pod>;
  readonly #retirement: Retirement;
  readonly #pasts: Pasts;
  #term: number | undefined;
  /** Workloads that were there when the term began: another leader may have written what our cache has not seen. */
  readonly #inherited = new Set<string>();

  constructor(options: ProcessReconcilerOptions) {
    super(processResource, options);
    this.#options = options;
    this.#applier = new Applier(options.client, core.pods);
    this.#retirement = new Retirement({ ...options, applier: this.#applier });
    this.#pasts = new Pasts(options.pasts);
  }

  override reconcile(key: ObjectKey, grant: Grant): Promise<Result> {
    this.#begin(grant.term);
    return super.reconcile(key, grant);
  }

  protected runs(key: ObjectKey, { metadata }: WorkloadProcess): boolean {
    const pod = this.#podOf(key);
    const isOurs = pod && tenantOf(pod) === this.#options.tenant && controllerOf(pod)?.uid === metadata.uid;
    return isOurs === true && pod.metadata.deletionTimestamp === undefined;
  }

  protected async retire(key: ObjectKey, workload: WorkloadProcess | undefined, grant: Grant): Promise<Retired> {
    const pod = this.#podOf(key);
    if (!workload) await this.#pasts.forget(key, grant);
    return { result: await this.#retirement.retire(key, workload, pod, grant), isOver: pod === undefined };
  }

  protected eventOf(verdict: Verdict): EventText | undefined {
    return aboutVerdict(verdict);
  }

  #podOf({ namespace, name }: ObjectKey): Pod | undefined {
    return this.#options.pods.get({ namespace, name: podName(name) });
  }

  #begin(term: number): void {
    if (this.#term === term) return;
    this.#term = term;
    this.#inherited.clear();
    this.#pasts.clear();
    for (const { metadata } of this.#options.workloads.list()) this.#inherited.add(idOf(metadata));
  }

  protected async takeSteps(first: WorkloadProcess, key: ObjectKey, grant: Grant & Freshness): Promise<Result> {
    let workload = first;
    let pod = this.#podOf(key);
    for (let step = 0; step < MAX_STEPS; step++) {
      const view = look(workload, pod, this.#viewpoint(grant, workload));
      const { action } = view;
      if (!action) return this.#finish(workload, key, view, grant);
      if (action.type === 'create' && this.#inherited.has(idOf(key))) {
        const live = await this.refresh(key, grant);
        if (!live) return {};
        workload = live;
        continue;
      }
      if (view.successor) await this.#tryOut(view.successor, { workload, pod, grant });
      if (view.rememberFirst) workload = await this.writeStatus(workload, view, grant);
      const { live, changed } = await this.#act(workload, action, grant);
      if (action.type === 'create' && !changed) return WHEN_QUIET;
      pod = live;
    }
    throw keptChanging('The pod');
  }

  #viewpoint({ term, holder, isForged, isFresh }: Grant & Freshness, workload: WorkloadProcess): Viewpoint {
    const { tenant, clusterName, maxGraceMs, clock } = this.#options;
    const past = this.#pasts.of(workload);
    const podDefaults = this.#options.podDefaults?.of(workload.metadata.namespace ?? '');
    return {
      tenant,
      clusterName,
      podDefaults,
      maxGraceMs,
      term,
      holder,
      isForged,
      isFresh,
      now: clock.wall(),
      ...(past && { past }),
    };
  }

  async #finish(workload: WorkloadProcess, key: ObjectKey, view: View, grant: Grant): Promise<Result> {
    await this.conclude(workload, view, grant);
    const result = view.requeueAfterMs === undefined ? {} : { requeueAfterMs: view.requeueAfterMs };
    return { ...result, ...(view.predecessor && (await this.#retirement.dispose(key, view.predecessor, grant))) };
  }

  /** Once per workload and term, before its first pod: did it run to its end under another leader? And when its pod knows more. */
  protected override async refresh(key: ObjectKey, grant: Grant): Promise<WorkloadProcess | undefined> {
    const live = await super.refresh(key, grant);
    this.#inherited.delete(idOf(key));
    if (live) await this.#pasts.recall(live, grant);
    return live;
  }

  /** The pod as it is after the action; `undefined` when there is none. */
  async #act(workload: WorkloadProcess, action: Action<Pod>, grant: Grant): Promise<Outcome<Pod>> {
    const { pods, logger } = this.#options;
    try {
      const outcome = await this.#applier.apply(action, grant);
      const { live, changed } = outcome;
      // The cache would never hear of the end of a pod that its selector does not match.
      if (live && workloadOf(live, PROCESS_KIND) && belongsTo(live, this.#options.tenant)) pods.observe(live);
      if (!changed) {
        logger.info('Changed pod', { ...fieldsOf(workload), action: action.type, reason: action.reason });
        this.recordEvent(workload, aboutAction(action, grant.term));
      }
      return outcome;
    } catch (error) {
      if (action.type === 'create' && error instanceof ApiError && isRefusal(error))
        return this.#reject(error, { workload, pod: undefined, grant });
      throw error;
    }
  }

  #tryOut(successor: Pod, scene: Scene): Promise<void> {
    return this.dryRun(successor, scene, (error) => this.#reject(error, scene));
  }

  #reject(error: ApiError, { workload, pod, grant }: Scene): Promise<never> {
    const at = this.#viewpoint({ ...grant, isFresh: false }, workload);
    const view = (verdict: Verdict) => refused(workload, pod && observePod(pod, at.now), at, verdict);
    return this.reportRejection(workload, { kind: 'Pod', error, view }, grant);
  }

  protected override async writeStatus(workload: WorkloadProcess, view: View, grant: Grant): Promise<WorkloadProcess> {
    await this.#pasts.remember(workload, view.memory, grant);
    return super.writeStatus(workload, view, grant);
  }
}

interface Scene {
  readonly workload: WorkloadProcess;
  readonly pod: Pod | undefined;
  readonly grant: Grant;
}

function idOf({ namespace = '', name }: { readonly namespace?: string | undefined; readonly name: string }): string {
  return `${namespace}/${name}`;
}

function fieldsOf({ metadata: { namespace = '', name } }: WorkloadProcess): ObjectKey {
  return { namespace, name };
}
