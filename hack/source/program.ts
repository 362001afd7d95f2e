/** The project as the compiler sees it: its production files and their types. */
import { join, relative } from 'node:path';
import type { Node, SourceFile } from 'typescript/unstable/ast';
import type { Checker } from 'typescript/unstable/sync';
import { API } from 'typescript/unstable/sync';

export interface Source {
  /** Path from the root. */
  readonly path: string;
  readonly file: SourceFile;
}

export interface Program {
  /** Of `operator/`, without tests and what is there only for tests; by path. */
  readonly sources: readonly Source[];
  readonly checker: Checker;
  /** `path:line` of a node. */
  at(node: Node): string;
}

const NOT_PRODUCTION = /\.test\.ts$|\/testing\//;

/** Calls `use` with the program of the `tsconfig.json` in `root`; it cannot be used afterwards. Throws when there is none. */
export function withProgram<T>(root: string, use: (program: Program) => T): T {
  const api = new API({ cwd: root });
  try {
    const config = join(root, 'tsconfig.json');
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config);
    if (!project) throw new Error(`${config} does not describe a project`);
    const { program, checker } = project;
    const sources = program
      .getSourceFileNames()
      .map((name) => ({ name, path: relative(root, name) }))
      .filter(({ path }) => path.startsWith('operator/') && path.endsWith('.ts') && !NOT_PRODUCTION.test(path))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1))
      .flatMap(({ name, path }) => {
        const file = program.getSourceFile(name);
        return file ? [{ path, file }] : [];
      });
    return use({ sources, checker, at: (node) => placeOf(root, node) });
  } finally {
    api.close();
  }
}

function placeOf(root: string, node: Node): string {
  const file = node.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
  return `${relative(root, file.fileName)}:${line + 1}`;
}
