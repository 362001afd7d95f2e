/**
 * Keeps one pod per WorkloadProcess. It decides by pure functions (look, decide), acts one step at a time, and looks
 * again at what the API server answered. Starting a pod is the first write of all; the status follows.
 */
import { API_VERSION } from '../../api/group.ts';
import type { Pod } from '../../api/kubernetes.ts';
import type { WorkloadProcess } from '../../api/process.ts';
import { PROCESS_KIND, processResource } from '../../api/process.ts';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { ApiError, core } from '../../cluster/cluster-client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ProcessLedger } from '../../ledger/process-ledger.ts';
import { INVALID_AGAIN_MS, RetryLater, TerminalError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Outcome } from '../../reconcile/apply.ts';
import { fitsWithout, isQuota } from '../../reconcile/quota.ts';
import { Applier, isInvalid, isRefusal, lacksPermit, StatusWriter } from '../../reconcile/apply.ts';
import { belongsTo, controllerOf, tenantOf, workloadOf } from '../../reconcile/metadata.ts';
import type { NamespaceDefaults } from '../../reconcile/namespace-defaults.ts';
import { OlderThanChild } from '../../reconcile/forged-marks.ts';
import type { Action } from '../../reconcile/plan.ts';
import type { EventSink, ReadCache } from '../../reconcile/ports.ts';
import type { Grant, ObjectKey, Reconciler, Result } from '../../reconcile/reconciler.ts';
import { readyReason, timestamp } from '../../reconcile/status.ts';
import type { Tenancy } from '../../reconcile/tenancy.ts';
import { podName } from './desired.ts';
import { aboutAction, aboutVerdict } from './events.ts';
import type { View, Viewpoint } from './look.ts';
import { look, refused } from './look.ts';
import { observePod } from './observe.ts';
import { Pasts } from './past.ts';
import { Retirement } from './retirement.ts';

export interface ProcessReconcilerOptions {
  readonly client: ClusterClient;
  readonly workloads: ReadCache<WorkloadProcess>;
  readonly pods: ReadCache<Pod>;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly tenant: string;
  readonly tenancy: Tenancy;
  /** Shown to the pod as HIGHLANDER_CLUSTER. */
  readonly clusterName: string;
  /** Of the pod; what asks for more is not started. */
  readonly maxGraceMs: number;
  /** What processes have behind them in other clusters. */
  readonly pasts: ProcessLedger;
  /** What pods get that neither the spec nor its podTemplate says; absent: nothing. */
  readonly podDefaults?: NamespaceDefaults | undefined;
  readonly logger: Logger;
}

/** Steps in one reconcile; the longest regular way is release, purge, refresh, create. */
const MAX_STEPS = 8;
/** A new pod is reported when there is time: in a burst the pods of others come first. */
const WHEN_QUIET: Result = { requeueAfterMs: 0 };
const AGAIN_MS = 200;
/** A permit that somebody deleted is written again within half a minute, by any controller of the cluster: no back-off outlasts that. */
const NO_PERMIT_MS = 5000;

export class ProcessReconciler implements Reconciler {
  readonly kind = PROCESS_KIND;
  readonly #options: ProcessReconcilerOptions;
  readonly #applier: Applier<Pod>;
  readonly #statuses: StatusWriter<WorkloadProcess>;
  readonly #retirement: Retirement;
  readonly #pasts: Pasts;
  #term: number | undefined;
  /** Workloads that were there when the term began: another leader may have written what our cache has not seen. */
  readonly #inherited = new Set<string>();

  constructor(options: ProcessReconcilerOptions) {
    this.#options = options;
    this.#applier = new Applier(options.client, core.pods);
    this.#statuses = new StatusWriter(options.client, processResource);
    this.#retirement = new Retirement({ ...options, applier: this.#applier });
    this.#pasts = new Pasts(options.pasts);
  }

