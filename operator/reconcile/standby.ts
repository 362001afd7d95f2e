/** What a workload's status says in a cluster that does not run it, or not yet. Pure. */
import type { CommonStatus, Occasion, Verdict } from './status.ts';
import { composeStatus } from './status.ts';

/** Who runs it, as far as is known here. */
export interface Elsewhere {
  readonly clusterName: string;
  /** null: nobody does. */
  readonly holder: string | null;
  /** Of it something may still run here. */
  readonly stillRuns: boolean;
  /** Why the API server does not let it be stopped. */
  readonly refusedBecause?: string | undefined;
  /** Name of the cluster in which something of it may still run, although this one runs all else. */
  readonly endsIn?: string;
}

/** What must be known when it is run here again. */
const REMEMBERED = [
  'restarts',
  'completedGeneration',
  'completedTemplateHash',
  'lastScheduleTime',
  'lastSuccessfulTime',
];

/** Where nothing is to run and nothing does, all is as it should be: Ready, so that nobody waits for it to change. */
export function standbyStatus(
  previous: CommonStatus | undefined,
  elsewhere: Elsewhere,
  occasion: Occasion,
): CommonStatus {
  const kept = Object.entries(previous ?? {}).filter(([field]) => REMEMBERED.includes(field));
  const facts = { ...Object.fromEntries(kept), active: elsewhere.stillRuns, healthy: false };
  return composeStatus<CommonStatus>(facts, verdictOf(elsewhere), occasion, previous);
}

/** An object of it cannot be stopped, and only a person can change that. */
export const STOP_REFUSED = 'StopRefused';

function verdictOf({ clusterName, holder, stillRuns, refusedBecause, endsIn }: Elsewhere): Verdict {
  if (endsIn !== undefined) {
    const message = `Waiting for a pod in cluster ${endsIn} to terminate before starting here`;
    return { state: 'working', reason: 'WaitingForCluster', message, problem: message };
  }
  if (stillRuns && refusedBecause !== undefined) {
    const message = `This cluster's permit has expired, but the API server refuses to stop this workload: ${refusedBecause}`;
    return { state: 'working', reason: STOP_REFUSED, message, problem: message };
  }
  if (stillRuns) {
    const message = "This cluster's permit has expired and a pod is still terminating; other clusters wait for it";
    return { state: 'working', reason: 'Stopping', message, problem: message };
  }
  const where =
    holder === null
      ? 'There is no leader, so this workload is not running'
      : `Running in cluster ${clusterName} (leader: ${holder})`;
  return { state: 'done', reason: 'Standby', message: where };
}
