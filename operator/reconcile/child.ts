/** One child that a workload wants, as it is applied. Pure, and the same for the same spec, tenant and cluster. */
import type { ChildType } from '../api/children.ts';
import type { Scope } from '../api/scope.ts';
import { annotations, labels as keys } from '../api/group.ts';
import type { ObjectMeta, PodSpec, PodTemplate } from '../api/kubernetes.ts';
import type { PodDefaults } from '../api/pod-defaults.ts';
import { wholeNumber } from '../api/terms.ts';
import type { CommonSpec } from '../api/workload.ts';
import { contentHash } from './content-hash.ts';
import type { Stamp } from './metadata.ts';
import type { ServiceHolder } from './service-names.ts';
import { childLabels, numberAnnotation, ownerReference, stampAnnotations, withoutOurs } from './metadata.ts';
import type { Child } from './plan.ts';
import type { TemplateOptions } from './pod-template.ts';
import { FENCING_TOKEN } from './pod-environment.ts';
import { graceSecondsOf, MAIN_CONTAINER, podMetadata, podSpec } from './pod-template.ts';

/** A child of any type. */
export interface AnyChild extends Child {
  spec?: unknown;
}

/** The objects of one workload, as far as they are known. */
export interface Live {
  get<T extends Child>(type: ChildType, name: string): T | undefined;
  /** Those that are labelled as this workload's. */
  list<T extends Child>(type: ChildType): readonly T[];
}

/** Who wants the children, and when. */
export interface Claim {
  readonly owner: ObjectMeta;
  readonly kind: string;
  /** The kind in one lower-case word. */
  readonly component: string;
  readonly tenant: string;
  readonly clusterName: string;
  /** `kubernetes` unless told. */
  readonly podDefaults?: PodDefaults | undefined;
  readonly scope: Scope;
  readonly stamp: Stamp;
  /** Only children that are ours and stay. */
  readonly live: Live;
  /** Who else has a Service of this name, or is to have it first. Nobody unless told. */
  readonly holderOf?: ((service: string) => ServiceHolder) | undefined;
}

/** A child as it is to be. */
export interface DesiredChild {
  readonly type: ChildType;
  /** May hold nulls, which stand for "must be absent". */
  readonly object: AnyChild;
  /** Of all that is set, without stamps and fencing token. */
  readonly hash: string;
  /** Part of the spec that must hold, whichever version of this product made the child. */
  readonly required?: unknown;
  /** Pods of an earlier child of this name have ended before this one is made. */
  readonly waitsForPods?: boolean;
}

/** The labels by which a workload's pods are found; they never change, because selectors cannot. */
export function selectorLabels({ tenant, kind, owner }: Pick<Claim, 'tenant' | 'kind' | 'owner'>) {
  return { [keys.tenant]: tenant, [keys.kind]: kind, [keys.name]: owner.name };
}

/** The same, as scale subresources have it. */
export function selectorText(claim: Pick<Claim, 'tenant' | 'kind' | 'owner'>): string {
  const labels = Object.entries(selectorLabels(claim));
  return labels.map(([key, value]) => `${key}=${value}`).join(',');
}

/** What a kind says of one child. */
export interface Blueprint {
  readonly type: ChildType;
  readonly name: string;
  /** The user's. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** The user's. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly activation?: Activation;
  /** `fencingToken` is empty when the hash is made. */
  readonly spec: (fencingToken: string) => unknown;
  /** See `DesiredChild`. */
  readonly required?: unknown;
  readonly waitsForPods?: boolean;
}

/** The child with its labels, stamps, owner and hash. */
export function makeChild(claim: Claim, blueprint: Blueprint): DesiredChild {
  const { owner, stamp } = claim;
  const { type, name, activation, spec } = blueprint;
  const labels = labelsOf(claim, blueprint.labels);
  const users = withoutOurs(blueprint.annotations);
  const hash = contentHash({ labels, annotations: users, spec: spec('') });
  const object: AnyChild = {
    apiVersion: type.group ? `${type.group}/${type.version}` : type.version,
    kind: type.kind,
    metadata: {
      name,
      namespace: owner.namespace ?? '',
      labels,
      annotations: {
        ...users,
        ...stampAnnotations(stamp),
        ...(activation && {
          [annotations.activationTerm]: String(activation.term),
          [annotations.templateHash]: activation.templateHash,
        }),
        [annotations.appliedHash]: hash,
      },
      ownerReferences: [ownerReference(claim.kind, owner)],
    },
    spec: spec(activation ? String(activation.term) : ''),
  };
  return { type, object, hash, required: blueprint.required, waitsForPods: blueprint.waitsForPods ?? false };
}

