/**
 * What a controller keeps for as long as it lives: every Map and Set that is made while it is composed, whatever class it
 * is a field of.
 */

type Collection = Map<unknown, unknown> | Set<unknown>;

/** A collection that lives as long as its controller. */
export interface Kept {
  /** Class of which it is a field, and which of those it is, the first being 1. */
  readonly where: string;
  readonly collection: Collection;
}

/** What `make` returns, and the collections that it made. */
export function keeping<T>(make: () => T): { readonly made: T; readonly kept: readonly Kept[] } {
  const { Map: RealMap, Set: RealSet } = globalThis;
  const kept: Kept[] = [];
  let last = { owner: '', count: 0 };
  const note = (collection: Collection) => {
    const owner = ownerIn(new Error('where').stack);
    last = { owner, count: owner === last.owner ? last.count + 1 : 1 };
    kept.push({ where: `${owner} ${last.count}`, collection });
  };
  class KeptMap<K, V> extends RealMap<K, V> {
    constructor(entries?: Iterable<readonly [K, V]> | null) {
      super(entries);
      note(this);
    }
  }
  class KeptSet<V> extends RealSet<V> {
    constructor(values?: Iterable<V> | null) {
      super(values);
      note(this);
    }
  }
  Object.assign(globalThis, { Map: KeptMap, Set: KeptSet });
  try {
    return { made: make(), kept };
  } finally {
    Object.assign(globalThis, { Map: RealMap, Set: RealSet });
  }
}

/** With what it holds in collections of its own. */
export function sizeOf(collection: Collection): number {
  let size = collection.size;
  for (const value of collection.values()) if (value instanceof Map || value instanceof Set) size += value.size;
  return size;
}

function ownerIn(stack = ''): string {
  const names = [...stack.matchAll(/at new (\w+)/g)].map(([, name]) => name ?? '');
  return names.find((name) => name !== 'KeptMap' && name !== 'KeptSet') ?? 'unknown';
}
