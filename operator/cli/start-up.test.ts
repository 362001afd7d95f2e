/** A controller that cannot start says why in one line and ends; it hears SIGTERM at every moment. The process itself runs. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, expect, it } from 'vitest';

const MAIN = resolve(import.meta.dirname, '..', 'main.ts');
const folder = mkdtempSync(join(tmpdir(), 'start-up-'));
const open = new Set<{ [Symbol.dispose](): void }>();

afterEach(() => {
  for (const each of open) each[Symbol.dispose]();
  open.clear();
  rmSync(folder, { recursive: true, force: true });
});

/** Takes connections and says nothing. */
async function silentServer(): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => void sockets.add(socket.on('error', () => {})));
  open.add({
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
  server.listen(0);
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

/** The API server is one that says nothing. */
async function start(...flags: readonly string[]) {
  return startAt({ server: `http://127.0.0.1:${await silentServer()}` }, ...flags);
}

/** `cluster`: of the kubeconfig. */
async function startAt(cluster: object, ...flags: readonly string[]) {
  const kubeconfig = join(mkdtempSync(join(tmpdir(), 'start-up-')), 'config');
  const config = {
    'current-context': 'a',
    clusters: [{ name: 'a', cluster }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    users: [{ name: 'a', user: {} }],
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  const env = { PATH: process.env['PATH'], HOME: folder };
  const args = [
    MAIN,
    'run',
    '--kubeconfig',
    kubeconfig,
    ...(flags.includes('--port') ? [] : ['--port', '0']),
    ...flags,
  ];
  const child = spawn(process.execPath, args, { env });
  open.add({ [Symbol.dispose]: () => void child.kill('SIGKILL') });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => Number(code));
  return { child, said, ended };
}

it('a port in use', async () => {
  const port = await silentServer();
  const { said, ended } = await start(
    '--storage-type',
    'sqlite',
    '--sqlite-path',
    join(folder, 'a'),
    '--port',
    String(port),
  );
  expect(await ended).toBe(1);
  expect(said.err).toMatch(new RegExp(`^highlander: Port ${port} is in use by another process: .*\\n$`));
});

it.each(['/proc/highlander.db', '/proc/a/b.db', '/dev/null/a.db'])('an SQLite file at %s', async (path) => {
  const { said, ended } = await start('--storage-type', 'sqlite', '--sqlite-path', path);
  expect(await ended).toBe(1);
  expect(said.err).toMatch(/^highlander: sqlite\.path: .* cannot be used .*HIGHLANDER_SQLITE_PATH.*\n$/);
});

it.each<[string, (path: string) => void]>([
  ['pipe', (path) => execFileSync('mkfifo', [path])],
  ['folder', (path) => mkdirSync(path)],
])('an SQLite file that is a %s', async (what, make) => {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, what);
  make(path);
  const { said, ended } = await start('--storage-type', 'sqlite', '--sqlite-path', path);
  expect(await ended).toBe(1);
  expect(said.err).toMatch(
    /^highlander: sqlite\.path: .* cannot be used .*(it is a pipe|EISDIR).*HIGHLANDER_SQLITE_PATH.*\n$/,
  );
});

it('a password that cannot be decoded', async () => {
  const { said, ended } = await start('--redis-addr', 'redis://u:pa%zz@h');
  expect(await ended).toBe(2);
  expect(said.err).toContain('redis.addr');
  expect(said.err).not.toContain('pa%zz');
});

it('neither the API server nor the store answers: both are named, and SIGTERM ends it', async () => {
  const store = await silentServer();
  const { child, said, ended } = await start('--redis-addr', `127.0.0.1:${store}`);
  await expect.poll(() => said.out, { timeout: 15_000 }).toContain('The store did not answer');
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});

it.each([
  [
    'http://api.example.invalid:1',
    {},
    /kubeconfig: the connection to http:\/\/api\.example\.invalid:1 is not encrypted/,
  ],
  [
    'https://api.example.invalid:1',
    { 'insecure-skip-tls-verify': true },
    /insecure-skip-tls-verify is set: the certificate of https:\/\/api\.example\.invalid:1 is not verified/,
  ],
])('a connection to %s that others can read is said', async (server, more, notice) => {
  const { child, said, ended } = await startAt(
    { server, ...more },
    '--storage-type',
    'sqlite',
    '--sqlite-path',
    join(folder, 'b'),
  );
  await expect.poll(() => said.out, { timeout: 15_000 }).toMatch(/Listening/);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(said.out).toMatch(notice);
});

it.each([
  ['http://127.0.0.1:1', {}],
  ['https://api.example.invalid:1', {}],
])('a connection to %s is nothing to be said', async (server, more) => {
  const { child, said, ended } = await startAt(
    { server, ...more },
    '--storage-type',
    'sqlite',
    '--sqlite-path',
    join(folder, 'c'),
  );
  await expect.poll(() => said.out, { timeout: 15_000 }).toMatch(/Listening/);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(said.out).not.toContain('kubeconfig:');
});
