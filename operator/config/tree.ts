/**
 * The layers of configuration before they mean anything: nested maps as they came, merged leaf by leaf, each leaf with
 * its origin.
 */

/** Without a prototype, so that a key named `__proto__` in a file is a key like any other. */
export interface Tree {
  [key: string]: unknown;
}

/** Keys from the outside in. */
export type Path = readonly string[];

/** Where a value came from, least to most important. */
export type Rank = 'default' | 'file' | 'environment' | 'flag';

const RANKS: readonly Rank[] = ['default', 'file', 'environment', 'flag'];

/** Where a value came from, and how much that weighs. */
export interface Origin {
  readonly rank: Rank;
  /** For people: `environment HIGHLANDER_PORT`, `config.yaml:3:7`. */
  readonly where: string;
}

/** One value of one layer. */
export interface Leaf {
  readonly path: Path;
  readonly value: unknown;
  readonly origin: Origin;
}

/** All layers in one, with the origin of each value. */
export interface Merged {
  readonly tree: Tree;
  /** By dotted path. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/** An empty map without a prototype: no key of a file can reach one. */
export function newTree(): Tree {
  return Object.create(null) as Tree;
}

/** Whether the value is a map. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Of two leaves with one path the later in order of rank wins; within a rank, the later in the list. */
export function merge(leaves: readonly Leaf[]): Merged {
  const tree = newTree();
  const origins = new Map<string, Origin>();
  const ordered = leaves.toSorted((a, b) => RANKS.indexOf(a.origin.rank) - RANKS.indexOf(b.origin.rank));
  for (const { path, value, origin } of ordered) {
    if (setAt(tree, path, value)) origins.set(path.join('.'), origin);
  }
  return { tree, origins };
}

/** False when a part of the path is taken by something that is no map: the schema will say so. */
function setAt(tree: Tree, path: Path, value: unknown): boolean {
  let at = tree;
  for (const step of path.slice(0, -1)) {
    const next = (at[step] ??= newTree());
    if (!isTree(next)) return false;
    at = next;
  }
  const last = path.at(-1);
  if (last === undefined) return false;
  at[last] = value;
  return true;
}

/** The value at `path`; undefined when there is none. */
export function getAt(tree: unknown, path: Path): unknown {
  let at = tree;
  for (const step of path) at = isTree(at) ? at[step] : Array.isArray(at) ? at[Number(step)] : undefined;
  return at;
}

/** Leaves of a tree: everything but maps, and maps without keys. */
export function* leavesOf(tree: Tree, above: Path = []): Generator<{ readonly path: Path; readonly value: unknown }> {
  for (const [name, value] of Object.entries(tree)) {
    const path = [...above, name];
    if (isTree(value) && Object.keys(value).length > 0) yield* leavesOf(value, path);
    else yield { path, value };
  }
}

/** Counts as not set, as in the seed's files. */
export function isEmpty(value: unknown): boolean {
  return value === null || value === '' || (isTree(value) && Object.keys(value).length === 0);
}
