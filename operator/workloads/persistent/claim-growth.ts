/** Claims that are to be larger than the StatefulSet's own templates say: which ones, and what is to be done to each. Pure. */
import type { PersistentVolumeClaim, StatefulSet } from '../../api/children.ts';
import type { PersistentSpec } from '../../api/persistent.ts';
import { compareQuantities } from '../../lib/quantity.ts';
import { cutText } from '../../lib/redactor.ts';
import type { Report } from '../../reconcile/status.ts';
import { claimsOf } from './claim-templates.ts';
import { byName, sizeOf } from './claims.ts';

/** Claims of one workload that are looked after, or few more. */
const MAX_CLAIMS = 500;
/** Nothing tells when a volume has been expanded. */
const RECHECK_MS = 10_000;
/** The class, a quota or rights may change without the spec. */
const RETRY_MS = 60_000;
const TEXT_LIMIT = 500;

/** One claim, by name, and the size that it is to have. */
export interface Wanted {
  readonly name: string;
  /** Of the pod that mounts it. */
  readonly pod: string;
  readonly size: string;
}

/** Those of the pods that there are to be; none while the claims are made with the size that the spec says. */
export function wantedSizes({ metadata, spec }: StatefulSet, asked: PersistentSpec): readonly Wanted[] {
  const made = byName(spec.volumeClaimTemplates);
  const grown = claimsOf(asked).filter((claim) => {
    const before = made.get(claim.metadata.name);
    return before !== undefined && isLess(sizeOf(before), sizeOf(claim));
  });
  if (grown.length === 0) return [];
  const first = spec.ordinals?.start ?? 0;
  const count = Math.min(spec.replicas ?? 1, Math.ceil(MAX_CLAIMS / grown.length));
  const pods = Array.from({ length: count }, (_, index) => `${metadata.name}-${first + index}`);
  return pods.flatMap((pod) =>
    grown.map((claim) => ({ name: `${claim.metadata.name}-${pod}`, pod, size: sizeOf(claim) })),
  );
}

/** `expand`: its size is to be raised; `report`: what there is to say of it; neither: it is as it should be. */
export interface Look {
  readonly expand?: boolean;
  readonly report?: Report;
}

/** What is to be done to one claim, and said of it. */
export function lookAtClaim(claim: PersistentVolumeClaim, wanted: Wanted, set: StatefulSet): Look {
  const { metadata, spec, status = {} } = claim;
  const asked = spec.resources?.requests?.storage ?? '0';
  const isBound = status.phase === 'Bound';
  if (!isLess(asked, wanted.size))
    return isBound && isLess(status.capacity?.storage ?? asked, wanted.size)
      ? { report: expanding(claim, wanted) }
      : {};
  if (!isMadeFor(claim, wanted, set)) return { report: notOurs(claim, asked, wanted) };
  // Before it is bound its size cannot be changed; its pod, which waits for it, tells when it is.
  return { expand: isBound && metadata.deletionTimestamp === undefined };
}

/** Labelled as the StatefulSet labels its claims, and in nobody else's hands. */
function isMadeFor({ metadata }: PersistentVolumeClaim, { pod }: Wanted, set: StatefulSet): boolean {
  const { labels = {}, ownerReferences = [] } = metadata;
  const selector = Object.entries(set.spec.selector.matchLabels ?? {});
  const isOwner = ({ kind, name, uid }: { kind: string; name: string; uid: string }) =>
    (kind === 'StatefulSet' && uid === set.metadata.uid) || (kind === 'Pod' && name === pod);
  return selector.every(([key, value]) => labels[key] === value) && ownerReferences.every(isOwner);
}

function notOurs({ metadata: { name } }: PersistentVolumeClaim, size: string, wanted: Wanted): Report {
  const message =
    `PersistentVolumeClaim ${name} has size ${size} instead of ${wanted.size} and was not created for this workload: ` +
    `expand it manually, or set the size to ${size} in the spec`;
  return { state: 'stalled', reason: 'ClaimNotManaged', message, problem: message, requeueAfterMs: RETRY_MS };
}

function expanding({ metadata: { name }, status = {} }: PersistentVolumeClaim, { size }: Wanted): Report {
  const what = `PersistentVolumeClaim ${name} is being expanded from ${status.capacity?.storage ?? '?'} to ${size}`;
  const { storage: stage = '' } = status.allocatedResourceStatuses ?? {};
  const conditions = (status.conditions ?? []).filter((each) => each.status === 'True');
  const said = conditions.map(({ message = '' }) => message).filter((text) => text !== '');
  const details = cutText(said.join('; '), TEXT_LIMIT);
  const message = details === '' ? what : `${what}: ${details}`;
  const hasFailed = stage.endsWith('Infeasible') || conditions.some(({ type }) => type.endsWith('ResizeError'));
  if (!hasFailed) return { state: 'working', reason: 'ClaimExpanding', message, requeueAfterMs: RECHECK_MS };
  const problem = stage.endsWith('Infeasible')
    ? `${message} (${stage}: the storage cannot provide this size)`
    : message;
  return { state: 'working', reason: 'ClaimExpansionFailed', message: problem, problem, requeueAfterMs: RECHECK_MS };
}

/** What the API server says against it. */
export function refusedExpansion(claim: PersistentVolumeClaim, { size }: Wanted, answer: string): Report {
  const { metadata, spec } = claim;
  const now = spec.resources?.requests?.storage ?? '?';
  const what = `PersistentVolumeClaim ${metadata.name} cannot be expanded from ${now} to ${size}`;
  const isClass = answer.includes('must support resize');
  const reason = isClass ? 'ClaimNotExpandable' : 'ClaimExpansionRefused';
  const way = isClass
    ? `its StorageClass ${spec.storageClassName || '(none)'} does not set allowVolumeExpansion: set it to true if the storage supports expansion, set the size back to ${now} in the spec, ` +
      'or move the data to a volume of another class'
    : cutText(answer, TEXT_LIMIT);
  const message = `${what}: ${way}`;
  return { state: 'stalled', reason, message, problem: message, requeueAfterMs: RETRY_MS };
}

/** Nothing is known of the claim. */
export function unreadable({ name }: Wanted, answer: string): Report {
  const message =
    `PersistentVolumeClaim ${name} cannot be read, so it cannot be expanded: grant the controller get and patch on ` +
    `persistentvolumeclaims (${cutText(answer, TEXT_LIMIT)})`;
  return { state: 'stalled', reason: 'ClaimExpansionRefused', message, problem: message, requeueAfterMs: RETRY_MS };
}

/** It was raised just now. */
export function begun({ size, name }: Wanted): Report {
  const message = `PersistentVolumeClaim ${name} is being expanded to ${size}`;
  return { state: 'working', reason: 'ClaimExpanding', message, requeueAfterMs: RECHECK_MS };
}

function isLess(a: string, b: string): boolean {
  return (compareQuantities(a, b) ?? 0) < 0;
}
