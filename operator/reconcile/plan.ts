/**
 * What to do about one child, and why. Pure. The rules here hold for children of every kind: nothing with a later stamp
 * is touched, nothing foreign is touched, and only a change of the spec replaces what runs.
 */
import { annotations, GROUP } from '../api/group.ts';
import type { ObjectMeta, OwnerReference } from '../api/kubernetes.ts';
import { HigherTermSeen } from '../lib/errors.ts';
import { controllerOf, numberAnnotation, stampAnnotations, tenantOf, workloadOf } from './metadata.ts';
import type { Stamp } from './metadata.ts';

export interface Child {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

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
      readonly reason: string;
    }
  /** Makes it want no pods. */
  | { readonly type: 'park'; readonly live: T; readonly patch: ParkingPatch; readonly reason: string }
  /** Takes the finalizer off: only for what is known to be gone. */
  | { readonly type: 'release'; readonly live: T; readonly finalizer: string; readonly reason: string }
  /** Removes the object of what is known to be gone, when no kubelet is left to do it. */
  | { readonly type: 'purge'; readonly live: T; readonly reason: string };

export interface ParkingPatch {
  readonly metadata: { readonly annotations: Readonly<Record<string, string | null>> };
  readonly spec: Readonly<Record<string, unknown>>;
}

export interface MetadataPatch {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

export interface Desired<T extends Child> {
  readonly object: T;
  /** Of the template, without the fencing token. */
  readonly hash: string;
  readonly finalizer?: string;
}

/** Ours: labelled and controlled by this very workload. Predecessor: by a deleted workload of the same name. */
export type Standing = 'ours' | 'predecessor' | 'otherTenant' | 'foreign';

export interface Claimant {
  readonly tenant: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export function standingOf(child: Child, claimant: Claimant): Standing {
  const owner = controllerOf(child);
  if (workloadOf(child, claimant.kind)?.name !== claimant.name || !isOfKind(owner, claimant)) return 'foreign';
  if (tenantOf(child) !== claimant.tenant) return 'otherTenant';
  return owner?.uid === claimant.uid ? 'ours' : 'predecessor';
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

/** Undefined when nothing is to be done. `live` is ours and is not being deleted. */
export function planChild<T extends Child>(
  live: T,
  { hash, finalizer }: Desired<T>,
  stamp: Stamp,
): Action<T> | undefined {
  const sameGeneration = numberAnnotation(live, annotations.generation) === stamp.generation;
  const sameTemplate = live.metadata.annotations?.[annotations.templateHash] === hash;
  if (!sameGeneration && !sameTemplate) return { type: 'stop', live, reason: 'SpecChanged' };
  const sameTerm = numberAnnotation(live, annotations.term) === stamp.term;
  const finalizers = live.metadata.finalizers ?? [];
  const held = finalizer === undefined || finalizers.includes(finalizer);
  if (sameTerm && sameGeneration && held) return undefined;
  const patch = { annotations: stampAnnotations(stamp), ...(held ? {} : { finalizers: [...finalizers, finalizer] }) };
  return { type: 'stamp', live, patch, reason: sameTerm ? 'SpecSeen' : 'Adopted' };
}
