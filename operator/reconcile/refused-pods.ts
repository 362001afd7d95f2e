/**
 * Says why what makes pods makes none: of a Deployment Kubernetes reports it as a condition, of a StatefulSet or a Job only
 * in events. Whoever has waited for a pod for a while tries out what the API server says to it.
 */
import { childTypes } from '../api/children.ts';
import type { Pod } from '../api/kubernetes.ts';
import type { ClusterClient } from '../cluster/cluster-client.ts';
import { ApiError } from '../cluster/cluster-client.ts';
import { Applier, isRefusal } from './apply.ts';
import type { Attendant } from './attendant.ts';
import type { MissingPod } from './missing-pod.ts';
import { podsRefused } from './missing-pod.ts';
import type { Sight } from './child-look.ts';
import type { Grant } from './reconciler.ts';
import type { Report } from './status.ts';

/** How long Kubernetes may take to make a pod, and between two looks at why it has not, milliseconds. */
const PATIENCE_MS = 5000;
const RECHECK_MS = 10_000;
/** Of those that wait, so many are remembered. */
const MAX_WAITING = 1000;

/** Tries out pods that nobody makes, by dry runs. */
export class RefusedPods<S> implements Attendant<S> {
  readonly #pods: Applier<Pod>;
  readonly #missing: (sight: Sight) => MissingPod | undefined;
  /** By workload: the maker, and since when nothing came of it, milliseconds since the epoch. */
  readonly #waiting = new Map<string, { readonly makerUid: string; readonly since: number }>();

  /** `missing` is pure. */
  constructor(client: ClusterClient, missing: (sight: Sight) => MissingPod | undefined) {
    this.#pods = new Applier<Pod>(client, childTypes.pods);
    this.#missing = missing;
  }

  async attend(sight: Sight, _spec: S, report: Report, grant: Grant): Promise<Report> {
    const { uid = '', namespace = '' } = sight.owner;
    const missing = this.#missing(sight);
    if (!missing) {
      this.#waiting.delete(uid);
      return report;
    }
    const waited = sight.now - this.#since(uid, missing.makerUid, sight.now);
    if (waited < PATIENCE_MS) return sooner(report, PATIENCE_MS - waited);
    const { name, template } = missing;
    const metadata = { ...template.metadata, name, namespace };
    try {
      await this.#pods.rehearse({ apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec }, grant);
      return sooner(report, RECHECK_MS);
    } catch (error) {
      if (!(error instanceof ApiError) || !isRefusal(error)) throw error;
      const why = podsRefused(error.message);
      return sooner({ ...report, ...why, state: report.state === 'stalled' ? 'stalled' : why.state }, RECHECK_MS);
    }
  }

  #since(uid: string, makerUid: string, now: number): number {
    const known = this.#waiting.get(uid);
    if (known?.makerUid === makerUid) return known.since;
    if (this.#waiting.size >= MAX_WAITING) this.#waiting.clear();
    this.#waiting.set(uid, { makerUid, since: now });
    return now;
  }
}

function sooner(report: Report, ms: number): Report {
  return { ...report, requeueAfterMs: Math.min(report.requeueAfterMs ?? ms, ms) };
}
