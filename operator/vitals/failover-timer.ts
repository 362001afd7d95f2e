/** How long a failover took for the workloads: until the last of them was ready again, under the new leader. */
import type { KubeObject } from '../cluster/cluster-client.ts';
import type { Watched } from '../cluster/namespaces.ts';
import type { CommonStatus } from '../reconcile/status.ts';
import type { Tenancy } from '../reconcile/tenancy.ts';
import type { Base } from '../context.ts';

/** What is timed, and what counts as ready. */
export interface FailoverTimerOptions {
  readonly base: Base;
  /** The term in which this controller may act now. */
  readonly term: () => number | undefined;
  readonly tenancy: Tenancy;
  readonly sources: readonly Watched<KubeObject>[];
}

type Workload = KubeObject & { status?: CommonStatus };

const LOOK_MS = 250;
/** One that is not ready after so long has another trouble than the failover. */
const LIMIT_MS = 300_000;

/** `gapMs`: from the last sign of the leader before until `term` began. Resolves when it was measured, or came to nothing. */
export async function timeFailover(options: FailoverTimerOptions, term: number, gapMs: number): Promise<void> {
  const { clock, metrics } = options.base;
  const beganAt = clock.monotonic();
  const isInTime = () => options.term() === term && clock.monotonic() - beganAt < LIMIT_MS;
  while (isInTime() && !allReady(options, term)) await clock.sleep(LOOK_MS);
  if (isInTime()) metrics.lease.tookOver((gapMs + clock.monotonic() - beganAt) / 1000);
}

function allReady({ sources, tenancy }: FailoverTimerOptions, term: number): boolean {
  const isOurs = (workload: Workload): boolean => tenancy.of(workload) === 'ours';
  return sources.every((source) =>
    (source.list() as readonly Workload[]).every((each) => !isOurs(each) || isReady(each, term)),
  );
}

/** Or never will be: that is no matter of the failover. */
function isReady({ status }: Workload, term: number): boolean {
  const has = (type: string) =>
    status?.conditions?.some((each) => each.type === type && each.status === 'True') ?? false;
  return status?.controller?.term === term && (has('Ready') || has('Stalled'));
}
