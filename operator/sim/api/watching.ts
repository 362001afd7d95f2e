/** What an API server remembers of changes, so that watches go on where they ended, until it forgets. */
import type { ResourceType } from '../../cluster/cluster-client.ts';
import { ApiError } from '../../cluster/cluster-client.ts';
import type { Stored } from './json.ts';

/** One change of one object. */
export interface Change {
  readonly type: ResourceType;
  readonly version: number;
  /** Who asked for it. */
  readonly by: string;
  /** Undefined: it is new. */
  readonly before: Stored | undefined;
  /** As it is now; of one that is gone, as it was last, at the version of its end. */
  readonly object: Stored;
  readonly isGone: boolean;
}

/** Changes kept for those who come back; a watch from before the oldest is refused. */
const KEPT = 2000;

/** The changes that are remembered, the oldest first. */
export class Changes {
  #kept: Change[] = [];
  /** Watches from before it are refused. */
  #forgottenUpTo: number;
  readonly #listeners = new Set<(change: Change) => void>();

  constructor(from: number) {
    this.#forgottenUpTo = from;
  }

  get watchers(): number {
    return this.#listeners.size;
  }

  add(change: Change): void {
    this.#kept.push(change);
    if (this.#kept.length > 2 * KEPT) this.forget(KEPT);
    for (const listener of this.#listeners) listener(change);
  }

  /** All but the last `kept` ones. */
  forget(kept = 0): void {
    const gone = this.#kept.splice(0, Math.max(0, this.#kept.length - kept));
    this.#forgottenUpTo = Math.max(this.#forgottenUpTo, gone.at(-1)?.version ?? 0);
  }

  /** Hears of all changes from now on. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Those of a type after that version. Throws 410 when they are not remembered any more. */
  since(version: number, { plural, group }: ResourceType): readonly Change[] {
    if (version < this.#forgottenUpTo)
      throw new ApiError(410, 'Expired', `too old resource version: ${version} (${this.#forgottenUpTo})`);
    return this.#kept.filter(
      (change) => change.version > version && change.type.plural === plural && change.type.group === group,
    );
  }
}

/** As `labelSelector` has it: `a=b`, `a`, `!a`, joined by commas. */
export function selects(selector: string | undefined, { metadata: { labels = {} } }: Stored): boolean {
  if (!selector) return true;
  return selector.split(',').every((term) => {
    const [key = '', value] = term.split('=');
    if (value !== undefined) return labels[key] === value;
    return key.startsWith('!') ? !(key.slice(1) in labels) : key in labels;
  });
}
