import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CellStore, WriteReply } from './cell-store.ts';
import { systemClock } from '../lib/clock.ts';
import { PostgresDialer } from './postgres-dial.ts';
import { PostgresStore, type PostgresOptions } from './postgres.ts';
import { serverOf } from './testing/conformance-bench.ts';
import { describeCellStore, type StoreHarness } from './testing/conformance.ts';
import { PostgresServer } from './testing/postgres-server.ts';
import { Worker } from './testing/worker.ts';

const call = { timeoutMs: 5000 };
const key = 'highlander-leader-lock:default';
const versionOf = (reply: WriteReply) => (reply.ok ? reply.version : 'refused');

async function harness(): Promise<StoreHarness> {
  const server = await PostgresServer.start();
  const options = (address = server.address): PostgresOptions => ({ url: server.url('postgres', address) });
  return {
    open: async (address) => new PostgresStore(options(address)),
    task: { kind: 'db', db: options() },
    openUnauthorized: async () => new PostgresStore({ url: server.url().replace(':right@', ':wrong@') }),
    wipe: async () => void (await server.query('truncate highlander_cells')),
    server: serverOf(server, true),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describeCellStore('PostgreSQL', harness);

describe('PostgreSQL', () => {
  let server: PostgresServer;
  let database: string;
  let count = 0;
  const opened: CellStore[] = [];
  /** In a database of the test's own. */
  const open = (options: Partial<PostgresOptions> = {}) => {
    const store = new PostgresStore({ url: server.url(database), ...options });
    opened.push(store);
    return store;
  };
  const sql = (text: string) => server.query(text, database);
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  beforeEach(async () => {
    database = `test${(count += 1)}`;
    await server.query(`create database ${database}`);
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('a cell is a row that people can read', async () => {
    await open().write(key, '{"holder":"a"}', undefined, call);
    expect(
      await sql('select key, value, clock_timestamp() - written_at < $$5s$$ as fresh from highlander_cells'),
    ).toEqual([{ key, value: '{"holder":"a"}', fresh: true }]);
  });

  test('an immediate restart keeps what was acknowledged, and the incarnation', async () => {
    const store = open();
    const written = await store.write(key, 'a', undefined, call);
    await server.restartImmediately();
    const read = () => store.read(key, call).catch(String);
    await expect.poll(read).toMatchObject({ incarnation: written.incarnation, cell: { version: versionOf(written) } });
  });

  test.for([
    ['dropped', 'drop table highlander_cells, highlander_store'],
    [
      'dropped with the notes of their making',
      'drop table highlander_cells, highlander_store, highlander_migrations, highlander_migrations_lock',
    ],
    ['dropped, the cells alone', 'drop table highlander_cells'],
    ['emptied', 'truncate highlander_cells'],
  ])('tables that are %s come again, with another incarnation', async ([, loss]) => {
    const [store, other] = [open(), open()];
    const written = await store.write(key, 'a', undefined, call);
    await sql(loss ?? '');
    const after = await store.write(`${key}2`, 'b', undefined, call);
    expect(after.ok).toBe(true);
    expect(after.incarnation).not.toBe(written.incarnation);
    expect((await other.read(key, call)).incarnation).toBe(after.incarnation);
  });

  test('a store without its identity fails one call, which may have been done, and gets another one', async () => {
    const store = open();
    const written = await store.write(key, 'a', undefined, call);
    await sql('delete from highlander_store');
    await expect(store.write(key, 'b', versionOf(written), call)).rejects.toMatchObject({ kind: 'unreachable' });
    const after = await store.read(key, call);
    expect(after.cell?.value).toBe('b');
    expect(after.incarnation).not.toBe(written.incarnation);
  });

  test('a restored dump is another incarnation, although it brings the old identity back', async () => {
    const store = open();
    const written = await store.write(key, 'a', undefined, call);
    await sql('create table saved_cells as table highlander_cells; create table saved_store as table highlander_store');
    await store.write(key, 'b', versionOf(written), call);
    await sql(`truncate highlander_cells, highlander_store;
      insert into highlander_cells table saved_cells; insert into highlander_store table saved_store`);
    const restored = await store.read(key, call);
    expect(restored.cell).toMatchObject({ value: 'a', version: versionOf(written) });
    expect(restored.incarnation).not.toBe(written.incarnation);
  });

  test('five processes that make the tables at once agree', async () => {
    const task = { store: { kind: 'db', db: { url: server.url(database) } }, work: 'once' } as const;
    const workers = Array.from({ length: 5 }, (_, index) => Worker.start({ ...task, key: `${key}${index}` }));
    const answers = await Promise.all(workers.map((worker) => worker.answer()));
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, true, true, true]);
    expect(new Set(answers.map(({ incarnation }) => incarnation)).size).toBe(1);
    expect(await sql('select count(*)::int from highlander_migrations')).toEqual([{ count: 1 }]);
  });

  test('of ten racers one wins in a database that is serializable unless told', async () => {
    await sql(`alter database ${database} set default_transaction_isolation = serializable`);
    const stores = Array.from({ length: 10 }, () => open());
    await Promise.all(stores.map((store) => store.read(key, call)));
    for (let round = 0, version: string | undefined; round < 10; round += 1) {
      const replies = await Promise.all(stores.map((store) => store.write(key, String(round), version, call)));
      expect(replies.filter(({ ok }) => ok)).toHaveLength(1);
      version = replies.map(versionOf).find((text) => text !== 'refused');
    }
  });

  test('no more connections than allowed, however many calls', async () => {
    const store = open({ maxConnections: 2 });
    await Promise.all(Array.from({ length: 50 }, (_, index) => store.write(`${key}${index}`, 'a', undefined, call)));
    expect(await store.list('highlander-', call)).toHaveLength(50);
    const mine = `select count(*)::int from pg_stat_activity where application_name = 'highlander' and datname = '${database}'`;
    expect(await server.query(mine)).toEqual([{ count: 2 }]);
  });

  test('somebody who locks the table hangs no caller', async () => {
    const store = open();
    await store.read(key, call);
    const locked = sql(`begin; lock table highlander_cells; select pg_sleep(2); commit`);
    await expect
      .poll(() => sql("select 1 from pg_locks where mode = 'AccessExclusiveLock' and granted"))
      .toHaveLength(1);
    await expect(store.write(key, 'a', undefined, { timeoutMs: 300 })).rejects.toMatchObject({ kind: 'timeout' });
    await locked;
    expect((await store.read(key, call)).incarnation).not.toBe('');
  });

  test('the server ends by itself what nobody waits for any more', async () => {
    const connection = await new PostgresDialer({ url: server.url(database) }, systemClock).dial(
      new AbortController().signal,
    );
    expect((await connection.client.query('show statement_timeout')).rows).toEqual([{ statement_timeout: '10s' }]);
    connection.destroy();
  });
});
