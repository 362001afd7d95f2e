/**
 * The examples that the original publishes, each YAML block of its page: configuration files, custom resources and other
 * manifests. Each must go on working.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface Example {
  readonly text: string;
  readonly content: Readonly<Record<string, unknown>>;
}

const file = new URL('published-examples.yaml', import.meta.url);
const all = readFileSync(file, 'utf8').split(/^---$/m).map(exampleOf);

export const examples = {
  all,
  config: all.filter(({ content }) => content['apiVersion'] === undefined),
  manifests: all.filter(({ content }) => content['apiVersion'] !== undefined),
};

/** The YAML blocks of a page of text, on which nothing marks where they begin and end. */
export function yamlBlocks(page: string): readonly Example[] {
  const blocks: string[][] = [[]];
  for (const line of page.split('\n')) {
    if (!LINE.test(line) || FILE.test(line)) blocks.push([]);
    if (LINE.test(line)) blocks.at(-1)?.push(line);
  }
  return blocks
    .filter((lines) => lines.filter((line) => /^\s*[^#\s]/.test(line)).length > 1)
    .map((lines) => exampleOf(lines.join('\n')));
}

/** A key, a list item, a comment, or nothing. */
const LINE = /^\s*(#.*|- .*|[A-Za-z][\w./-]*:(\s.*)?)?$/;
/** The name of a file, where the next example begins. */
const FILE = /^# \S+\.yaml$/;

function exampleOf(text: string): Example {
  return { text, content: parse(text) as Example['content'] };
}
