import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { PostgresStore, type PostgresOptions } from './postgres.ts';
import { describeCellStore, type StoreHarness } from './testing/conformance.ts';
import { PgBouncer, PostgresServer } from './testing/postgres-server.ts';

/** Faults are those of the pooler: it is the server that the driver sees. Its connections are not the session's own. */
async function harness(): Promise<StoreHarness> {
  const server = await PostgresServer.start();
  const bouncer = await PgBouncer.start(server.address);
  const options = (address = bouncer.address): PostgresOptions => ({ url: server.url('postgres', address) });
  return {
    open: async (address) => new PostgresStore(options(address)),
    task: { kind: 'db', db: options() },
    openUnauthorized: async () => new PostgresStore({ url: options().url.replace(':right@', ':wrong@') }),
    wipe: async () => void (await server.query('delete from highlander_cells')),
    server: {
      addresses: [bouncer.address],
      pause: () => bouncer.pause(),
      resume: () => bouncer.resume(),
      kill: () => bouncer.kill(),
      async restart() {
        await sleep(400); // at least one look fails: nothing else tells the driver that there was a restart
        await bouncer.restart();
      },
      durable: true,
    },
    async [Symbol.asyncDispose]() {
      await bouncer[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

// Nothing is heard behind the pooler: the driver looks every 200 ms.
describeCellStore('PostgreSQL behind PgBouncer in transaction mode', harness, { hintMs: 400 });

describe('PostgreSQL behind PgBouncer in transaction mode', () => {
  test('a server that is restarted behind the pooler costs calls, but no cell', async () => {
    await using server = await PostgresServer.start();
    await using bouncer = await PgBouncer.start(server.address);
    const store = new PostgresStore({ url: server.url('postgres', bouncer.address) });
    const written = await store.write('highlander-leader-lock:a', 'a', undefined, { timeoutMs: 5000 });
    await server.restartImmediately();
    const read = () => store.read('highlander-leader-lock:a', { timeoutMs: 1000 }).catch(String);
    await expect.poll(read, { timeout: 10_000 }).toMatchObject({
      incarnation: written.incarnation,
      cell: { value: 'a', version: written.ok && written.version },
    });
    await store.close();
  });

  test('a prepared statement that the session has lost is sent anew, and done once', async () => {
    await using server = await PostgresServer.start();
    await using bouncer = await PgBouncer.start(server.address);
    const url = server.url('postgres', bouncer.address);
    const store = new PostgresStore({ url });
    const first = await store.write('a', '1', undefined, { timeoutMs: 5000 });
    const second = await store.write('a', '2', first.ok ? first.version : undefined, { timeoutMs: 5000 });
    const other = new Client({ connectionString: url });
    await other.connect();
    const { rows } = await other.query("select name from pg_prepared_statements where name like 'highlander-%'");
    expect(rows).not.toEqual([]);
    await other.query('deallocate all');
    await other.end();
    const third = await store.write('a', '3', second.ok ? second.version : undefined, { timeoutMs: 5000 });
    expect(third.ok).toBe(true);
    expect(await store.read('a', { timeoutMs: 5000 })).toMatchObject({ cell: { value: '3' } });
    await store.close();
  });

  test('tables can be made and no lock of a session is left behind', async () => {
    await using server = await PostgresServer.start();
    await using bouncer = await PgBouncer.start(server.address);
    const url = server.url('postgres', bouncer.address);
    const stores = Array.from({ length: 5 }, () => new PostgresStore({ url }));
    const replies = await Promise.all(stores.map((store) => store.read('a', { timeoutMs: 5000 })));
    expect(new Set(replies.map(({ incarnation }) => incarnation)).size).toBe(1);
    expect(await server.query("select 1 from pg_locks where locktype = 'advisory'")).toEqual([]);
    for (const store of stores) await store.close();
  });
});
