import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const FILES: Readonly<Record<string, string>> = {
  'operator/here.ts': 'export const here = 1;\n',
  'README.md':
    '[good](docs/a.md#part) [bad](docs/b.md) [far](https://example.com/x) `operator/here.ts` `operator/gone.ts`\n',
  'CHANGELOG.md': 'It was in `operator/gone.ts`\n',
  'docs/a.md': '| x | `here` | `operator/here.ts` |\n| y | `there` | `operator/here.ts` |\n',
  'docs/adr/README.md': '| [1](0001-one.md) |\n\nNot used: 3.\n',
  'docs/adr/0001-one.md': '# 1. One\n',
  'docs/adr/0004-four.md': '# 4. Four\n',
};

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'highlander-docs-'));
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
});
afterAll(() => rmSync(root, { recursive: true }));

describe('documents', () => {
  it('name only what exists, and list each decision', async () => {
    const checked = promisify(execFile)(process.execPath, [resolve(import.meta.dirname, 'docs.ts'), root]);
    const stderr = [
      'README.md:1 links to docs/b.md, which does not exist',
      'README.md:1 names operator/gone.ts, which does not exist',
      'docs/a.md:2 says that operator/here.ts has there, which it does not export',
      'docs/adr/README.md lacks 0004-four.md',
      'docs/adr/README.md must list 2 either as a decision or as not used',
      '',
    ].join('\n');
    await expect(checked).rejects.toMatchObject({ code: 1, stderr, stdout: 'Documents: 6 pages, 5 flaws\n' });
  });
});
