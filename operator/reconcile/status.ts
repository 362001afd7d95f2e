/**
 * Facts to conditions, by the rules of kstatus: Ready always; Reconciling while somebody is at work; Stalled when only a
 * person can help; never both, and neither is kept as False. A status is written only when it says something new.
 */
import type { Condition } from '../api/kubernetes.ts';
import { cutText } from '../lib/redactor.ts';
import { stableHash } from './metadata.ts';

/** Characters of a message in a status; Kubernetes allows 32 768. */
const MESSAGE_LIMIT = 4000;

/** How a workload does. */
export interface Verdict {
  /**
   * done: Ready. working: not Ready, Reconciling. stalled: not Ready, Stalled.
   * resting: asked not to run; Ready stays as it was.
   */
  readonly state: 'done' | 'working' | 'stalled' | 'resting';
  /** CamelCase. */
  readonly reason: string;
  /** A sentence for people. */
  readonly message: string;
  /** Shown as lastError; absent when nothing is wrong. */
  readonly problem?: string;
}

/** A verdict that time alone may change. */
export interface Report extends Verdict {
  /** Milliseconds after which it is to be looked at again; absent: only on events. */
  readonly requeueAfterMs?: number;
}

/** Of several, the one that matters most, the first where they are alike; looked at again as soon as one of them wants. */
export function gravest(reports: readonly [Report, ...Report[]]): Report {
  const worst = reports.reduce((most, each) => (gravity(each) > gravity(most) ? each : most));
  const times = reports.flatMap(({ requeueAfterMs }) => requeueAfterMs ?? []);
  return { ...worst, ...(times.length > 0 && { requeueAfterMs: Math.min(...times) }) };
}

function gravity({ state, problem }: Verdict): number {
  return { done: 0, resting: 0, working: 1, stalled: 3 }[state] + (problem === undefined ? 0 : 1);
}

/** The part of the status that all kinds have. */
export interface CommonStatus {
  observedGeneration?: number | undefined;
  conditions?: Condition[] | undefined;
  active?: boolean | undefined;
  healthy?: boolean | undefined;
  lastError?: string | undefined;
  lastTransition?: string | undefined;
  controller?: { tenant?: string | undefined; holder: string; term: number; observedTime: string } | undefined;
}

/** Who writes a status, and when. */
export interface Occasion {
  readonly generation: number;
  /** RFC 3339, whole seconds. */
  readonly now: string;
  readonly tenant: string;
  readonly holder: string;
  readonly term: number;
}

/** Of a look at an object: who looked, when, and at which generation. `now`: milliseconds since the epoch. */
export function occasionOf(
  { metadata }: { readonly metadata: { readonly generation?: number } },
  { now, tenant, holder, term }: Pick<Occasion, 'tenant' | 'holder' | 'term'> & { readonly now: number },
): Occasion {
  return { generation: metadata.generation ?? 0, now: timestamp(now), tenant, holder, term };
}

/** The conditions for a verdict; a transition time moves only with its status. */
export function conditionsOf(
  verdict: Verdict,
  { generation, now }: Pick<Occasion, 'generation' | 'now'>,
  previous: readonly Condition[] = [],
): Condition[] {
  const before = new Map(previous.map((condition) => [condition.type, condition]));
  const make = (type: string, status: Condition['status']): Condition => ({
    type,
    status,
    observedGeneration: generation,
    lastTransitionTime: before.get(type)?.status === status ? (before.get(type)?.lastTransitionTime ?? now) : now,
    reason: verdict.reason,
    message: cutText(verdict.message, MESSAGE_LIMIT),
  });
  switch (verdict.state) {
    case 'done':
      return [make('Ready', 'True')];
    case 'resting':
      return [make('Ready', before.get('Ready')?.status === 'True' ? 'True' : 'False')];
    case 'working':
      return [make('Ready', 'False'), make('Reconciling', 'True')];
    case 'stalled':
      return [make('Ready', 'False'), make('Stalled', 'True')];
  }
}

/** `facts` with everything that the statuses of all kinds share. Times move only when what they date has moved. */
export function composeStatus<S extends CommonStatus>(
  facts: S & { active: boolean; healthy: boolean },
  verdict: Verdict,
  occasion: Occasion,
  previous: CommonStatus = {},
): S {
  const { generation, now, tenant, holder, term } = occasion;
  const steady = previous.active === facts.active && previous.healthy === facts.healthy;
  const status: S = {
    ...facts,
    observedGeneration: generation,
    conditions: conditionsOf(verdict, occasion, previous.conditions),
    lastError: verdict.problem === undefined ? undefined : cutText(verdict.problem, MESSAGE_LIMIT),
    lastTransition: steady ? (previous.lastTransition ?? now) : now,
    controller: { tenant, holder, term, observedTime: previous.controller?.observedTime ?? now },
  };
  return sameStatus(previous, status) ? status : { ...status, controller: { tenant, holder, term, observedTime: now } };
}

/** Equal up to the time at which it was observed. */
export function sameStatus(a: CommonStatus, b: CommonStatus): boolean {
  const timeless = ({ controller, ...rest }: CommonStatus) => ({
    ...rest,
    by: controller && [controller.tenant, controller.holder, controller.term],
  });
  return stableHash(timeless(a)) === stableHash(timeless(b));
}

/** A merge patch for the status subresource: what `next` no longer says is taken out. Undefined when nothing changed. */
export function statusPatch(
  previous: CommonStatus = {},
  next: CommonStatus,
): { status: Record<string, unknown> } | undefined {
  if (sameStatus(previous, next)) return undefined;
  const removed = Object.fromEntries(Object.keys(previous).map((key) => [key, null]));
  const said = Object.entries(next).filter(([, value]) => value !== undefined);
  return { status: { ...removed, ...Object.fromEntries(said) } };
}

/** Reason of the condition Ready; undefined before there is one. */
export function readyReason(status: CommonStatus | undefined): string | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.reason;
}

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
