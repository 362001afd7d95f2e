/** The flags of `highlander storage repair`, as a shell passes them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { decodeRecord } from '../leadership/lease-record.ts';
import { cellKeys } from '../lease/cell-store.ts';
import { SqliteStore } from '../lease/sqlite.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const CALL = { timeoutMs: 5000 };
const KEY = cellKeys.lease('default');
const BROKEN = '{"cluster":{"id":"east","name":"east"},"term":"soon"}';
const folder = mkdtempSync(join(tmpdir(), 'highlander-flags-'));
const file = join(folder, 'cells.db');
afterAll(() => rmSync(folder, { recursive: true }));

async function inStore<T>(act: (store: SqliteStore) => Promise<T>): Promise<T> {
  const store = new SqliteStore({ path: file });
  try {
    return await act(store);
  } finally {
    await store.close();
  }
}

const lease = () => inStore(async (store) => (await store.read(KEY, CALL)).cell?.value ?? '');

function repair(...flags: readonly string[]) {
  const args = [MAIN, 'storage', 'repair', ...flags];
  const store = { HIGHLANDER_STORAGE_TYPE: 'sqlite', HIGHLANDER_SQLITE_PATH: file };
  const env = { PATH: process.env['PATH'], HOME: folder, ...store };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  return { code: status, said: stdout + stderr };
}

beforeEach(async () => {
  await inStore(async (store) => {
    const { cell } = await store.read(KEY, CALL);
    await store.write(KEY, BROKEN, cell?.version, CALL);
  });
});

it.each([
  ['--term', 'soon', 'must be a whole number'],
  ['--term', '99999999999999999', 'must be a whole number'],
  ['--drain', 'long', '--drain'],
  ['--drain', '10000h', 'must be a duration from 0s to 8760h'],
])('%s %s is refused as wrong usage, and nothing is written', async (flag, value, because) => {
  const { code, said } = repair('--yes', '--cluster', 'east', flag, value);
  expect(said).toContain(because);
  expect(code).toBe(2);
  expect(await lease()).toBe(BROKEN);
});

it('--term and --drain are what is written, with --yes only', async () => {
  const term = Math.floor(Date.now() / 1000) + 1000;
  const advice = ['--cluster', 'east', '--term', String(term), '--drain', '90s'];
  expect(repair(...advice)).toMatchObject({ code: 1, said: expect.stringContaining('repeat with --yes') });
  expect(await lease()).toBe(BROKEN);
  expect(repair(...advice, '--yes')).toMatchObject({
    code: 0,
    said: expect.stringContaining(`the next term is ${term + 1}`),
  });
  expect(decodeRecord(await lease())).toMatchObject({ term, drainMs: 90_000, cluster: { id: 'east' } });
});
