/** Reads which file imports what: every static and dynamic import and re-export of a tree of TypeScript files. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { parseSync } from 'oxc-parser';

export interface Edge {
  /** Path of the importing file, from the root. */
  readonly from: string;
  /** Path from the root; `package:<name>` or `node:<module>` for what is not in the tree. */
  readonly to: string;
  /** `import type`: erased, nothing is loaded. */
  readonly typeOnly: boolean;
}

export interface Graph {
  readonly files: readonly string[];
  readonly edges: readonly Edge[];
}

const FOLDERS = ['operator', 'hack', 'e2e', 'bench'];

/** Throws on a file that cannot be parsed, on an import that leads nowhere, and when there is nothing to look at. */
export function readGraph(root: string): Graph {
  const files = FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }));
  const edges = files.flatMap((file) => edgesOf(root, file));
  if (files.length === 0 || edges.length === 0) throw new Error(`No imports were found below ${root}`);
  return { files, edges };
}

interface Request {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function edgesOf(root: string, file: string): readonly Edge[] {
  const source = readFileSync(join(root, file), 'utf8');
  return requestsOf(file, source).map(({ specifier, typeOnly }) => {
    const to = targetOf(file, specifier);
    if (specifier.startsWith('.') && !existsSync(join(root, to)))
      throw new Error(`${file} imports ${to}, which is not there`);
    return { from: file, to, typeOnly };
  });
}

function requestsOf(file: string, source: string): readonly Request[] {
  const { module, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} cannot be parsed: ${errors[0]?.message}`);
  const erased = (start: number) => /^(import|export)\s+type\b/.test(source.slice(start));
  return [
    ...module.staticImports.map((found) => ({ specifier: found.moduleRequest.value, typeOnly: erased(found.start) })),
    ...module.staticExports.flatMap((found) =>
      found.entries.flatMap(({ moduleRequest }) =>
        moduleRequest ? [{ specifier: moduleRequest.value, typeOnly: erased(found.start) }] : [],
      ),
    ),
    ...module.dynamicImports.map(({ moduleRequest: { start, end } }) => ({
      specifier: literal(source.slice(start, end), file),
      typeOnly: false,
    })),
  ];
}

/** A computed import could load anything: only tools may have one. */
function literal(text: string, file: string): string {
  const found = /^(['"])([^'"]+)\1$/.exec(text)?.[2];
  if (found === undefined && file.startsWith('operator/')) throw new Error(`${file} imports a computed path: ${text}`);
  return found ?? 'computed';
}

function targetOf(file: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(dirname(file), specifier);
  if (specifier.startsWith('node:')) return specifier;
  const depth = specifier.startsWith('@') ? 2 : 1;
  return `package:${specifier.split('/').slice(0, depth).join('/')}`;
}
