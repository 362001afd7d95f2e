/**
 * Pods whose workload is gone, is going, or belongs to somebody else. They are stopped without waiting for Kubernetes'
 * garbage collection, which takes tens of seconds for a kind that it has just learned of; names of pods that are gone
 * are set free.
 */
import { annotations } from '../../api/group.ts';
import type { Pod } from '../../api/kubernetes.ts';
import type { WorkloadProcess } from '../../api/process.ts';
import { PROCESS_KIND, processResource } from '../../api/process.ts';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Applier } from '../../reconcile/apply.ts';
import { controllerOf, tenantOf, workloadOf } from '../../reconcile/metadata.ts';
import type { Action } from '../../reconcile/plan.ts';
import { assertNotLater } from '../../reconcile/plan.ts';
import type { EventSink, ReadCache } from '../../reconcile/ports.ts';
import type { Grant, ObjectKey, Result } from '../../reconcile/reconciler.ts';
import { letGo } from './decide.ts';
import { untilLost } from './look.ts';
import type { Observation } from './observe.ts';
import { observePod } from './observe.ts';

const RECHECK_MS = 1000;

/** What pods are retired with. */
export interface RetirementOptions {
  readonly client: ClusterClient;
  readonly applier: Applier<Pod>;
  readonly pods: ReadCache<Pod>;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly tenant: string;
}

/** Stops pods that no workload of the tenant wants any more. */
export class Retirement {
  readonly #options: RetirementOptions;
  readonly #announced = new Set<string>();

  constructor(options: RetirementOptions) {
    this.#options = options;
  }

  /** `workload` is absent, being deleted, or of another tenant. */
  async retire(
    key: ObjectKey,
    workload: WorkloadProcess | undefined,
    pod: Pod | undefined,
    grant: Grant,
  ): Promise<Result> {
    if (!pod || workloadOf(pod, PROCESS_KIND)?.name !== key.name || tenantOf(pod) !== this.#options.tenant) return {};
    if (!workload) return this.dispose(key, pod, grant);
    assertNotLater(pod, grant.term, grant.isForged);
    const seen = observePod(
      pod,
      this.#options.clock.wall(),
      workload.metadata.annotations?.[annotations.confirmStopped],
    );
    if (seen.deleting) return this.#awaitEnd(seen, grant);
    const going = workload.metadata.deletionTimestamp !== undefined;
    if (going || controllerOf(pod)?.uid !== workload.metadata.uid) return {};
    return this.#apply({ type: 'stop', live: pod, reason: 'TenantChanged' }, grant);
  }

  /** For a pod of ours whose owner does not exist any more, as far as is known. */
  async dispose(key: ObjectKey, pod: Pod, grant: Grant): Promise<Result> {
    assertNotLater(pod, grant.term, grant.isForged);
    const { client, clock } = this.#options;
    const seen = observePod(pod, clock.wall());
    if (seen.deleting) return this.#awaitEnd(seen, grant);
    const owner = controllerOf(pod);
    if (!owner) return {}; // orphaned on purpose: it is a pod like any other now
    const live = await client.get<WorkloadProcess>(processResource, key, { signal: grant.signal });
    if (live?.metadata.uid === owner.uid) return { requeueAfterMs: RECHECK_MS };
    return this.#apply({ type: 'stop', live: pod, reason: 'OwnerGone' }, grant);
  }

  async #awaitEnd(seen: Observation, grant: Grant): Promise<Result> {
    const { uid = '' } = seen.pod.metadata;
    const action = letGo(seen);
    if (action) {
      this.#announced.delete(uid);
      return this.#apply(action, grant);
    }
    if (seen.lost) this.#announce(seen.pod, uid);
    const requeueAfterMs = untilLost(seen, this.#options.clock.wall());
    return requeueAfterMs === undefined ? {} : { requeueAfterMs };
  }

  /** The result of a change that was not carried out comes with its event; a look soon after does no harm. */
  async #apply(action: Action<Pod>, grant: Grant): Promise<Result> {
    const { live, changed } = await this.#options.applier.apply(action, grant);
    if (live) this.#options.pods.observe(live);
    return changed || live?.metadata.deletionTimestamp !== undefined ? { requeueAfterMs: RECHECK_MS } : {};
  }

  #announce(pod: Pod, uid: string): void {
    if (this.#announced.has(uid)) return;
    this.#announced.add(uid);
    const { name, namespace = '' } = pod.metadata;
    this.#options.events.record({
      regarding: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid },
      type: 'Warning',
      reason: 'WaitingForNode',
      action: 'Wait',
      note:
        `Node ${pod.spec.nodeName ?? ''} is unreachable, so the pod may still be running. If it has certainly stopped, confirm with: ` +
        `kubectl annotate pod ${name} -n ${namespace} --overwrite ${annotations.confirmStopped}=${uid}`,
    });
  }
}
