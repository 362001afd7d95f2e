/** What this process remembers of the children that it brought up itself: what is written on them, others may have changed. */
import { annotations } from '../api/group.ts';
import { isKept } from './child-plan.ts';
import type { Memory } from './child-plan.ts';
import { numberAnnotation } from './metadata.ts';
import type { AnyChild, DesiredChild } from './child.ts';

/** Children that are remembered. */
const KEPT = 10_000;

/** Remembers attempts and results, child by child, for as long as the process lives. */
export class ChildMemory implements Memory {
  /** Uid to hash of the attempt. */
  readonly #stubborn = new Map<string, string>();
  /** Uid to generation and hash. */
  readonly #brought = new Map<string, string>();

  isStubborn({ metadata: { uid = '' } }: AnyChild, { hash }: DesiredChild): boolean {
    return this.#stubborn.get(uid) === hash;
  }

  wasBroughtUp({ metadata: { uid = '' } }: AnyChild, { hash }: DesiredChild, generation: number): boolean {
    return this.#brought.get(uid) === textOf(generation, hash);
  }

  /** After an apply. False when the API server, or a webhook in it, has made something else of it: it is set once, not without end. */
  noteApplied(child: DesiredChild, live: AnyChild): boolean {
    const { uid = '' } = live.metadata;
    const kept = isKept(live, child);
    this.#stubborn.delete(uid);
    if (!kept) put(this.#stubborn, uid, child.hash);
    return kept;
  }

  /** After any write to it. */
  noteWritten({ hash }: Pick<DesiredChild, 'hash'>, live: AnyChild): void {
    const { uid = '', annotations: notes } = live.metadata;
    const generation = numberAnnotation(live, annotations.generation);
    this.#brought.delete(uid);
    if (generation !== undefined && notes?.[annotations.appliedHash] === hash)
      put(this.#brought, uid, textOf(generation, hash));
  }
}

function textOf(generation: number, hash: string): string {
  return `${generation} ${hash}`;
}

function put(map: Map<string, string>, key: string, value: string): void {
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= KEPT) return;
    map.delete(oldest);
  }
}
