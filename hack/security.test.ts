/** The table of threats in SECURITY.md: each row says who attacks, with what, what stops it, and which tests show that. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

function rows(): readonly (readonly string[])[] {
  const [, table = ''] = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8').split('\n## Threats\n');
  const lines = table.split('\n').filter((line) => line.startsWith('|'));
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

it('has the columns', () => expect(rows()[0]).toEqual(['who', 'with what', 'what stops it', 'test']));

it.each(
  rows()
    .slice(2)
    .map(([who = '', what = '', ...rest]) => [who, what, ...rest] as const),
)('%s: %s', (...cells) => {
  expect(cells).toHaveLength(4);
  expect(cells.every((cell) => cell !== '')).toBe(true);
  const files = [...(cells.at(3) ?? '').matchAll(/`([^`]+)`/g)].map(([, file = '']) => file);
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) expect(file).toMatch(/\.test\.ts$/);
  expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});
