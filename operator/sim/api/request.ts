/** Pure parts of what an API server does with a request. */
import type { ObjectName, ResourceType } from '../../cluster/cluster-client.ts';
import { ApiError } from '../../cluster/cluster-client.ts';
import type { Stored } from './json.ts';
import { selects } from './watching.ts';

/** Preconditions. */
export interface Expected {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/** What a list or a watch is limited to. */
export interface Where {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
}

/** A name as one text, `namespace/name`. */
export function keyOf({ namespace = '', name }: ObjectName): string {
  return `${namespace}/${name}`;
}

/** Whether the object is among those that are asked for. */
export function isAt({ namespace, labelSelector }: Where, object: Stored): boolean {
  return (!namespace || object.metadata.namespace === namespace) && selects(labelSelector, object);
}

/** Sorts as an API server lists. */
export function compareKeys(a: Stored, b: Stored): number {
  return keyOf(a.metadata) < keyOf(b.metadata) ? -1 : 1;
}

/** Throws `ApiError` 409 when the object is not the expected one, or not at the expected version. */
export function assertExpected({ plural }: ResourceType, { metadata }: Stored, expected: Expected): void {
  const { uid, resourceVersion } = metadata;
  if ((expected.uid ?? uid) !== uid || (expected.resourceVersion ?? resourceVersion) !== resourceVersion)
    throw new ApiError(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${plural} "${metadata.name}": it has been modified`,
    );
}

/** A request names another one of the name: the real server calls that invalid, not a conflict. */
export function assertSameUid({ kind }: ResourceType, { metadata: { name, uid } }: Stored, asked: Expected): void {
  if ((asked.uid ?? uid) !== uid)
    throw new ApiError(422, 'Invalid', `${kind} "${name}" is invalid: metadata.uid: field is immutable`);
}

/** Nothing keeps it any longer. */
export function isFree({
  metadata: { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] },
}: Stored): boolean {
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && finalizers.length === 0;
}

/** The object of before with the status of the other. */
export function statusOf(before: Stored, { status }: Stored): Stored {
  const { status: _, ...rest } = before;
  return status === undefined ? rest : { ...rest, status };
}

/** The metadata without an empty list of finalizers. */
export function withoutEmpty<T extends Stored['metadata']>(metadata: T): T {
  const { finalizers, ...rest } = metadata;
  return (finalizers?.length ? metadata : rest) as T;
}
