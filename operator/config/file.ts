/** The configuration file: YAML text to leaves with line and column. Knows no schema. */
import type { Document, Node } from 'yaml';
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { FieldPath } from '../api/unknown-fields.ts';
import { knownPaths } from './keys.ts';
import type { Problem } from './problems.ts';
import type { Leaf, Path, Tree } from './tree.ts';
import { getAt, isEmpty, isTree, leavesOf, newTree } from './tree.ts';

/** `file:line:column` of a value below a list, by its path in today's words; undefined when it is nowhere. */
export type Locate = (path: FieldPath) => string | undefined;

export interface ReadFile {
  readonly leaves: readonly Leaf[];
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
  readonly locate: Locate;
}

const NOWHERE = { leaves: [], notices: [], locate: () => undefined };

/** A file that is not there, or cannot be read. */
export function noFile(...problems: readonly Problem[]): ReadFile {
  return { ...NOWHERE, problems };
}

/** `name` is shown to people: the path of the file. */
export function parseConfigFile(name: string, text: string): ReadFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      path: at(error.pos[0]),
      fix: yamlRule(error.code, error.message),
    }));
    return noFile(...problems);
  }
  const content = plain(document);
  if (content === undefined) return noFile();
  if (!isTree(content)) {
    return noFile({ path: name, fix: 'must be a map of settings such as "port: 8080"' });
  }
  const leaves = [...leavesOf(content)].map(({ path, value }) => ({
    path,
    value,
    origin: { rank: 'file' as const, where: at(offsetOf(document, path)) },
  }));
  const locate = (path: FieldPath) => [path, path.slice(1)].map((each) => nodeAt(document, each)).find(Boolean);
  return {
    ...inTodaysWords(leaves, content),
    problems: [],
    locate: (path) => {
      const node = locate(path);
      return node?.range ? at(node.range[0]) : undefined;
    },
  };
}

/** Text of the file may be quoted in a parser's message, and may be a secret. */
function yamlRule(code: string, message: string): string {
  const hint = code === 'TAB_AS_INDENT' ? '; indent with spaces' : '';
  return `is not valid YAML: ${message.replace(/["'].*$/s, '…')}${hint}`;
}

function plain(document: Document.Parsed): unknown {
  const value: unknown = document.toJS({ mapAsMap: true });
  return value === null ? undefined : untangle(value);
}

/** Maps become trees without a prototype; what hangs below a list stays as it is written. */
function untangle(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(untangle);
  if (!(value instanceof Map)) return value;
  const tree = newTree();
  for (const [name, inner] of value) tree[String(name)] = untangle(inner);
  return tree;
}

function offsetOf(document: Document.Parsed, path: Path): number {
  return nodeAt(document, path)?.range?.[0] ?? 0;
}

function nodeAt(document: Document.Parsed, path: FieldPath): Node | undefined {
  const node: unknown = document.getIn(path, true);
  return isNode(node) ? node : undefined;
}

const LISTS = ['processes', 'cronJobs', 'services', 'persistentSets'];

/** Accepts the forms of the seed's shorter examples: workload lists at the top level, and a `deployment` section. */
function inTodaysWords(leaves: readonly Leaf[], content: Tree): Pick<ReadFile, 'leaves' | 'notices'> {
  const notices: string[] = [];
  const renamed = leaves.flatMap((leaf): readonly Leaf[] => {
    const path = todaysPath(leaf.path);
    if (path === undefined) {
      notices.push(`"${leaf.path.join('.')}" in the configuration file has no effect`);
      return [];
    }
    if (path === leaf.path || getAt(content, path) !== undefined) return [leaf];
    notices.push(`"${leaf.path.join('.')}" in the configuration file was read as "${path.join('.')}"`);
    return [{ ...leaf, path }];
  });
  return {
    leaves: renamed.filter(({ path, value }) => !(isEmpty(value) && knownPaths.includes(path.join('.')))),
    notices,
  };
}

/** `undefined`: nothing in this product listens to the key. */
function todaysPath(path: Path): Path | undefined {
  const [first = '', second, ...rest] = path;
  if (path.length === 1 && LISTS.includes(first)) return ['workloads', first];
  if (first !== 'deployment') return path;
  if (second === 'type' && rest.length === 0) return undefined;
  if (second === 'storage' && rest.length === 0) return ['storageType'];
  return second === 'spanner' && rest.length === 1 ? ['spanner', ...rest] : path;
}
