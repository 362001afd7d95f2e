/** The configuration file: YAML text to leaves with line and column. Knows no schema. */
import type { FieldPath } from '../api/unknown-fields.ts';
import { knownPaths } from './keys.ts';
import type { Problem } from './problems.ts';
import type { Leaf, Path, Tree } from './tree.ts';
import { getAt, isEmpty, isTree, leavesOf, newTree } from './tree.ts';
import { parseYaml } from '../lib/yaml.ts';

/** `file:line:column` of a value below a list, by its path in today's words; undefined when it is nowhere. */
export type Locate = (path: FieldPath) => string | undefined;

/** A configuration file as read, and what is wrong with its form. */
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
  const [document, more] = parseYaml(text);
  if (!document) return noFile();
  const flaws = [
    ...document.errors.map(({ at, what, code }) => ({ at, fix: yamlRule(what, code) })),
    ...document.doubts.map(({ at, what }) => ({ at, fix: doubtful(what) })),
    ...(more ? [{ at: '1:1', fix: 'must be one YAML document, without a line "---" in between' }] : []),
  ];
  if (flaws.length > 0) return noFile(...flaws.map(({ at, fix }) => ({ path: `${name}:${at}`, fix })));
  const content = untangle(document.value);
  if (content === undefined) return noFile();
  if (!isTree(content)) {
    return noFile({ path: name, fix: 'must be a map of settings such as "port: 8080"' });
  }
  const leaves = [...leavesOf(content)].map(({ path, value }) => ({
    path,
    value,
    origin: { rank: 'file' as const, where: `${name}:${document.locate(path) ?? '1:1'}` },
  }));
  return {
    ...inTodaysWords(leaves, content),
    problems: [],
    locate: (path) => {
      const at = document.locate(path) ?? document.locate(path.slice(1));
      return at === undefined ? undefined : `${name}:${at}`;
    },
  };
}

/** Text of the file may be quoted in a parser's message, and may be a secret. */
function yamlRule(message: string, code?: string): string {
  const hint = code === 'TAB_AS_INDENT' ? '; indent with spaces' : '';
  const quote = message.search(/["']/);
  return `is not valid YAML: ${quote < 0 ? message : `${message.slice(0, quote)}…`}${hint}`;
}

/** Names of keys may be secrets. */
function doubtful(what: string): string {
  return `is not valid YAML: ${what.startsWith('"') ? 'Map keys must be unique' : what}`;
}

/** Maps become trees without a prototype. */
function untangle(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(untangle);
  if (!isTree(value)) return value;
  const tree = newTree();
  for (const [name, inner] of Object.entries(value)) tree[name] = untangle(inner);
  return tree;
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
