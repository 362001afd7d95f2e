/** One look at a workload that is made of children: what to do next, and what to say about it. Pure. */
import type { ChildType } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import { assertGrace } from '../api/grace.ts';
import type { Scope } from '../api/scope.ts';
import type { ObjectMeta } from '../api/kubernetes.ts';
import type { PodDefaults } from '../api/pod-defaults.ts';
import { TerminalError } from '../lib/errors.ts';
import type { Contender } from '../api/service-names.ts';
import { goesFirst } from '../api/service-names.ts';
import { obstacleOf } from './child-obstacles.ts';
import type { Memory } from './child-plan.ts';
import { planDesired } from './child-plan.ts';
import type { AnyChild, Claim, DesiredChild, Live } from './child.ts';
import { correctionOf } from './forged-marks.ts';
import { controllerOf } from './metadata.ts';
import type { Action, Child, Claimant, IsForged } from './plan.ts';
import { standingOf } from './plan.ts';
import type { CommonStatus, Report } from './status.ts';
import type { ServiceHolder } from './service-names.ts';
import { holderOf } from './service-names.ts';
import { composeStatus, occasionOf } from './status.ts';

/** What an observation is made from. */
export interface Sight {
  readonly owner: ObjectMeta;
  /** Of the types that the kind makes, only those that are ours. */
  readonly live: Live;
  readonly previous: CommonStatus | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Facts of the kind beside those that all kinds share. */
export type Facts = CommonStatus & { active: boolean; healthy: boolean };

/** What a kind means. `S`: its spec. Everything in it is pure. */
export interface WorkloadKind<S> {
  readonly resource: ChildType;
  /** The kind in one lower-case word. */
  readonly component: string;
  /** What it makes; anything of these types that is ours and not asked for is removed. */
  readonly children: readonly ChildType[];
  /** Throws `TerminalError` InvalidSpec that names the field. */
  parse(spec: unknown): S;
  /** The most important child first. Throws `TerminalError` when the live ones cannot become what is asked for. */
  desired(claim: Claim, spec: S): readonly DesiredChild[];
  /** A step beside the children themselves, when nothing is to be done to them. */
  repair?(sight: Sight): Step | undefined;
  facts(sight: Sight): Facts;
  verdict(sight: Sight, spec: S): Report;
}

/** A custom resource whose spec is not checked yet. */
export interface Workload extends Child {
  spec?: unknown;
  status?: CommonStatus;
}

/** Who looks, and when. */
export interface Viewpoint {
  readonly tenant: string;
  readonly clusterName: string;
  readonly podDefaults?: PodDefaults | undefined;
  readonly scope: Scope;
  readonly term: number;
  readonly isForged?: IsForged | undefined;
  readonly holder: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly memory: Memory;
  /** The workload was read from the API server after its children were. */
  readonly isFresh: boolean;
  readonly maxGraceMs: number;
}

/** What to do to one child. */
export interface Step {
  readonly child: Pick<DesiredChild, 'type' | 'hash' | 'waitsForPods'>;
  readonly action: Action<AnyChild>;
}

/** What is seen, what to do next, and what to write. */
export interface ChildView {
  readonly step?: Step;
  readonly verdict: Report;
  readonly status: CommonStatus;
  /** The child of a deleted workload of the same name is in the way. */
  readonly predecessor?: { readonly type: ChildType; readonly object: AnyChild };
  /** Thrown when all is said and done. */
  readonly terminal?: TerminalError;
}

/** Workloads that may want a Service of the same name. */
export interface Contenders {
  /** The other kind that has Services. */
  readonly kind: string;
  get(kind: string, name: string): Contender | undefined;
}

/** One workload of a kind, with everything that is known about its children, theirs or not. */
export interface Subject<S> {
  readonly kind: WorkloadKind<S>;
  readonly workload: Workload;
  /** Workloads of its namespace. */
  readonly contenders?: Contenders | undefined;
  readonly all: Live;
  readonly at: Viewpoint;
}

/** Throws `HigherTermSeen`, and `OlderThanChild` when the custom resource may be newer than what was passed in. */
export function lookAtChildren<S>(subject: Subject<S>): ChildView {
  const { kind, workload, all, at } = subject;
  const sight = sightOf(subject);
  try {
    const spec = kind.parse(workload.spec);
    const children = kind.desired(claimOf(subject, sight.live), spec);
    const claimant = claimantOf(subject);
    for (const { type, object } of children) {
      if (!isSuspended(workload)) assertGrace(object, at.maxGraceMs);
      const found = all.get<AnyChild>(type, object.metadata.name);
      const obstacle = found && obstacleOf({ ...at, type, found, claimant });
      if (obstacle) return { ...report(subject, sight, obstacle.verdict), ...obstacle.more };
    }
    const corrected = correction(children, subject);
    if (corrected) return { ...report(subject, sight, kind.verdict(sight, spec)), step: corrected };
    const step =
      nextStep(children, sight.live, subject) ?? superfluous(kind, children, sight.live) ?? kind.repair?.(sight);
    return { ...report(subject, sight, kind.verdict(sight, spec)), ...(step ? { step } : {}) };
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    const { reason, message } = error;
    return { ...report(subject, sight, { state: 'stalled', reason, message, problem: message }), terminal: error };
  }
}

/** A view that says why nothing can be done. */
export function refusal<S>(subject: Subject<S>, verdict: Report): ChildView {
  return report(subject, sightOf(subject), verdict);
}

/** What a kind's pure functions may see of a workload. */
export function sightOf<S>(subject: Subject<S>): Sight {
  const { workload, at } = subject;
  return { owner: workload.metadata, live: onlyOurs(subject), previous: workload.status, now: at.now };
}

function claimOf<S>(subject: Subject<S>, live: Live): Claim {
  const { kind, workload, at } = subject;
  const { resource, component } = kind;
  const { tenant, clusterName, podDefaults, scope, term } = at;
  const stamp = { term, generation: generationOf(workload) };
  return {
    owner: workload.metadata,
    kind: resource.kind,
    component,
    tenant,
    clusterName,
    podDefaults,
    scope,
    stamp,
    live,
    holderOf: (service) => holderIn(subject, service),
  };
}

function holderIn<S>(subject: Subject<S>, service: string): ServiceHolder {
  const { kind, workload, contenders, all } = subject;
  const found = all.get<Child>(childTypes.services, service);
  if (found) {
    const isTheirs = standingOf(found, claimantOf(subject)) === 'foreign' && !isOnItsWayOut(found, contenders);
    return isTheirs ? holderOf(found) : 'nobody';
  }
  const contender = service === workload.metadata.name && contenders?.get(contenders.kind, service);
  return contender && goesFirst(contender, { ...workload, kind: kind.resource.kind }) ? 'workload' : 'nobody';
}

/** A name that is about to be free is waited for. */
function isOnItsWayOut(service: Child, contenders: Contenders | undefined): boolean {
  if (service.metadata.deletionTimestamp !== undefined) return true;
  if (holderOf(service) !== 'workload') return false;
  const { kind = '', name = '', uid } = controllerOf(service) ?? {};
  const owner = contenders?.get(kind, name)?.metadata;
  return owner?.uid !== uid || owner?.deletionTimestamp !== undefined;
}

function claimantOf<S>({ kind: { resource }, workload, at: { tenant } }: Subject<S>): Claimant {
  const { name, uid = '' } = workload.metadata;
  return { tenant, kind: resource.kind, name, uid, holder: workload.status?.controller?.tenant };
}

function nextStep<S>(children: readonly DesiredChild[], live: Live, { workload, at }: Subject<S>): Step | undefined {
  const stamp = { term: at.term, generation: generationOf(workload) };
  for (const child of children) {
    const action = planDesired(live.get(child.type, child.object.metadata.name), child, stamp, at.memory);
    if (action) return { child, action };
  }
  return undefined;
}

function correction<S>(children: readonly DesiredChild[], { workload, all, at }: Subject<S>): Step | undefined {
  const witness = { generation: generationOf(workload), isFresh: at.isFresh };
  for (const child of children) {
    const found = all.get<AnyChild>(child.type, child.object.metadata.name);
    const action = found && correctionOf(found, witness);
    if (action) return { child, action };
  }
  return undefined;
}

/** A child of ours that this generation no longer asks for. */
function superfluous<S>(kind: WorkloadKind<S>, children: readonly DesiredChild[], live: Live): Step | undefined {
  for (const type of kind.children) {
    const wanted = new Set(children.filter((child) => child.type === type).map(({ object }) => object.metadata.name));
    const extra = live
      .list<AnyChild>(type)
      .find(({ metadata: { name, deletionTimestamp } }) => !wanted.has(name) && deletionTimestamp === undefined);
    if (extra) return { child: { type, hash: '' }, action: { type: 'stop', live: extra, reason: 'Superfluous' } };
  }
  return undefined;
}

/** Then nothing starts, and what is stopping must not be kept from it. */
function isSuspended({ spec }: Workload): boolean {
  return (spec as { readonly suspend?: unknown } | undefined)?.suspend === true;
}

function generationOf({ metadata }: Workload): number {
  return metadata.generation ?? 0;
}

function onlyOurs<S>(subject: Subject<S>): Live {
  const { kind, all } = subject;
  const claimant = claimantOf(subject);
  const isOurs = (child: Child) => standingOf(child, claimant) === 'ours';
  return {
    get<T extends Child>(type: ChildType, name: string): T | undefined {
      const found = all.get<T>(type, name);
      return found && isOurs(found) ? found : undefined;
    },
    list<T extends Child>(type: ChildType): readonly T[] {
      const found = all.list<T>(type);
      return kind.children.includes(type) ? found.filter(isOurs) : found;
    },
  };
}

function report<S>({ kind, workload, at }: Subject<S>, sight: Sight, verdict: Report): ChildView {
  return { verdict, status: composeStatus(kind.facts(sight), verdict, occasionOf(workload, at), workload.status) };
}
