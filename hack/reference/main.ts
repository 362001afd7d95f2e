/** `make reference`: writes docs/reference/ from the code. With --check it writes nothing and ends with 1 when a page is not up to date. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withProgram } from '../source/program.ts';
import { pagesOf } from './pages.ts';
import { wordsOf } from './words.ts';

const [root = resolve(import.meta.dirname, '../..')] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const folder = join(root, 'docs/reference');
const pages = pagesOf(withProgram(root, wordsOf)).map(({ name, text }) => ({ path: join(folder, name), text }));

function current(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Lines that only one of the two has. */
function differences(have: string, want: string): readonly string[] {
  const [old, now] = [have, want].map((text) => text.split('\n'));
  return [
    ...(old ?? []).filter((line) => !now?.includes(line)).map((line) => `  - ${line}`),
    ...(now ?? []).filter((line) => !old?.includes(line)).map((line) => `  + ${line}`),
  ];
}

if (process.argv.includes('--check')) {
  const stale = pages.filter(({ path, text }) => current(path) !== text);
  for (const { path, text } of stale)
    console.error(`${path} is not up to date\n${differences(current(path), text).join('\n')}`);
  if (stale.length > 0) {
    console.error('These words are public. If the change is meant: make reference');
    process.exitCode = 1;
  }
} else {
  mkdirSync(folder, { recursive: true });
  for (const { path, text } of pages) writeFileSync(path, text);
}
