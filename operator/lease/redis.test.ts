import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CellStore } from './cell-store.ts';
import { parseAddress } from './redis-options.ts';
import { RedisStore, type RedisOptions } from './redis.ts';
import { freePort } from '../lib/testing/free-port.ts';
import { serverOf } from './testing/conformance-bench.ts';
import { describeCellStore, type StoreHarness } from './testing/conformance.ts';
import { FaultProxy, type ServerAddress } from './testing/fault-proxy.ts';
import { documentedUser, RedisServer } from './testing/redis-server.ts';

const call = { timeoutMs: 3000 };
const key = 'highlander-leader-lock:default';
const at = ({ host, port }: ServerAddress) => `${host}:${port}`;

async function harness(): Promise<StoreHarness> {
  const server = await RedisServer.start('--requirepass', 'right');
  const options = (address = server.address): RedisOptions => ({ addr: at(address), password: 'right' });
  return {
    open: async (address) => new RedisStore(options(address)),
    task: { kind: 'redis', redis: options() },
    openUnauthorized: async () => new RedisStore({ ...options(), password: 'wrong' }),
    wipe: async () => void (await server.command('AUTH right\r\nFLUSHALL')),
    server: serverOf(server, false),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describeCellStore('Redis', harness);

describe('Redis', () => {
  let server: RedisServer;
  const opened: CellStore[] = [];
  const open = (options: Partial<RedisOptions> = {}, target = server) => {
    const store = new RedisStore({ addr: at(target.address), ...options });
    opened.push(store);
    return store;
  };
  beforeAll(async () => {
    server = await RedisServer.start('--enable-debug-command', 'yes');
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
    await server.command('FLUSHALL');
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('a cell is a hash that people can read, without a time to live', async () => {
    await open().write(key, '{"holder":"a"}', undefined, call);
    expect(await server.command(`TYPE ${key}`)).toBe('+hash');
    expect(await server.command(`TTL ${key}`)).toBe(':-1');
    expect(await server.command(`EXISTS ${key}`)).toBe(':1');
    expect(await server.command(`HLEN ${key}`)).toBe(':3');
  });

  test('the age is the same for everybody and never negative, even with a clock set back', async () => {
    const store = open();
    await store.write(key, 'a', undefined, call);
    await server.command(`HSET ${key} writtenAt 9000000000000000`);
    expect((await store.read(key, call)).cell?.ageMs).toBe(0);
    await server.command(`HSET ${key} writtenAt 1`);
    const age = (await open().read(key, call)).cell?.ageMs ?? 0;
    expect(Math.abs(age - Date.now())).toBeLessThan(5000);
  });

  test('the key prefix keeps two stores apart and is not part of the keys', async () => {
    const [plain, prefixed] = [open(), open({ keyPrefix: 'team*:' })];
    await prefixed.write('highlander-presence:a:1', 'mine', undefined, call);
    expect(await plain.list('highlander-', call)).toEqual([]);
    expect(await prefixed.list('highlander-', call)).toMatchObject([{ key: 'highlander-presence:a:1', value: 'mine' }]);
    expect(await server.command('EXISTS team*:highlander-presence:a:1')).toBe(':1');
  });

  test('databases are kept apart, one that does not exist is refused', async () => {
    await open({ db: 1 }).write(key, 'a', undefined, call);
    expect((await open().read(key, call)).cell).toBeUndefined();
    expect((await open({ addr: `redis://${at(server.address)}/1` }).read(key, call)).cell?.value).toBe('a');
    await expect(open({ db: 99 }).read(key, call)).rejects.toMatchObject({ kind: 'other' });
  });

  test('a server that forgot the scripts gets them again', async () => {
    const store = open();
    await store.read(key, call);
    await store.read(key, call);
    await server.command('SCRIPT FLUSH');
    expect((await store.read(key, call)).cell).toBeUndefined();
  });

  test('a replica is refused, for reads as well', async () => {
    await using replica = await RedisServer.start('--replicaof', server.address.host, String(server.address.port));
    const store = open({}, replica);
    await expect(store.read(key, call)).rejects.toMatchObject({ kind: 'readonly' });
    await expect(store.write(key, 'a', undefined, call)).rejects.toMatchObject({ kind: 'readonly' });
    const replicated = (await open().read(key, call)).incarnation;
    await replica.command('REPLICAOF NO ONE');
    expect((await store.read(key, call)).incarnation).not.toBe(replicated);
  });

  test('a server that became a replica is looked up anew: its address may lead elsewhere by now', async () => {
    await using demoted = await RedisServer.start();
    await using proxy = await FaultProxy.start(demoted.address);
    const store = new RedisStore({ addr: at(proxy.address) });
    opened.push(store);
    await store.read(key, call);
    await demoted.command(`REPLICAOF ${server.address.host} ${server.address.port}`);
    await expect(store.read(key, call)).rejects.toMatchObject({ kind: 'readonly' });
    await expect.poll(() => proxy.open).toBe(0);
  });

  test('the rights that the docs ask for are enough', async () => {
    const line = documentedUser('+eval ');
    await server.command(line);
    await server.command('ACL LOG RESET');
    const store = open({ username: 'highlander', password: 'password' });
    expect(await store.list('highlander-', call)).toEqual([]);
    let hints = 0;
    const end = store.subscribe(key, () => (hints += 1));
    await expect.poll(() => hints).toBe(1);
    const written = await store.write(key, 'a', undefined, call);
    await expect.poll(() => hints).toBe(2);
    end();
    expect(await store.list('highlander-', call)).toHaveLength(1);
    expect((await store.read(key, call)).cell?.value).toBe('a');
    expect(await store.remove(key, written.ok ? written.version : '', call)).toBe(true);
    expect(await server.command('ACL LOG')).toBe('*0');
    await expect(store.read('other', call)).rejects.toMatchObject({ kind: 'unauthorized' });
  });

  test('a server that loads its data says so', async () => {
    const [debug, slowly] = [
      ['--enable-debug-command', 'yes'],
      ['--loading-process-events-interval-bytes', '1024'],
    ];
    await using loading = await RedisServer.start(...debug, '--key-load-delay', '2000', ...slowly);
    await loading.command('DEBUG POPULATE 1500 key 10');
    const reloaded = loading.command('DEBUG RELOAD').catch(() => '');
    const store = open({}, loading);
    await expect
      .poll(() => store.read(key, call).catch((error: unknown) => error), { timeout: 2500, interval: 10 })
      .toMatchObject({ kind: 'unreachable', message: expect.stringContaining('LOADING') });
    await reloaded;
  });

  test('a key of another type is an error, not an absent cell', async () => {
    await server.command(`SET ${key} seed`);
    await expect(open().read(key, call)).rejects.toMatchObject({ kind: 'other' });
    expect(await open().list('highlander-', call)).toEqual([]);
  });

  test('a user who may not publish writes all the same', async () => {
    await server.command('ACL SETUSER quiet on >pw ~* resetchannels +@all');
    const store = open({ username: 'quiet', password: 'pw' });
    expect(await store.write(key, 'a', undefined, call)).toMatchObject({ ok: true });
    await server.command('ACL SETUSER quiet -hset');
    await expect(store.write(key, 'b', undefined, call)).resolves.toMatchObject({ ok: false });
    await expect(store.write(`${key}2`, 'b', undefined, call)).rejects.toMatchObject({ kind: 'unauthorized' });
  });

  test('no error shows a password', async () => {
    await server.command('ACL SETUSER someone on >right ~* &* +@all');
    const host = at(server.address);
    for (const options of [
      { username: 'someone', password: 's3cret' },
      { addr: `redis://someone:s3cret@${host}` },
      { addr: `redis://someone:s3cret@${host}/x` },
      { addr: `http://someone:s3cret@${host}` },
    ]) {
      const error: unknown = await Promise.resolve()
        .then(() => open(options).read(key, call))
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'StoreError' });
      expect(`${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)}`).not.toContain('s3cret');
    }
  });

  test('the password file is read anew for each connection', async () => {
    await using guarded = await RedisServer.start('--requirepass', 'one');
    const passwordFile = join(guarded.folder, 'password');
    await writeFile(passwordFile, 'one\n');
    const store = open({ passwordFile }, guarded);
    await store.read(key, call);
    await guarded.command('AUTH one\r\nCONFIG SET requirepass two\r\nCLIENT KILL TYPE normal SKIPME yes');
    await expect.poll(() => store.read(key, call).catch(String), { timeout: 3000 }).toContain('WRONGPASS');
    await writeFile(passwordFile, 'two\n');
    await expect.poll(() => store.read(key, call).catch(String), { timeout: 3000 }).toHaveProperty('incarnation');
  });
});

describe('Redis with TLS', () => {
  let server: RedisServer;
  let tlsAddress: string;
  beforeAll(async () => {
    server = await RedisServer.start();
    const { folder } = server;
    const san = 'subjectAltName=DNS:redis.test';
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const files = ['-keyout', join(folder, 'key'), '-out', join(folder, 'crt')];
    execFileSync('openssl', [...request, ...files, '-subj', '/CN=redis.test', '-addext', san], { stdio: 'ignore' });
    const settings = ['key', 'crt', 'crt'].map((file) => join(folder, file));
    const [tlsKey, cert, ca] = settings;
    const port = await freePort();
    tlsAddress = `localhost:${port}`;
    const certificates = `tls-key-file ${tlsKey} tls-cert-file ${cert} tls-ca-cert-file ${ca}`;
    expect(await server.command(`CONFIG SET ${certificates} tls-port ${port}`)).toBe('+OK');
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.for([
    ['the right name and certificates', { serverName: 'redis.test' }, /^[0-9a-f]{16}-[0-9a-f]{16}$/],
    ['another name', { serverName: 'other.test' }, /altname/i],
    ['the name of the address', {}, /altname/i],
  ] as const)('%s', async ([, tls, answer]) => {
    const file = (name: string) => join(server.folder, name);
    const files = { ca: file('crt'), cert: file('crt'), key: file('key') };
    const store = new RedisStore({ addr: tlsAddress, tls: { ...files, ...tls } });
    expect(await store.read(key, call).then((reply) => reply.incarnation, String)).toMatch(answer);
    await store.close();
  });

  test('an unknown authority is refused', async () => {
    const store = new RedisStore({ addr: `rediss://${tlsAddress}` });
    await expect(store.read(key, call)).rejects.toMatchObject({ name: 'StoreError' });
    await store.close();
  });
});

test.for([
  ['redis', { host: 'redis', port: 6379, db: 0, tls: false }],
  ['10.0.0.1:7000', { host: '10.0.0.1', port: 7000, db: 0, tls: false }],
  ['[::1]:7000', { host: '::1', port: 7000, db: 0, tls: false }],
  ['redis://h/2', { host: 'h', port: 6379, db: 2, tls: false }],
  ['rediss://u:p%40@h:1', { host: 'h', port: 1, db: 0, tls: true, username: 'u', password: 'p@' }],
] as const)('the address %s is understood', ([addr, parts]) => {
  expect(parseAddress(addr)).toEqual(parts);
});
