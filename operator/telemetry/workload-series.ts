/**
 * The series of single workloads. They come and go with the workloads, and there is an upper limit: scraping tens of
 * thousands of series would block everything else.
 */
import type { Definitions } from './definitions.ts';

/** As the original labels them: `process`, `cronjob`, `service`, `persistent`. */
export interface WorkloadRef {
  readonly type: string;
  readonly namespace: string;
  readonly name: string;
}

/** Hears of single workloads. */
export interface WorkloadObserver {
  status(workload: WorkloadRef, active: boolean): void;
  operation(workload: WorkloadRef, operation: string): void;
  failed(workload: WorkloadRef, errorType: string): void;
  /** The workload is gone: so are its series. */
  forget(workload: WorkloadRef): void;
}

/** Workloads beyond these have no series of their own. */
const MAX_WORKLOADS = 2000;

interface Labels {
  readonly workload: WorkloadRef;
  readonly operations: Set<string>;
  readonly errorTypes: Set<string>;
}

/** Counts for single workloads; those beyond `limit` have no series. */
export function workloadObserver(metrics: Definitions, limit = MAX_WORKLOADS): WorkloadObserver {
  const known = new Map<string, Labels>();

  const labelsOf = (workload: WorkloadRef): Labels | undefined => {
    const key = `${workload.type}/${workload.namespace}/${workload.name}`;
    const found = known.get(key);
    if (found || known.size >= limit) return found;
    const labels = { workload: { ...workload }, operations: new Set<string>(), errorTypes: new Set<string>() };
    known.set(key, labels);
    return labels;
  };

  return {
    status(workload, active) {
      if (labelsOf(workload)) setStatus(metrics, workload, active ? 1 : 0);
    },
    operation(workload, operation) {
      labelsOf(workload)?.operations.add(operation);
      if (labelsOf(workload)) metrics.workloadOperations.inc({ type: workload.type, name: workload.name, operation });
    },
    failed(workload, errorType) {
      labelsOf(workload)?.errorTypes.add(errorType);
      if (labelsOf(workload))
        metrics.workloadErrors.inc({ type: workload.type, name: workload.name, error_type: errorType });
    },
    forget(workload) {
      const key = `${workload.type}/${workload.namespace}/${workload.name}`;
      const labels = known.get(key);
      if (!labels || !known.delete(key)) return;
      removeStatus(metrics, workload);
      if (!hasNamesake(known.values(), workload)) removeCounters(metrics, labels);
    },
  };
}

function setStatus(metrics: Definitions, { type, name, namespace }: WorkloadRef, value: number): void {
  metrics.workloadStatus.set({ type, name, namespace }, value);
  if (type === 'process') metrics.processStatus.set({ name, namespace }, value);
}

function removeStatus(metrics: Definitions, { type, name, namespace }: WorkloadRef): void {
  metrics.workloadStatus.remove({ type, name, namespace });
  if (type === 'process') metrics.processStatus.remove({ name, namespace });
}

/** The original's counters carry no namespace: workloads of one name share them. */
function hasNamesake(others: Iterable<Labels>, { type, name }: WorkloadRef): boolean {
  return [...others].some(({ workload }) => workload.type === type && workload.name === name);
}

function removeCounters(metrics: Definitions, { workload: { type, name }, operations, errorTypes }: Labels): void {
  for (const operation of operations) metrics.workloadOperations.remove({ type, name, operation });
  for (const error_type of errorTypes) metrics.workloadErrors.remove({ type, name, error_type });
}