  async reconcile(key: ObjectKey, grant: Grant): Promise<Result> {
    this.#begin(grant.term);
    const { workloads, pods, tenancy, clock } = this.#options;
    const workload = workloads.get(key);
    const pod = pods.get({ namespace: key.namespace, name: podName(key.name) });
    if (!workload) await this.#pasts.forget(key, grant);
    if (!workload || workload.metadata.deletionTimestamp) return this.#retirement.retire(key, workload, pod, grant);
    const ownership = tenancy.of(workload, pod !== undefined && this.#runs(pod, workload));
    if (ownership === 'ours') return this.#bringUp(workload, pod, grant);
    if (ownership === 'claimable') return this.#take(workload, pod, grant);
    const result = await this.#retirement.retire(key, workload, pod, grant);
    if (!pod) await this.#statuses.disown(workload, tenancy, { now: timestamp(clock.wall()), grant });
    return result;
  }

  #runs(pod: Pod, { metadata }: WorkloadProcess): boolean {
    const isOurs = tenantOf(pod) === this.#options.tenant && controllerOf(pod)?.uid === metadata.uid;
    return isOurs && pod.metadata.deletionTimestamp === undefined;
  }

  async #take(workload: WorkloadProcess, pod: Pod | undefined, grant: Grant): Promise<Result> {
    const { tenancy, clock, workloads } = this.#options;
    const taken = await this.#statuses.take(workload, tenancy, { now: clock.wall(), grant });
    if (!taken) return {};
    workloads.observe(taken);
    return this.#bringUp(taken, pod, grant);
  }

  #begin(term: number): void {
    if (this.#term === term) return;
    this.#term = term;
    this.#inherited.clear();
    this.#pasts.clear();
    for (const { metadata } of this.#options.workloads.list()) this.#inherited.add(idOf(metadata));
  }

  async #bringUp(first: WorkloadProcess, cached: Pod | undefined, grant: Grant): Promise<Result> {
    await this.#options.podDefaults?.load(first.metadata.namespace ?? '');
    try {
      return await this.#takeSteps(first, cached, { grant, isFresh: false });
    } catch (error) {
      if (!(error instanceof OlderThanChild)) throw error;
      const live = await this.#refresh(first, grant);
      return live ? this.#takeSteps(live, cached, { grant, isFresh: true }) : {};
    }
  }

  async #takeSteps(
    first: WorkloadProcess,
    cached: Pod | undefined,
    { grant, isFresh }: { readonly grant: Grant; readonly isFresh: boolean },
  ): Promise<Result> {
    let workload = first;
    let pod = cached;
    for (let step = 0; step < MAX_STEPS; step++) {
      const view = look(workload, pod, { ...this.#viewpoint(grant, workload), isFresh });
      const { action } = view;
      if (!action) return this.#conclude(workload, view, grant);
      if (action.type === 'create' && this.#inherited.has(idOf(workload.metadata))) {
        const live = await this.#refresh(workload, grant);
        if (!live) return {};
        workload = live;
        continue;
      }
      if (view.successor) await this.#rehearse(view.successor, { workload, pod, grant });
      if (view.rememberFirst) workload = await this.#say(workload, view, grant);
      const { live, changed } = await this.#act(workload, action, grant);
      if (action.type === 'create' && !changed) return WHEN_QUIET;
      pod = live;
    }
    throw new RetryLater(AGAIN_MS, 'The pod kept changing while it was worked on');
  }

  #viewpoint({ term, holder, isForged }: Grant, workload: WorkloadProcess): Omit<Viewpoint, 'isFresh'> {
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
      now: clock.wall(),
      ...(past && { past }),
    };
  }

  async #conclude(workload: WorkloadProcess, view: View, grant: Grant): Promise<Result> {
    await this.#say(workload, view, grant);
    if (view.terminal) throw view.terminal;
    const { namespace = '', name } = workload.metadata;
    const result = view.requeueAfterMs === undefined ? {} : { requeueAfterMs: view.requeueAfterMs };
    if (!view.predecessor) return result;
    return { ...result, ...(await this.#retirement.dispose({ namespace, name }, view.predecessor, grant)) };
  }

  /** Once per workload and term, before its first pod: did it run to its end under another leader? And when its pod knows more. */
  async #refresh(workload: WorkloadProcess, grant: Grant): Promise<WorkloadProcess | undefined> {
    const { name, namespace = '' } = workload.metadata;
    const live = await this.#options.client.get<WorkloadProcess>(
      processResource,
      { name, namespace },
      { signal: grant.signal },
    );
    this.#inherited.delete(idOf(workload.metadata));
    if (live) this.#options.workloads.observe(live);
    if (live) await this.#pasts.recall(live, grant);
    if (live?.metadata.deletionTimestamp || (live && this.#options.tenancy.of(live) !== 'ours')) return undefined;
    return live;
  }

  /** The pod as it is after the action; `undefined` when there is none. */
  async #act(workload: WorkloadProcess, action: Action<Pod>, grant: Grant): Promise<Outcome<Pod>> {
    const { pods, events, logger } = this.#options;
    try {
      const outcome = await this.#applier.apply(action, grant);
      const { live, changed } = outcome;
      // The cache would never hear of the end of a pod that its selector does not match.
      if (live && workloadOf(live, PROCESS_KIND) && belongsTo(live, this.#options.tenant)) pods.observe(live);
      if (!changed) {
        logger.info('Changed pod', { ...fieldsOf(workload), action: action.type, reason: action.reason });
        const event = aboutAction(action, grant.term);
        if (event) events.record({ regarding: referenceTo(workload), ...event });
      }
      return outcome;
    } catch (error) {
      if (action.type === 'create' && error instanceof ApiError && isRefusal(error))
        await this.#refuse(error, { workload, pod: undefined, grant });
      throw error;
    }
  }

  /** What the API server would not let in must not cost the pod that runs, whatever refuses it. */
  async #rehearse(successor: Pod, scene: Scene): Promise<void> {
    try {
      await this.#applier.rehearse(successor, scene.grant);
    } catch (error) {
      if (!(error instanceof ApiError) || !isRefusal(error)) throw error;
      // A quota may only have no room for both.
      if (isQuota(error.message) && fitsWithout(error.message, scene.pod)) return;
      await this.#refuse(error, scene);
      throw error;
    }
  }

  /** The API server will not have the pod: says so, then fails for good (Invalid) or to be tried again. */
  async #refuse(error: ApiError, { workload, pod, grant }: Scene): Promise<void> {
    const invalid = isInvalid(error);
    const reason = invalid ? 'PodInvalid' : 'PodRefused';
    const verdict = {
      state: invalid ? 'stalled' : 'working',
      reason,
      message: error.message,
      problem: error.message,
    } as const;
    const at = { ...this.#viewpoint(grant, workload), isFresh: false };
    await this.#say(workload, refused(workload, pod && observePod(pod, at.now), at, verdict), grant);
    if (invalid) throw new TerminalError(reason, error.message, { cause: error, retryAfterMs: INVALID_AGAIN_MS });
    if (lacksPermit(error)) throw new RetryLater(NO_PERMIT_MS, error.message, { cause: error });
  }

  async #say(workload: WorkloadProcess, view: View, grant: Grant): Promise<WorkloadProcess> {
    await this.#pasts.remember(workload, view.memory, grant);
    const written = await this.#statuses.write(workload, view.status, grant);
    if (!written) return workload;
    this.#options.workloads.observe(written);
    const event = readyReason(workload.status) === view.verdict.reason ? undefined : aboutVerdict(view.verdict);
    if (event) this.#options.events.record({ regarding: referenceTo(workload), ...event });
    return written;
  }
}

interface Scene {
  readonly workload: WorkloadProcess;
  readonly pod: Pod | undefined;
  readonly grant: Grant;
}

function idOf({ namespace = '', name }: WorkloadProcess['metadata']): string {
  return `${namespace}/${name}`;
}

function fieldsOf({ metadata: { namespace = '', name } }: WorkloadProcess): ObjectKey {
  return { namespace, name };
}

function referenceTo({ metadata: { namespace = '', name, uid = '' } }: WorkloadProcess) {
  return { apiVersion: API_VERSION, kind: PROCESS_KIND, namespace, name, uid };
}
