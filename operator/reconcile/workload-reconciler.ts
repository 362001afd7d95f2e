/**
 * What reconciling is for every kind of workload: whose it is, the steps towards what it asks for, and one place for its
 * status, its events and what the API server refuses. A kind adds what it decides.
 */
import { childTypes } from '../api/children.ts';
import { API_VERSION } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';

import type { ClusterClient, ResourceType } from '../cluster/cluster-client.ts';
import { ApiError } from '../cluster/cluster-client.ts';
import type { Clock } from '../lib/clock.ts';
import { INVALID_AGAIN_MS, RetryLater, TerminalError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { Applier, isInvalid, isRefusal, lacksPermit, StatusWriter } from './apply.ts';
import type { EventText } from './child-events.ts';
import type { Workload } from './child-look.ts';
import { OlderThanChild } from './forged-marks.ts';
import type { NamespaceDefaults } from './namespace-defaults.ts';
import type { EventSink, ReadCache } from './ports.ts';
import { fitsWithout, isQuota } from './quota.ts';
import type { Grant, ObjectKey, Reconciler, Result } from './reconciler.ts';
import type { CommonStatus, Verdict } from './status.ts';
import { readyReason, timestamp } from './status.ts';
import type { Tenancy } from './tenancy.ts';

/** What workloads of every kind are reconciled with. */
export interface WorkloadReconcilerOptions<W> {
  readonly client: ClusterClient;
  readonly workloads: ReadCache<W>;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly tenant: string;
  readonly tenancy: Tenancy;
  /** Shown to the pods as HIGHLANDER_CLUSTER. */
  readonly clusterName: string;
  /** Of their pods; what asks for more is not started. Milliseconds. */
  readonly maxGraceMs: number;
  /** What pods get that neither the spec nor its podTemplate says; absent: nothing. */
  readonly podDefaults?: NamespaceDefaults | undefined;
  readonly logger: Logger;
}

/** How a workload does, and what its status is to say. */
export interface WorkloadView {
  readonly verdict: Verdict;
  readonly status: CommonStatus;
  /** Thrown when the status is written. */
  readonly terminal?: TerminalError;
}

/** How new the objects are that a decision goes by. */
export interface Freshness {
  /** The workload was read from the API server after its children were. */
  readonly isFresh: boolean;
}

/** How far the removal of what is no longer wanted has come. */
export interface Retired {
  readonly result: Result;
  /** Nothing of ours is left. */
  readonly isOver: boolean;
}

interface Rejection<V> {
  /** Kind of the object that the API server refuses. */
  readonly kind: string;
  readonly error: ApiError;
  /** The view that says so. */
  readonly view: (verdict: Verdict) => V;
}

/** What was created is reported when there is time: in a burst the children of others come first. */
export const WHEN_QUIET: Result = { requeueAfterMs: 0 };
const AGAIN_MS = 200;
/** A permit that somebody deleted is written again within half a minute, by any controller of the cluster: no back-off outlasts that. */
const NO_PERMIT_MS = 5000;

/** The loop of one kind; a kind extends it with its decisions. */
export abstract class WorkloadReconciler<W extends Workload, V extends WorkloadView> implements Reconciler {
  readonly kind: string;
  readonly #resource: ResourceType;
  readonly #options: WorkloadReconcilerOptions<W>;
  readonly #statuses: StatusWriter<W>;
  readonly #pods: Applier<Pod>;

  constructor(resource: ResourceType & { readonly kind: string }, options: WorkloadReconcilerOptions<W>) {
    this.kind = resource.kind;
    this.#resource = resource;
    this.#options = options;
    this.#statuses = new StatusWriter(options.client, resource);
    this.#pods = new Applier(options.client, childTypes.pods);
  }

  /** Something was made for that very workload, and is to stay. */
  protected abstract runs(key: ObjectKey, workload: W): boolean;

  /** `workload` is absent, being deleted, or of another tenant. */
  protected abstract retire(key: ObjectKey, workload: W | undefined, grant: Grant): Promise<Retired>;

  /** Until there is nothing to be done. Throws `OlderThanChild` when the workload must be read anew first. */
  protected abstract takeSteps(workload: W, key: ObjectKey, grant: Grant & Freshness): Promise<Result>;

  protected abstract eventOf(verdict: Verdict): EventText | undefined;

  async reconcile(key: ObjectKey, grant: Grant): Promise<Result> {
    const { workloads, tenancy, clock } = this.#options;
    const workload = workloads.get(key);
    if (!workload || workload.metadata.deletionTimestamp !== undefined)
      return (await this.retire(key, workload, grant)).result;
    const ownership = tenancy.of(workload, this.runs(key, workload));
    if (ownership === 'ours') return this.#ensureRunning(workload, key, grant);
    if (ownership === 'claimable') return this.#claim(workload, key, grant);
    const { result, isOver } = await this.retire(key, workload, grant);
    if (isOver) await this.#statuses.disown(workload, tenancy, { now: timestamp(clock.wall()), grant });
    return result;
  }

  async #claim(workload: W, key: ObjectKey, grant: Grant): Promise<Result> {
    const { workloads, tenancy, clock } = this.#options;
    const claimed = await this.#statuses.take(workload, tenancy, { now: clock.wall(), grant });
    if (!claimed) return {};
    workloads.observe(claimed);
    return this.#ensureRunning(claimed, key, grant);
  }

  async #ensureRunning(workload: W, key: ObjectKey, grant: Grant): Promise<Result> {
    await this.#options.podDefaults?.load(key.namespace);
    try {
      return await this.takeSteps(workload, key, { ...grant, isFresh: false });
    } catch (error) {
      if (!(error instanceof OlderThanChild)) throw error;
      const live = await this.refresh(key, grant);
      return live ? this.takeSteps(live, key, { ...grant, isFresh: true }) : {};
    }
  }

  /** As the API server has it; undefined: nothing of it is to run here any more, and its event comes. */
  protected async refresh(key: ObjectKey, grant: Grant): Promise<W | undefined> {
    const { client, workloads, tenancy } = this.#options;
    const live = await client.get<W>(this.#resource, key, { signal: grant.signal });
    if (!live) return undefined;
    workloads.observe(live);
    const isOurs = tenancy.of(live, this.runs(key, live)) === 'ours';
    return live.metadata.deletionTimestamp === undefined && isOurs ? live : undefined;
  }

  /** Writes what there is to say at the end of the steps. */
  protected async conclude(workload: W, view: V, grant: Grant): Promise<void> {
    await this.writeStatus(workload, view, grant);
    if (view.terminal) throw view.terminal;
  }

  /** The workload as it is with its new status. */
  protected async writeStatus(workload: W, view: V, grant: Grant): Promise<W> {
    const written = await this.#statuses.write(workload, view.status, grant);
    if (!written) return workload;
    this.#options.workloads.observe(written);
    if (readyReason(workload.status) !== view.verdict.reason) this.recordEvent(workload, this.eventOf(view.verdict));
    return written;
  }

  protected recordEvent({ metadata: { namespace = '', name, uid = '' } }: W, event: EventText | undefined): void {
    const regarding = { apiVersion: API_VERSION, kind: this.kind, namespace, name, uid };
    if (event) this.#options.events.record({ regarding, ...event });
  }

  /**
   * Before an edit ends what runs: whatever would refuse the next pod, the old one runs on. `reject` throws, or resolves
   * where the edit itself says better what is wrong.
   */
  protected async dryRun(
    successor: Pod,
    { pod, grant }: { readonly pod: Pod | undefined; readonly grant: Grant },
    reject: (error: ApiError) => Promise<void>,
  ): Promise<void> {
    try {
      await this.#pods.rehearse(successor, grant);
    } catch (error) {
      if (!(error instanceof ApiError) || !isRefusal(error)) throw error;
      // A quota may only have no room for both.
      if (isQuota(error.message) && fitsWithout(error.message, pod)) return;
      await reject(error);
    }
  }

  /** Writes what the API server refuses into the status; then fails for good (Invalid), or to be tried again. */
  protected async reportRejection(workload: W, { kind, error, view }: Rejection<V>, grant: Grant): Promise<never> {
    const isFinal = isInvalid(error);
    const { message } = error;
    const reason = `${kind}${isFinal ? 'Invalid' : 'Refused'}`;
    const verdict: Verdict = { state: isFinal ? 'stalled' : 'working', reason, message, problem: message };
    await this.writeStatus(workload, view(verdict), grant);
    if (isFinal) throw new TerminalError(reason, message, { cause: error, retryAfterMs: INVALID_AGAIN_MS });
    if (lacksPermit(error)) throw new RetryLater(NO_PERMIT_MS, message, { cause: error });
    throw error;
  }
}

/** Others change what is being worked on, again and again. */
export function keptChanging(what: string): RetryLater {
  return new RetryLater(AGAIN_MS, `${what} kept changing during the reconcile`);
}
