/** What `-f` names: files, folders and standard input, as YAML or JSON documents that know where each value stands. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isNode, LineCounter, parseAllDocuments } from 'yaml';
import type { Document } from 'yaml';
import type { FieldPath } from '../api/unknown-fields.ts';
import { messageOf } from '../lib/errors.ts';

export interface Source {
  /** The path as it was found; `stdin`. */
  readonly name: string;
  readonly text: string;
}

export interface Part {
  readonly source: Source;
  readonly content: unknown;
  /** The source has no other document. */
  readonly isAlone: boolean;
  /** `file:line:column` of the value, or of the nearest one around it. */
  readonly at: (path: FieldPath) => string;
}

/** Something that is wrong, for one line. */
export interface Finding {
  readonly at: string;
  readonly what: string;
}

/** Throws when a path cannot be read. Of folders all *.yaml, *.yml and *.json, those below included. */
export function readSources(paths: readonly string[]): readonly Source[] {
  return paths.flatMap((path) => {
    if (path === '-') return [{ name: 'stdin', text: readFileSync(0, 'utf8') }];
    try {
      return filesOf(path).map((name) => ({ name, text: readFileSync(name, 'utf8') }));
    } catch (error) {
      throw new Error(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
    }
  });
}

function filesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  const found = readdirSync(path, { recursive: true, encoding: 'utf8' }).toSorted();
  return found.filter((name) => /\.(ya?ml|json)$/.test(name)).map((name) => join(path, name));
}

/** Empty documents are left out. */
export function parseSource(source: Source): {
  readonly parts: readonly Part[];
  readonly findings: readonly Finding[];
} {
  const lines = new LineCounter();
  const documents = [
    ...parseAllDocuments(source.text, { lineCounter: lines, prettyErrors: false }),
  ] as Document.Parsed[];
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${source.name}:${line}:${col}`;
  };
  const findings = documents.flatMap(({ errors }) =>
    errors.map(({ pos, message }) => ({ at: place(pos[0]), what: `is not valid YAML: ${message}` })),
  );
  const parts = documents
    .filter(({ errors, contents }) => errors.length === 0 && contents !== null)
    .map((document) => ({
      source,
      content: document.toJS() as unknown,
      isAlone: documents.length === 1,
      at: (path: FieldPath) => place(offsetOf(document, path)),
    }));
  return { parts: parts.filter(({ content }) => content !== null), findings };
}

function offsetOf(document: Document.Parsed, path: FieldPath): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}
