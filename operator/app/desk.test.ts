import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { resolve } from '../config/testing/resolving.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { httpDesk } from './desk.ts';

it('the token is what its file holds now; gone or too short, nobody may ask', () => {
  const folder = mkdtempSync(join(tmpdir(), 'token-'));
  const file = join(folder, 'token');
  const on = { read: () => 'a token that is long enough' };
  const config = resolve({ env: { HIGHLANDER_REDIS_ADDR: 'r' }, yaml: `api: {tokenFile: ${file}}`, on });
  const { token } = httpDesk(config, new MemoryStore(new FakeClock()));
  expect(token()).toBeUndefined();
  writeFileSync(file, 'first-token-0123456789\n');
  expect(token()).toBe('first-token-0123456789');
  writeFileSync(file, 'short\n');
  expect(token()).toBeUndefined();
  rmSync(folder, { recursive: true });
  expect(token()).toBeUndefined();
});

it.each<[string, (file: string) => void]>([
  ['a pipe that nobody writes', (file) => execFileSync('mkfifo', [file])],
  ['a file of 3 GB', (file) => (writeFileSync(file, 'x'.repeat(32)), truncateSync(file, 3_000_000_000))],
  ['a device without end', (file) => symlinkSync('/dev/zero', file)],
  ['a folder', (file) => mkdirSync(file)],
])('%s holds no token, and nobody waits for it', (_what, make) => {
  const folder = mkdtempSync(join(tmpdir(), 'token-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'token');
  const on = { read: () => 'a token that is long enough' };
  const config = resolve({ env: { HIGHLANDER_REDIS_ADDR: 'r' }, yaml: `api: {tokenFile: ${file}}`, on });
  const { token } = httpDesk(config, new MemoryStore(new FakeClock()));
  make(file);
  expect(token()).toBeUndefined();
});
