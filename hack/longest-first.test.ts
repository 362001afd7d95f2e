import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { LONG } from './longest-first.ts';

it('names files that there are', () => {
  const root = resolve(import.meta.dirname, '..');
  expect(LONG.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
