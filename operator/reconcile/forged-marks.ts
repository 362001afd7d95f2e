/**
 * What a child says of itself and its workload cannot have said: whoever may edit the child can write any number there. A
 * custom resource as the API server holds it now is the witness. Pure.
 */
import { annotations } from '../api/group.ts';
import { RetryLater } from '../lib/errors.ts';
import { numberAnnotation } from './metadata.ts';
import type { Action, Child } from './plan.ts';

/** The custom resource that was passed in may be older than the child: look again with one that is read now. */
export class OlderThanChild extends RetryLater {
  override readonly name = 'RetryLater';
}

const AGAIN_MS = 200;

/** Reason of the action that puts annotations right, and of its event. */
export const CORRECTED = 'StampCorrected';

/** What is known of the custom resource. */
export interface Witness {
  /** Of the custom resource. */
  readonly generation: number;
  /** It was read from the API server after the child was. */
  readonly isFresh: boolean;
}

/** Undefined when the child was not made from a later generation. Throws `OlderThanChild`. */
export function correctionOf<T extends Child>(live: T, { generation, isFresh }: Witness): Action<T> | undefined {
  const claimed = numberAnnotation(live, annotations.generation) ?? 0;
  if (claimed <= generation) return undefined;
  // Below all: what it was made from shows in its hash.
  return correct(live, { [annotations.generation]: '0' }, isFresh);
}

/** Throws `OlderThanChild` while that may explain it. */
export function correct<T extends Child>(
  live: T,
  truth: Readonly<Record<string, string>>,
  isFresh: boolean,
): Action<T> {
  const { namespace = '', name } = live.metadata;
  if (!isFresh) throw new OlderThanChild(AGAIN_MS, `${namespace}/${name} is newer than the cached workload`);
  return { type: 'stamp', live, patch: { annotations: truth }, reason: CORRECTED };
}

/** For people, of an action whose reason is `CORRECTED`. */
export function correctedNote(what: string, { patch }: Extract<Action<Child>, { type: 'stamp' }>): string {
  const keys = Object.keys(patch.annotations ?? {}).join(', ');
  return `Corrected ${keys} of ${what}: not written by a controller`;
}
