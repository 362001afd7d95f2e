/**
 * What to do about one child, and why. Pure. The rules here hold for children of every kind: nothing with a later stamp
 * is touched, nothing foreign is touched, and only a change of the spec replaces what runs.
 */
import { annotations, GROUP, labels } from '../api/group.ts';
import type { ObjectMeta, OwnerReference } from '../api/kubernetes.ts';
import { HigherTermSeen } from '../lib/errors.ts';
import { controllerOf, numberAnnotation, stampAnnotations, tenantOf, workloadOf } from './metadata.ts';
import type { Stamp } from './metadata.ts';

/** An object that a workload makes. */
export interface Child {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** What to do to one object, and why. */
export type Action<T extends Child> =
  /** Starts something. */
  | { readonly type: 'create'; readonly object: T; readonly reason: string }
  /** Server-side apply of all that we set. `live` absent: makes the object, and fails when there is one. */
  | {
      readonly type: 'apply';
      readonly object: T;
      readonly live?: T;
      /** A merge patch that goes first, for what an apply cannot remove. */
      readonly removals?: Readonly<Record<string, unknown>> | undefined;
      readonly reason: string;
    }
  /** Metadata only: restarts nothing. */
  | { readonly type: 'stamp'; readonly live: T; readonly patch: MetadataPatch; readonly reason: string }
  /** Asks for a graceful end. */
  | {
      readonly type: 'stop';
      readonly live: T;
      /** Its name stays taken until everything that belongs to it is gone. */
      readonly awaited?: boolean;
      /** Shorter than its own. */
      readonly graceSeconds?: number;
      readonly reason: string;
    }
  /** Makes it want no pods. */
  | { readonly type: 'park'; readonly live: T; readonly patch: ParkingPatch; readonly reason: string }
  /** Takes the finalizer off: only for what is known to be gone. */
  | { readonly type: 'release'; readonly live: T; readonly finalizer: string; readonly reason: string }
  /** Removes the object of what is known to be gone, when no kubelet is left to do it. */
  | { readonly type: 'purge'; readonly live: T; readonly reason: string };

/** A merge patch that takes a child's pods away. */
export interface ParkingPatch {
  readonly metadata: { readonly annotations: Readonly<Record<string, string | null>> };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Metadata that a stamp sets; finalizers replace those that there are. */
export interface MetadataPatch {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

/** An object as it is to be. */
export interface Desired<T extends Child> {
  readonly object: T;
  /** Of the template, without the fencing token. */
  readonly hash: string;
  readonly finalizer?: string;
}

/** Ours: controlled by this very workload, whatever others have made of its labels. Predecessor: by a deleted workload of the same name. */
export type Standing = 'ours' | 'predecessor' | 'otherTenant' | 'foreign';

/** The workload that wants a child. */
export interface Claimant {
  readonly tenant: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  /** Tenant that has the workload, as its status says: no other one has made a child of it since. */
  readonly holder: string | undefined;
}

/** Whose the child is, as the claimant sees it. */
export function standingOf(child: Child, claimant: Claimant): Standing {
  const owner = controllerOf(child);
  if (!isOfKind(owner, claimant)) return 'foreign';
  const isOwn = owner?.uid === claimant.uid;
  if (!isOwn && workloadOf(child, claimant.kind)?.name !== claimant.name) return 'foreign';
  if (tenantOf(child) !== claimant.tenant && !(isOwn && claimant.holder === claimant.tenant)) return 'otherTenant';
  return isOwn ? 'ours' : 'predecessor';
}

function isOfKind(owner: OwnerReference | undefined, { kind, name }: Claimant): boolean {
  return owner?.apiVersion.split('/')[0] === GROUP && owner?.kind === kind && owner.name === name;
}

/** Whether a higher stamp is known to be one that no leader has written. */
export type IsForged = (stamp: number) => boolean;

/** Throws `HigherTermSeen` when somebody who leads after us has written the child. `isForged` absent: no stamp is. */
export function assertNotLater(child: Child, term: number, isForged?: IsForged): void {
  const seen = numberAnnotation(child, annotations.term) ?? 0;
  if (seen > term && !isForged?.(seen))
    throw new HigherTermSeen(
      seen,
      `${child.kind ?? 'Object'} ${child.metadata.namespace ?? ''}/${child.metadata.name}`,
    );
}

/** By which a child is found and kept, as they should be where somebody has changed them. */
function lostMetadata<T extends Child>(live: T, { object, finalizer }: Desired<T>): MetadataPatch | undefined {
  const own = lostLabels(live, object);
  const finalizers = live.metadata.finalizers ?? [];
  const isHeld = finalizer === undefined || finalizers.includes(finalizer);
  if (isHeld && !own) return undefined;
  return { ...(own && { labels: own }), ...(isHeld ? {} : { finalizers: [...finalizers, finalizer] }) };
}

/** Of the labels by which a child is found, those that somebody has changed, as they should be. */
function lostLabels(live: Child, { metadata }: Child): Readonly<Record<string, string>> | undefined {
  const lost = [labels.tenant, labels.kind, labels.name].flatMap((label) => {
    const value = metadata.labels?.[label];
    return value === undefined || live.metadata.labels?.[label] === value ? [] : [[label, value] as const];
  });
  return lost.length === 0 ? undefined : Object.fromEntries(lost);
}

/** Undefined when nothing is to be done. `live` is ours and is not being deleted. */
export function planChild<T extends Child>(live: T, desired: Desired<T>, stamp: Stamp): Action<T> | undefined {
  const sameGeneration = numberAnnotation(live, annotations.generation) === stamp.generation;
  const sameTemplate = live.metadata.annotations?.[annotations.templateHash] === desired.hash;
  if (!sameGeneration && !sameTemplate) return { type: 'stop', live, reason: 'SpecChanged' };
  const sameTerm = numberAnnotation(live, annotations.term) === stamp.term;
  const lost = lostMetadata(live, desired);
  if (sameTerm && sameGeneration && !lost) return undefined;
  const patch = { annotations: stampAnnotations(stamp), ...lost };
  const reason = sameTerm ? 'SpecSeen' : 'Adopted';
  return { type: 'stamp', live, patch, reason: lost ? 'Drifted' : reason };
}
