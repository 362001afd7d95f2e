import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { tar } from './tar.ts';

test('is an archive that tar reads', () => {
  const long = `${'deep/'.repeat(25)}file`;
  const archive = tar([
    { path: 'bin', folder: true },
    { path: 'bin/sh', content: 'x'.repeat(513), mode: 0o755 },
    { path: 'bin/ash', linkTo: 'sh' },
    { path: long, content: 'y' },
  ]);
  const listing = execFileSync('tar', ['-tvf', '-'], {
    input: archive,
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC' },
  });
  const lines = listing
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/));
  expect(lines.map(([mode, , size]) => [mode, size])).toEqual([
    ['drwxr-xr-x', '0'],
    ['-rwxr-xr-x', '513'],
    ['lrw-r--r--', '0'],
    ['-rw-r--r--', '1'],
  ]);
  expect(lines.map((words) => words.slice(5).join(' '))).toEqual(['bin/', 'bin/sh', 'bin/ash -> sh', long]);
});

test('is the same every time', () => {
  const files = [{ path: 'a', content: 'b' }];
  expect(tar(files)).toEqual(tar(files));
});

test('refuses a name that no header can hold', () => {
  expect(() => tar([{ path: 'x'.repeat(101) }])).toThrow('too long');
});
