/**
 * The next step for a set of children, and why. Pure. What a generation asks for is applied once; from then on only what
 * others have changed of it is put back, so that a new version of this product changes nothing by itself.
 */
import { annotations } from '../api/group.ts';
import type { AnyChild, DesiredChild } from './child.ts';
import { isActivated } from './child.ts';
import { contains, removals } from './contains.ts';
import { isContentHash } from './content-hash.ts';
import { numberAnnotation, stampAnnotations } from './metadata.ts';
import type { Stamp } from './metadata.ts';
import type { Action } from './plan.ts';

/** What this process knows of a child beside what is written on it. */
export interface Memory {
  /** The API server, or a webhook in it, does not keep what we set. */
  isStubborn(live: AnyChild, desired: DesiredChild): boolean;
  /** This process has applied it for that generation, or found it applied. */
  wasBroughtUp(live: AnyChild, desired: DesiredChild, generation: number): boolean;
}

const NO_MEMORY: Memory = { isStubborn: () => false, wasBroughtUp: () => false };

/** Undefined when nothing is to be done. `live` is ours and is not being deleted. */
export function planDesired(
  live: AnyChild | undefined,
  desired: DesiredChild,
  stamp: Stamp,
  memory: Memory = NO_MEMORY,
): Action<AnyChild> | undefined {
  const { object } = desired;
  if (!live) return { type: 'apply', object, reason: 'Absent' };
  const sameGeneration = numberAnnotation(live, annotations.generation) === stamp.generation;
  const reason = changeOf(live, desired, stamp, memory);
  if (reason) return { type: 'apply', object, live, removals: removals(live, { spec: object.spec }), reason };
  const sameTerm = numberAnnotation(live, annotations.term) === stamp.term;
  if (sameTerm && sameGeneration) return undefined;
  const patch = { annotations: stampAnnotations(stamp) };
  return { type: 'stamp', live, patch, reason: sameTerm ? 'SpecSeen' : 'Adopted' };
}

/** A child of this very generation that was made otherwise is left to it: another version of this product made it. */
function changeOf(
  live: AnyChild,
  desired: DesiredChild,
  { generation }: Stamp,
  memory: Memory,
): 'SpecChanged' | 'Drifted' | undefined {
  if (desired.required !== undefined && !contains(live.spec, desired.required)) return 'Drifted';
  // What was parked is activated by whoever leads next, whichever version made it.
  if (isActivated(desired.object) && !isActivated(live)) return 'Drifted';
  const applied = live.metadata.annotations?.[annotations.appliedHash];
  if (applied === desired.hash)
    return memory.isStubborn(live, desired) || isKept(live, desired) ? undefined : 'Drifted';
  if (memory.wasBroughtUp(live, desired, generation)) return 'Drifted';
  const sameGeneration = numberAnnotation(live, annotations.generation) === generation;
  return sameGeneration && isContentHash(applied) ? undefined : 'SpecChanged';
}

/** Whether all that we set is still there. Stamps are not part of it: they are renewed without an apply. */
export function isKept(live: AnyChild, { object }: DesiredChild): boolean {
  const { labels, annotations: notes = {}, ownerReferences } = object.metadata;
  const { [annotations.term]: _term, [annotations.generation]: _generation, ...lasting } = notes;
  return contains(
    {
      labels: live.metadata.labels,
      annotations: live.metadata.annotations,
      owners: live.metadata.ownerReferences,
      spec: live.spec,
    },
    { labels, annotations: lasting, owners: ownerReferences, spec: object.spec },
  );
}
