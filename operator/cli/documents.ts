/** What `-f` names: files, folders and standard input, as YAML or JSON documents that know where each value stands. */
import { isUtf8 } from 'node:buffer';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FieldPath } from '../api/unknown-fields.ts';
import { parseYaml } from '../lib/yaml.ts';
import { messageOf } from '../lib/errors.ts';

/** A text that was read. */
export interface Source {
  /** The path as it was found; `stdin`. */
  readonly name: string;
  readonly text: string;
}

/** One document of a text. */
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
    try {
      if (path === '-') return [{ name: 'stdin', text: textOf(readFileSync(0)) }];
      return filesOf(path).map((name) => ({ name, text: textOf(readFileSync(name)) }));
    } catch (error) {
      throw new Error(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
    }
  });
}

/** As kubectl reads a file; what PowerShell writes is UTF-16 unless told otherwise. */
function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new Error('it is not UTF-8: save it with this encoding');
  return bytes.toString('utf8');
}

function filesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  const found = readdirSync(path, { recursive: true, encoding: 'utf8' }).toSorted();
  return found.filter((name) => /\.(ya?ml|json)$/.test(name)).map((name) => join(path, name));
}

/** The documents of a text, and what is wrong with it. */
export interface Parsed {
  readonly parts: readonly Part[];
  readonly findings: readonly Finding[];
  /** What kubectl reads without a word, but hardly as it was meant. */
  readonly warnings: readonly Finding[];
}

/** Empty documents are left out. */
export function parseSource(source: Source): Parsed {
  const documents = parseYaml(source.text);
  const place = (at: string) => `${source.name}:${at}`;
  return {
    parts: documents
      .filter(({ value }) => value !== undefined)
      .map(({ value, locate }) => ({
        source,
        content: value,
        isAlone: documents.length === 1,
        at: (path: FieldPath) => place(nearest(locate, path)),
      })),
    findings: documents.flatMap(({ errors }) =>
      errors.map(({ at, what }) => ({ at: place(at), what: `is not valid YAML: ${what}` })),
    ),
    warnings: documents.flatMap(({ doubts }) => doubts.map(({ at, what }) => ({ at: place(at), what }))),
  };
}

function nearest(locate: (path: FieldPath) => string | undefined, path: FieldPath): string {
  for (let length = path.length; length > 0; length--) {
    const found = locate(path.slice(0, length));
    if (found !== undefined) return found;
  }
  return locate([]) ?? '1:1';
}
