/** One look at a process: its custom resource and its pod in, what to do and what to say about it out. Pure. */
import { assertGrace } from '../../api/grace.ts';
import { annotations } from '../../api/group.ts';
import type { Pod } from '../../api/kubernetes.ts';
import type { ProcessSpec, ProcessStatus, WorkloadProcess } from '../../api/process.ts';
import { PROCESS_KIND } from '../../api/process.ts';
import { TerminalError } from '../../lib/errors.ts';
import { selectorText } from '../../reconcile/child.ts';
import { correct, correctionOf } from '../../reconcile/forged-marks.ts';
import { LOST_AFTER_MS } from '../../reconcile/gone.ts';
import { controllerOf, tenantOf } from '../../reconcile/metadata.ts';
import type { Action, Standing } from '../../reconcile/plan.ts';
import { assertNotLater, standingOf } from '../../reconcile/plan.ts';
import type { IsForged } from '../../reconcile/plan.ts';
import type { Verdict } from '../../reconcile/status.ts';
import { composeStatus, occasionOf } from '../../reconcile/status.ts';
import type { Decision, Memory, Situation } from './decide.ts';
import { decide, letGo } from './decide.ts';
import type { Place } from './desired.ts';
import { desiredPod, parseSpec } from './desired.ts';
import type { Observation } from './observe.ts';
import { judgedBy, observePod, RESTARTS_BEFORE } from './observe.ts';
import type { Facts } from './verdict.ts';
import { factsOf, verdictOf } from './verdict.ts';

/** Who looks, and when. */
export interface Viewpoint extends Place {
  readonly term: number;
  readonly holder: string;
  readonly isForged?: IsForged | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly maxGraceMs: number;
  /** The workload was read from the API server after its pod was. */
  readonly isFresh: boolean;
  /** What is known of this process from another cluster. */
  readonly past?: Situation['past'];
}

/** What is seen, what to do next, and what to write. */
export interface View {
  readonly memory: Memory;
  readonly action?: Action<Pod>;
  readonly rememberFirst: boolean;
  /** What the pod that the action stops makes room for. */
  readonly successor?: Pod;
  readonly verdict: Verdict;
  readonly status: ProcessStatus;
  /** Milliseconds after which time alone may change the picture. */
  readonly requeueAfterMs?: number;
  /** The pod of a deleted workload of the same name is in the way. */
  readonly predecessor?: Pod;
  /** Thrown when all is said and done. */
  readonly terminal?: TerminalError;
}

const RECHECK_FOREIGN_MS = 10_000;
const RECHECK_PREDECESSOR_MS = 1000;
const RECHECK_TENANT_MS = 5000;

/** Throws `HigherTermSeen`, and `OlderThanChild` when the custom resource may be newer than what was passed in. */
export function look(workload: WorkloadProcess, pod: Pod | undefined, at: Viewpoint): View {
  const { name, uid = '', annotations: notes = {} } = workload.metadata;
  if (!pod) return lookAtOurs(workload, undefined, at);
  const holder = workload.status?.controller?.tenant;
  const standing = standingOf(pod, { tenant: at.tenant, kind: PROCESS_KIND, name, uid, holder });
  if (standing !== 'ours') return blocked(workload, pod, standing, at);
  // Terms of another tenant, to which its label says it belongs, are counted apart.
  if (tenantOf(pod) === at.tenant) assertNotLater(pod, at.term, at.isForged);
  const seen = observePod(pod, at.now, notes[annotations.confirmStopped]);
  const action = forgeryOf(workload, seen, at);
  const view = lookAtOurs(workload, seen, at);
  return action ? { ...view, action, rememberFirst: false } : view;
}

/** What the pod says that its workload contradicts is put right before anything goes by it. */
function forgeryOf(workload: WorkloadProcess, seen: Observation, at: Viewpoint): Action<Pod> | undefined {
  const witness = { generation: generationOf(workload), isFresh: at.isFresh };
  const correction = correctionOf(seen.pod, witness);
  if (correction) return correction;
  // Each restart is in the status before the pod that counts on from it is made.
  const told = Math.max(workload.status?.restarts ?? 0, at.past?.restarts ?? 0);
  if (seen.generation !== witness.generation || seen.restartsBefore <= told) return undefined;
  return correct(seen.pod, { [RESTARTS_BEFORE]: String(told) }, at.isFresh);
}

function lookAtOurs(workload: WorkloadProcess, seen: Observation | undefined, at: Viewpoint): View {
  try {
    return lookWithSpec(workload, parseSpec(workload.spec), seen, at);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    const { reason, message } = error;
    return { ...refused(workload, seen, at, { state: 'stalled', reason, message, problem: message }), terminal: error };
  }
}

