import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const REPOSITORY = resolve(import.meta.dirname, '..');
const FILES = {
  'operator/documented.ts': `import { a } from './silent.ts';\n\n/** Says something. */\nexport const b = a;\n`,
  'operator/silent.ts': `import type {} from 'node:fs';\n\nexport const a = 1;\n// no docstring\nexport interface Shape {}\n`,
  'operator/passes-on.ts': `export { a } from './silent.ts';\n`,
  'operator/testing/double.ts': 'export const c = 1;\n',
  'operator/silent.test.ts': 'export const d = 1;\n',
};

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'highlander-docstrings-'));
  mkdirSync(join(root, 'operator/testing'), { recursive: true });
  for (const [path, text] of Object.entries(FILES)) writeFileSync(join(root, path), text);
  const options = { module: 'nodenext', noEmit: true, allowImportingTsExtensions: true, types: ['node'] };
  writeFileSync(join(root, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['operator'] }));
  symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
});
afterAll(() => rmSync(root, { recursive: true }));

describe('docstrings', () => {
  it('names each exported symbol of the product that has none, once and where it is written', async () => {
    const checked = promisify(execFile)(process.execPath, [join(REPOSITORY, 'hack/docstrings.ts'), root]);
    await expect(checked).rejects.toMatchObject({
      code: 1,
      stdout: 'Docstrings: 3 exported symbols, 2 without one\n',
      stderr: 'operator/silent.ts:3 a has no docstring\noperator/silent.ts:5 Shape has no docstring\n',
    });
  }, 60_000);
});
