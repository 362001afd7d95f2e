/**
 * `npm run docs`: ends with 1 when a document names a file that does not exist, a type that its file does not export, or
 * when the list of decisions is not complete.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const root = resolve(process.argv[2] ?? `${import.meta.dirname}/..`);

interface Page {
  /** From the root. */
  readonly path: string;
  readonly lines: readonly string[];
}

const pages: readonly Page[] = ['*.md', '{docs,hack,e2e,bench,manifests}/**/*.md']
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  .toSorted()
  .map((path) => ({ path, lines: readFileSync(join(root, path), 'utf8').split('\n') }));

/** Pages that tell what was: files that they name may be gone. */
const PAST = /^CHANGELOG\.md$|^docs\/adr\/\d/;
const FOLDERS = /^(operator|sim|hack|e2e|bench|docs|crds|manifests)\/[\w./-]+$/;

function flawsOf(page: Page): readonly string[] {
  return page.lines.flatMap((line, index) =>
    [...deadLinks(page, line), ...(PAST.test(page.path) ? [] : missingFiles(line)), ...missingTypes(line)].map(
      (flaw) => `${page.path}:${index + 1} ${flaw}`,
    ),
  );
}

function deadLinks({ path }: Page, line: string): readonly string[] {
  const targets = [...line.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(path), target)))
    .map((target) => `links to ${target}, which does not exist`);
}

function missingFiles(line: string): readonly string[] {
  const named = [...line.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
  return named
    .filter((text) => FOLDERS.test(text) && !existsSync(join(root, text)) && !existsSync(join(root, `${text}.ts`)))
    .map((text) => `names ${text}, which does not exist`);
}

/** A row of the code map: concept, type, file. */
function missingTypes(line: string): readonly string[] {
  const [, type, file] = /^\| [^|`]+ \| `(\w+)`\s* \| `(operator\/[\w./-]+\.ts)`\s* \|$/.exec(line) ?? [];
  if (type === undefined || file === undefined || !existsSync(join(root, file))) return [];
  const isExported = new RegExp(`^export .*\\b${type}\\b`, 'm').test(readFileSync(join(root, file), 'utf8'));
  return isExported ? [] : [`says that ${file} has ${type}, which it does not export`];
}

/** Each number is a decision in the list, or said not to be used. */
function missingDecisions(): readonly string[] {
  const list = pages.find(({ path }) => path === 'docs/adr/README.md')?.lines.join('\n') ?? '';
  const files = globSync('[0-9]*.md', { cwd: join(root, 'docs/adr') });
  const numbers = new Set(files.map((file) => Number(file.slice(0, 4))));
  const unused = new Set((/^Not used: ([\d, ]+)\./m.exec(list)?.[1] ?? '').split(', ').map(Number));
  const gaps = Array.from({ length: Math.max(...numbers) }, (_, index) => index + 1).filter(
    (number) => numbers.has(number) === unused.has(number),
  );
  return [
    ...files.filter((file) => !list.includes(`](${file})`)).map((file) => `lacks ${file}`),
    ...gaps.map((number) => `must list ${number} either as a decision or as not used`),
  ].map((flaw) => `docs/adr/README.md ${flaw}`);
}

const flaws = [...pages.flatMap(flawsOf), ...missingDecisions()];
for (const flaw of flaws) console.error(flaw);
console.log(`Documents: ${pages.length} pages, ${flaws.length} flaws`);
process.exitCode = flaws.length > 0 ? 1 : 0;