function labelsOf({ tenant, kind, owner, component }: Claim, users?: Readonly<Record<string, string>>) {
  return childLabels({ tenant, kind, name: owner.name, component }, users);
}

/** Which term the pods are told as their fencing token, and what they are made from. */
export interface Activation {
  readonly term: number;
  readonly templateHash: string;
}

/**
 * The token changes only with what replaces the pods anyway, or with what starts them again: a new leader that finds the
 * template as it should be leaves it as it is.
 */
export function activationOf(
  live: Child | undefined,
  template: (fencingToken: string) => PodTemplate,
  resumes: boolean,
  { term }: Stamp,
): Activation {
  const templateHash = contentHash(template(''));
  const kept = live && keptToken(live, term);
  const same = live?.metadata.annotations?.[annotations.templateHash] === templateHash && !resumes;
  return { term: same && kept !== undefined ? kept : term, templateHash };
}

/** Whether it has not been parked since it was last activated: parking leaves no activation behind. */
export function isActivated({ metadata }: Child): boolean {
  return metadata.annotations?.[annotations.activationTerm] !== undefined;
}

/** Of what the annotation and the template say the later one, and none that is later than `term`: either may be forged. */
function keptToken(live: Child, term: number): number | undefined {
  if (!isActivated(live)) return undefined;
  const main = podsOf(live)?.containers.find(({ name }) => name === MAIN_CONTAINER);
  const told = main?.env?.find(({ name }) => name === FENCING_TOKEN)?.value;
  const said = [numberAnnotation(live, annotations.activationTerm), wholeNumber(told)];
  const possible = said.filter((each) => each !== undefined && each <= term) as number[];
  return possible.length > 0 ? Math.max(...possible) : undefined;
}

interface Makes {
  readonly template?: { readonly spec?: PodSpec };
  readonly jobTemplate?: { readonly spec?: Makes };
}

/** Of what it makes. */
function podsOf({ spec }: AnyChild): PodSpec | undefined {
  const { template, jobTemplate } = (spec ?? {}) as Makes;
  return (template ?? jobTemplate?.spec?.template)?.spec;
}

/** Whether this generation starts again what another one parked. */
export function isResumed(live: Child | undefined, parked: boolean, { generation }: Stamp): boolean {
  return live !== undefined && parked && numberAnnotation(live, annotations.generation) !== generation;
}

/**
 * What a spec without a number asks for: nothing, so that an autoscaler may; but one where the cluster was stopped as
 * another one took over. That leaves 0 and no activation behind, and an autoscaler leaves 0 alone.
 */
export function unspecifiedReplicas(live: Child | undefined): { readonly replicas?: number } {
  const { replicas } = ((live as AnyChild | undefined)?.spec ?? {}) as { readonly replicas?: number };
  const wasStopped = live !== undefined && !isActivated(live);
  return replicas === 0 && wasStopped ? { replicas: 1 } : {};
}

type PodOptions = Pick<TemplateOptions, 'restartPolicy' | 'main'>;

/** The template of the pods, for a given fencing token. */
export function podTemplateOf(claim: Claim, spec: CommonSpec, options: PodOptions): (token: string) => PodTemplate {
  const { labels, annotations: notes } = podMetadata(spec);
  const { tenant, clusterName, podDefaults } = claim;
  const gracePeriodSeconds = graceSecondsOf(spec);
  return (fencingToken) => ({
    metadata: {
      labels: labelsOf(claim, labels),
      ...(Object.keys(notes).length > 0 ? { annotations: notes } : {}),
    },
    spec: podSpec(spec, { tenant, clusterName, podDefaults, fencingToken, gracePeriodSeconds, ...options }),
  });
}