function lookWithSpec(
  workload: WorkloadProcess,
  spec: ProcessSpec,
  first: Observation | undefined,
  at: Viewpoint,
): View {
  const { status, metadata } = workload;
  const stamp = { term: at.term, generation: generationOf(workload) };
  const desired = desiredPod(metadata, spec, at, stamp);
  const asked = desired.object.spec.containers.map(({ name }) => name);
  const seen = first && judgedBy(asked, first);
  const decision = decide({ spec, status, desired, stamp, seen, now: at.now, ...(at.past && { past: at.past }) });
  if (decision.wish === 'run') assertGrace(desired.object, at.maxGraceMs);
  const verdict = verdictOf(decision, seen, spec, status);
  const { action, rememberFirst } = decision;
  const requeueAfterMs = action ? undefined : patience(decision, seen, at.now);
  return {
    ...(action ? { action } : {}),
    rememberFirst,
    memory: decision.memory,
    ...(isReplacement(action) && { successor: desired.object }),
    verdict,
    status: say(workload, factsOf(decision, seen, status), verdict, at),
    ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }),
  };
}

function isReplacement(action: Action<Pod> | undefined): boolean {
  return action?.type === 'stop' && action.reason === 'SpecChanged';
}

function generationOf({ metadata }: WorkloadProcess): number {
  return metadata.generation ?? 0;
}

/** A pod that should be gone is looked at again when its node counts as lost. */
function patience({ backoffMs }: Decision, seen: Observation | undefined, now: number): number | undefined {
  if (backoffMs !== undefined) return backoffMs;
  return seen && untilLost(seen, now);
}

/** Milliseconds until a pod that should be gone counts as lost; undefined: it does already, or is not to go. */
export function untilLost({ pod, gone, lost }: Observation, now: number): number | undefined {
  const { deletionTimestamp } = pod.metadata;
  if (deletionTimestamp === undefined || gone || lost) return undefined;
  return Math.max(Date.parse(deletionTimestamp) + LOST_AFTER_MS + 1 - now, 1);
}

/** The status for a verdict that is not about how the process does, but about why nothing can be done for it. */
export function refused(
  workload: WorkloadProcess,
  seen: Observation | undefined,
  at: Viewpoint,
  verdict: Verdict,
): View {
  const { restarts = 0, completedGeneration, completedTemplateHash } = workload.status ?? {};
  const decision: Decision = {
    wish: 'run',
    memory: { restarts, completedGeneration, completedTemplateHash },
    rememberFirst: false,
  };
  return {
    rememberFirst: false,
    memory: decision.memory,
    verdict,
    status: say(workload, factsOf(decision, seen, workload.status), verdict, at),
  };
}

function say(workload: WorkloadProcess, facts: Facts, verdict: Verdict, at: Viewpoint): ProcessStatus {
  const selector = selectorText({ tenant: at.tenant, kind: PROCESS_KIND, owner: workload.metadata });
  return composeStatus({ ...facts, selector }, verdict, occasionOf(workload, at), workload.status);
}

/** A pod that once was ours, and that a person has deleted since its workload left it alone: our finalizer would keep it for ever. */
function letGoOfOrphan(pod: Pod, now: number): Action<Pod> | undefined {
  const seen = observePod(pod, now);
  return seen.deleting && seen.held ? letGo(seen) : undefined;
}

function blocked(workload: WorkloadProcess, pod: Pod, standing: Exclude<Standing, 'ours'>, at: Viewpoint): View {
  const name = `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
  switch (standing) {
    case 'foreign': {
      const owner = controllerOf(pod);
      const message = `Pod ${name} already exists and is not managed by this operator${owner ? ` (its controller is ${owner.kind} ${owner.name})` : ''}: rename or delete it`;
      const action = letGoOfOrphan(pod, at.now);
      return {
        ...refused(workload, undefined, at, { state: 'stalled', reason: 'Conflict', message, problem: message }),
        ...(action ? { action } : { requeueAfterMs: RECHECK_FOREIGN_MS }),
      };
    }
    case 'predecessor': {
      const message = `Pod ${name} still belongs to a deleted WorkloadProcess with this name; waiting for its removal`;
      const view = refused(workload, undefined, at, { state: 'working', reason: 'WaitingForPredecessor', message });
      return { ...view, requeueAfterMs: RECHECK_PREDECESSOR_MS, predecessor: pod };
    }
    case 'otherTenant': {
      const message = `Pod ${name} still belongs to tenant ${tenantOf(pod)}; waiting for that tenant to stop it`;
      return {
        ...refused(workload, undefined, at, { state: 'working', reason: 'WaitingForTenant', message }),
        requeueAfterMs: RECHECK_TENANT_MS,
      };
    }
  }
}
