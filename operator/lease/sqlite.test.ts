import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CellStore } from './cell-store.ts';
import { SqliteStore } from './sqlite.ts';
import { describeCellStore, type StoreHarness } from './testing/conformance.ts';

const call = { timeoutMs: 3000 };
const key = 'highlander-leader-lock:default';

async function harness(): Promise<StoreHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'highlander-sqlite-'));
  const path = join(folder, 'state', 'highlander.db');
  return {
    open: async () => new SqliteStore({ path }),
    task: { kind: 'sqlite', sqlite: { path } },
    wipe: async () => {
      for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true });
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

describeCellStore('SQLite', harness, { embedded: true });

describe('SQLite', () => {
  let folder: string;
  const opened: CellStore[] = [];
  const open = (path = join(folder, 'cells.db')) => {
    const store = new SqliteStore({ path });
    opened.push(store);
    return store;
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'highlander-sqlite-'));
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('folder and file are made for their owner only', async () => {
    const path = join(folder, 'a', 'b', 'cells.db');
    await open(path).read(key, call);
    expect([statSync(join(folder, 'a', 'b')).mode & 0o777, statSync(path).mode & 0o777]).toEqual([0o700, 0o600]);
  });

  test('a cell outlives the store, and people can read it', async () => {
    const store = open();
    const written = await store.write(key, '{"holder":"a"}', undefined, call);
    await store.close();
    const after = await open().read(key, call);
    expect(after).toMatchObject({ incarnation: written.incarnation, cell: { version: written.ok && written.version } });
    using database = new DatabaseSync(join(folder, 'cells.db'));
    expect(database.prepare('select key, value from highlander_cells').all()).toEqual([
      { key, value: '{"holder":"a"}' },
    ]);
  });

  test('a file that is removed, or replaced by a copy of its own, is another incarnation', async () => {
    const [store, path] = [open(), join(folder, 'cells.db')];
    const written = await store.write(key, 'a', undefined, call);
    using copier = new DatabaseSync(path);
    copier.exec(`vacuum into '${join(folder, 'backup.db')}'`);
    await store.write(key, 'b', written.ok ? written.version : '', call);
    for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix);
    const anew = await store.read(key, call);
    expect(anew.cell).toBeUndefined();
    expect(anew.incarnation).not.toBe(written.incarnation);
    await rename(join(folder, 'backup.db'), path);
    for (const suffix of ['-wal', '-shm']) await rm(path + suffix);
    const restored = await store.read(key, call);
    expect(restored.cell).toMatchObject({ value: 'a', version: written.ok && written.version });
    expect([written.incarnation, anew.incarnation]).not.toContain(restored.incarnation);
  });

  test('a file that others write to delays a call, but not the process', async () => {
    const store = open();
    await store.read(key, call);
    using other = new DatabaseSync(join(folder, 'cells.db'));
    other.exec('begin immediate');
    const lags: number[] = [];
    let last = performance.now();
    const timer = setInterval(() => {
      lags.push(performance.now() - last);
      last = performance.now();
    }, 5);
    await expect(store.write(key, 'a', undefined, { timeoutMs: 2500 })).rejects.toMatchObject({ kind: 'timeout' });
    clearInterval(timer);
    expect(lags.length).toBeGreaterThan(15);
    expect(Math.max(...lags)).toBeLessThan(1250);
    expect((await store.read(key, call)).cell).toBeUndefined();
    const waiting = store.write(key, 'b', undefined, call);
    other.exec('commit');
    expect(await waiting).toMatchObject({ ok: true });
  });

  test('the age is never negative, even with a clock set back', async () => {
    const store = open();
    await store.write(key, 'a', undefined, call);
    using database = new DatabaseSync(join(folder, 'cells.db'));
    database.exec('update highlander_cells set written_at = written_at + 3600');
    expect((await store.read(key, call)).cell?.ageMs).toBe(0);
  });

  test.for([
    ['a folder', () => mkdirSync(join(folder, 'cells.db')), 'EISDIR'],
    ['something else', () => writeFileSync(join(folder, 'cells.db'), 'text'.repeat(1000)), 'file is not a database'],
  ] as const)('%s in its place is an error that says so', async ([, put, message]) => {
    put();
    await expect(open().read(key, call)).rejects.toMatchObject({
      name: 'StoreError',
      message: expect.stringContaining(message),
    });
  });
});
