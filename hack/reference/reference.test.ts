import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

/** File, what is in it, what is planted instead, what the check says. */
const PLANTED: readonly (readonly [file: string, from: string, to: string, said: RegExp])[] = [
  [
    'operator/leadership/elector.ts',
    `'Acquired the lease'`,
    `'Got the lease'`,
    /- \| Acquired the lease[^]*\+ \| Got the lease/,
  ],
  [
    'operator/leadership/elector.ts',
    `info('Acquired the lease'`,
    `debug('Acquired the lease'`,
    /\+ \| Acquired the lease \| debug/,
  ],
  [
    'operator/workloads/process/verdict.ts',
    `'MaxRestartsExceeded'`,
    `'TooManyRestarts'`,
    /"TooManyRestarts" is in the code/,
  ],
  ['operator/workloads/process/events.ts', `'PodPurged'`, `'PodForgotten'`, /"PodPurged" is not in the code any more/],
  ['operator/http/leadership.ts', `'leader_changed'`, `'leader_differs'`, /"leader_differs" is in the code/],
];

let root: string;
const check = () => run(process.execPath, [join(REPOSITORY, 'hack/reference/main.ts'), root, '--check']);

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'highlander-reference-'));
  for (const part of ['operator', 'docs/reference', 'tsconfig.json'])
    cpSync(join(REPOSITORY, part), join(root, part), { recursive: true });
  symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
});
afterAll(() => rmSync(root, { recursive: true }));

describe('docs/reference', () => {
  it('is up to date', async () => {
    await expect(check()).resolves.toMatchObject({ stderr: '' });
  }, 120_000);

  it.each(PLANTED)(
    'a change of a public word in %s is seen: %s becomes %s',
    async (file, from, to, said) => {
      const path = join(root, file);
      const text = readFileSync(path, 'utf8');
      expect(text).toContain(from);
      writeFileSync(path, text.replaceAll(from, to));
      try {
        await expect(check()).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(said) as string });
      } finally {
        writeFileSync(path, text);
      }
    },
    120_000,
  );
});
