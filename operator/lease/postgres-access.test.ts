import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { CellStore, WriteReply } from './cell-store.ts';
import { PostgresStore, type PostgresOptions } from './postgres.ts';
import { FaultProxy } from './testing/fault-proxy.ts';
import { PASSWORD, PostgresServer } from './testing/postgres-server.ts';

const call = { timeoutMs: 5000 };
const key = 'highlander-leader-lock:default';
const versionOf = (reply: WriteReply) => (reply.ok ? reply.version : 'refused');

describe('roles, replicas and TLS of PostgreSQL', () => {
  let server: PostgresServer;
  const opened: CellStore[] = [];
  const open = (options: Partial<PostgresOptions> = {}) => {
    const store = new PostgresStore({ url: server.url(), ...options });
    opened.push(store);
    return store;
  };
  const as = (role: string) => server.url().replace('highlander:right@', `${role}:s3cret@`);
  beforeAll(async () => {
    server = await PostgresServer.start();
    await server.query("create role guest login password 's3cret'");
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('a role that may not create tables says so, and works once they are there', async () => {
    const store = open({ url: as('guest') });
    await expect(store.read(key, call)).rejects.toMatchObject({
      kind: 'unauthorized',
      message: expect.stringMatching(
        /permission denied for schema public \(while creating the tables highlander_cells/,
      ),
    });
    await open().read(key, call);
    await expect(store.read(key, call)).rejects.toMatchObject({ kind: 'unauthorized' });
    await server.query(`grant select, insert, update, delete on highlander_cells to guest;
      grant select on highlander_store to guest`);
    expect(await store.write(`${key}-guest`, 'a', undefined, call)).toMatchObject({ ok: true });
  });

  test('a server that forbids its identifier has an incarnation all the same', async () => {
    const permitted = await open().read(key, call);
    await server.query(`grant select, insert, update, delete on highlander_cells to guest;
      grant select on highlander_store to guest; revoke execute on function pg_control_system from public`);
    const [one, other] = [open({ url: as('guest') }), open({ url: as('guest') })];
    const written = await one.write(`${key}-x`, 'a', undefined, call);
    expect(written.incarnation).not.toBe('');
    expect(written.incarnation).not.toBe(permitted.incarnation);
    expect((await other.read(key, call)).incarnation).toBe(written.incarnation);
  });

  test('a replica is refused; promoted without the last writes it is another incarnation', async () => {
    const store = open();
    const kept = await store.write(`${key}-replicated`, 'kept', undefined, call);
    await using replica = await server.replica();
    const standby = open({ url: replica.url() });
    await expect(standby.read(key, call)).rejects.toMatchObject({ kind: 'readonly' });
    await expect(standby.write(key, 'a', undefined, call)).rejects.toMatchObject({ kind: 'readonly' });
    await expect(standby.list('highlander-', call)).rejects.toMatchObject({ kind: 'readonly' });
    await replica.cutOff();
    const lost = await store.write(`${key}-replicated`, 'lost', versionOf(kept), call);
    expect(lost).toMatchObject({ ok: true, incarnation: kept.incarnation });
    await replica.promote();
    const after = await standby.read(`${key}-replicated`, call);
    expect(after.cell).toMatchObject({ value: 'kept', version: versionOf(kept) });
    expect(after.incarnation).not.toBe(kept.incarnation);
    expect(await standby.write(`${key}-replicated`, 'b', versionOf(lost), call)).toMatchObject({ ok: false });
  });

  test('variables of the environment are not read', async () => {
    vi.stubEnv('PGOPTIONS', '-c default_transaction_read_only=on');
    vi.stubEnv('PGREPLICATION', 'true');
    vi.stubEnv('PGSSLNEGOTIATION', 'direct');
    try {
      expect(await open().write(`${key}-environment`, 'a', undefined, call)).toMatchObject({ ok: true });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('what a proxy in front is to read is sent', async () => {
    const url = `${server.url()}?options=project%3Dep-x`;
    // This server is none, and says what it was sent.
    await expect(open({ url }).read(key, call)).rejects.toThrow('project=ep-x');
  });

  test('a server that only reads is refused for writes', async () => {
    await server.query('create database archive');
    await open({ url: server.url('archive') }).read(key, call);
    await server.query('alter database archive set default_transaction_read_only = on');
    const write = open({ url: server.url('archive') }).write(key, 'a', undefined, call);
    await expect(write).rejects.toMatchObject({ kind: 'readonly' });
  });

  test('a server without a free connection cannot be reached', async () => {
    await server.query("create role lonely login password 's3cret' connection limit 0");
    await expect(open({ url: as('lonely') }).read(key, call)).rejects.toMatchObject({ kind: 'unreachable' });
  });

  test('no error shows a password', async () => {
    for (const options of [
      { url: as('nobody') },
      { url: as('guest').replace('/postgres', '/none') },
      { url: as('guest').replace('127.0.0.1', 'none.invalid') },
      { url: `${as('guest')}?sslmode=require` },
      { url: as('guest').replace('s3cret', 's3cr%et') },
      { url: as('guest').replace('postgres:', 'mysql:') },
      { url: as('guest'), passwordFile: '/none' },
    ]) {
      const error: unknown = await open(options)
        .read(key, call)
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'StoreError' });
      expect(`${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)}`).not.toContain('s3cr');
    }
  });

  test('a password in the environment is not used', async () => {
    process.env['PGPASSWORD'] = PASSWORD;
    try {
      const store = open({ url: server.url().replace(':right', '') });
      await expect(store.read(key, call)).rejects.toMatchObject({ kind: 'unauthorized' });
    } finally {
      delete process.env['PGPASSWORD'];
    }
  });

  test('the password file is read anew for each connection', async () => {
    await server.query("create role changing login superuser password 'one'");
    const passwordFile = join(server.folder, '..', 'role-password');
    await writeFile(passwordFile, 'one\n');
    const url = server.url().replace('highlander:right@', 'changing@');
    const store = open({ url, passwordFile, maxConnections: 1 });
    await store.read(key, call);
    const cut = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'changing'";
    await server.query(`alter role changing password 'two'; ${cut}`);
    await expect.poll(() => store.read(key, call).catch(String)).toContain('password authentication failed');
    await writeFile(passwordFile, 'two\n');
    expect((await store.read(key, call)).incarnation).not.toBe('');
  });

  describe('with TLS', () => {
    let folder: string;
    let proxy: FaultProxy;
    const file = (name: string) => join(folder, name);
    /** Signed by itself; the key beside it. */
    const certify = (name: string, host: string) => {
      const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
      const files = ['-keyout', file(`${name}.key`), '-out', file(name)];
      const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
      execFileSync('openssl', [...request, ...files, ...subject], { stdio: 'ignore' });
    };
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'highlander-tls-'));
      await chmod(folder, 0o755);
      certify('crt', 'postgres.test');
      certify('other', 'other.test');
      // As the server's own: it refuses a key that others may read.
      execFileSync('cp', [file('crt.key'), file('crt'), server.folder]);
      execFileSync('chown', ['--reference', server.folder, join(server.folder, 'crt.key')]);
      await chmod(join(server.folder, 'crt.key'), 0o600);
      await server.query("alter system set ssl_key_file = 'crt.key'");
      await server.query("alter system set ssl_cert_file = 'crt'");
      await server.query('alter system set ssl = on');
      await server.query('select pg_reload_conf()');
      await vi.waitFor(async () => expect(await server.query('show ssl')).toEqual([{ ssl: 'on' }]));
      proxy = await FaultProxy.start(server.address);
    });
    afterAll(async () => {
      await proxy[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });

    test.for([
      ['require asks for no certificate', '?sslmode=require', undefined, 'ok'],
      ['require with an authority checks who signed it', '?sslmode=require', { ca: 'other' }, 'self-signed'],
      ['verify-ca checks who signed it, not the name', '?sslmode=verify-ca', { ca: 'crt' }, 'ok'],
      ['verify-full checks the name of the URL', '?sslmode=verify-full', { ca: 'crt' }, 'altnames'],
      [
        'verify-full checks the name that is told',
        '?sslmode=verify-full',
        { ca: 'crt', serverName: 'postgres.test' },
        'ok',
      ],
      ['db.tls alone means verify-full', '', { ca: 'crt' }, 'altnames'],
      ['db.tls without an authority uses the usual ones', '', { serverName: 'postgres.test' }, 'self-signed'],
    ] as const)('%s', async ([, mode, tls, answer]) => {
      const files = tls && { ...tls, ...('ca' in tls ? { ca: file(tls.ca) } : {}) };
      const store = open({ url: server.url('postgres', proxy.address) + mode, tls: files });
      const result = await store.read(key, call).then(() => 'ok', String);
      expect(result).toContain(answer);
      if (answer !== 'ok') return;
      const encrypted = `select bool_and(ssl) as ssl from pg_stat_ssl natural join pg_stat_activity where application_name = 'highlander'`;
      expect(await server.query(encrypted)).toEqual([{ ssl: true }]);
    });

    test('a server without TLS is refused when TLS is asked for', async () => {
      await using plain = await PostgresServer.start();
      const store = open({ url: `${plain.url()}?sslmode=require` });
      await expect(store.read(key, call)).rejects.toMatchObject({
        message: expect.stringContaining('does not support SSL'),
      });
    });
  });
});
