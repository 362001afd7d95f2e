/** The children that a workload asks for, as the production code makes them. */
import { childTypes } from '../api/children.ts';
import type { ChildType } from '../api/children.ts';
import { CRON_JOB_KIND, cronJobSpec } from '../api/cronjob.ts';
import { unsupportedKind } from '../api/kinds.ts';
import type { ObjectMeta } from '../api/kubernetes.ts';
import { PERSISTENT_KIND, persistentSpec } from '../api/persistent.ts';
import type { PodDefaults } from '../api/pod-defaults.ts';
import { PROCESS_KIND } from '../api/process.ts';
import { SERVICE_KIND, serviceSpec } from '../api/service.ts';
import { checkedSpec } from '../api/spec.ts';
import type { AnyChild, Claim, Live } from '../reconcile/child.ts';
import { withoutNulls } from '../reconcile/contains.ts';
import { desired as cronJob } from '../workloads/cronjob/desired.ts';
import { desired as persistent } from '../workloads/persistent/desired.ts';
import { desiredPod, parseSpec } from '../workloads/process/desired.ts';
import { desired as service } from '../workloads/service/desired.ts';

/** What the children depend on besides their workload. */
export interface Setting {
  readonly tenant: string;
  readonly clusterName: string;
  /** Term of the leader that would write them. */
  readonly term: number;
  /** Children that there are. */
  readonly live: Live;
  readonly holderOf?: Claim['holderOf'];
  /** `kubernetes` unless told. */
  readonly podDefaults?: PodDefaults | undefined;
}

/** A child as it would be applied. */
export interface Rendered {
  readonly type: ChildType;
  readonly object: AnyChild;
}

/** For a workload of which nothing exists yet. */
export const NOTHING_LIVE: Live = { get: () => undefined, list: () => [] };

/** Throws `TerminalError` that names the field. */
export function render(
  { kind, metadata, spec }: { readonly kind: string; readonly metadata: ObjectMeta; readonly spec: unknown },
  { tenant, clusterName, term, live, holderOf, podDefaults }: Setting,
): readonly Rendered[] {
  const stamp = { term, generation: metadata.generation ?? 1 };
  const claim = (component: string): Claim => {
    const place = { tenant, clusterName, podDefaults };
    return { owner: metadata, kind, component, ...place, scope: 'single', stamp, live, holderOf };
  };
  switch (kind) {
    case PROCESS_KIND: {
      const { object } = desiredPod(metadata, parseSpec(spec), { tenant, clusterName, podDefaults }, stamp);
      return [{ type: childTypes.pods, object }];
    }
    case SERVICE_KIND:
      return plain(service(claim('service'), checkedSpec(serviceSpec, spec)));
    case PERSISTENT_KIND:
      return plain(persistent(claim('persistent'), checkedSpec(persistentSpec, spec)));
    case CRON_JOB_KIND:
      return plain(cronJob(claim('cronjob'), checkedSpec(cronJobSpec, spec)));
    default:
      throw new Error(unsupportedKind(kind));
  }
}

function plain(children: readonly Rendered[]): readonly Rendered[] {
  return children.map(({ type, object }) => ({ type, object: withoutNulls(object) }));
}
