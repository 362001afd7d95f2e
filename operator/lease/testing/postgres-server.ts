import { execFile, execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync } from 'node:fs';
import { appendFile, chown, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { ChildServer } from './child-server.ts';
import { freePort } from '../../lib/testing/free-port.ts';
import type { ServerAddress } from './fault-proxy.ts';
import { pauseProcess } from './pause-process.ts';

const install = 'apt-get install postgresql pgbouncer, or `npm run prepare:tests`';
const execute = promisify(execFile);

/** Of the role `highlander`, which owns everything. */
export const PASSWORD = 'right';
export const USER = 'highlander';

/**
 * Without waiting for the disk: the tests kill processes, never the machine, and what a process has written survives it
 * in the kernel's cache.
 */
const SETTINGS = [
  "listen_addresses = '127.0.0.1'",
  "unix_socket_directories = ''",
  'fsync = off',
  'full_page_writes = off',
  'shared_buffers = 16MB',
  'max_connections = 120',
  'wal_level = replica',
  'wal_keep_size = 64MB',
  'autovacuum = off',
];

/** PostgreSQL on a free loopback port, in a folder of its own. Committed data survives `kill`. */
export class PostgresServer implements AsyncDisposable {
  readonly address: ServerAddress;
  readonly folder: string;
  readonly #process: ChildServer;

  private constructor(folder: string, port: number) {
    this.address = { host: '127.0.0.1', port };
    this.folder = folder;
    this.#process = unprivileged(program('postgres'), ['-D', folder, '-p', String(port)]);
  }

  static async start(...settings: readonly string[]): Promise<PostgresServer> {
    const folder = await newFolder();
    const password = join(folder, 'password');
    const data = join(folder, 'data');
    await writeFile(password, PASSWORD, { mode: 0o644 });
    const how = ['-A', 'scram-sha-256', '-U', USER, `--pwfile=${password}`, '-E', 'UTF8', '--locale=C', '--no-sync'];
    await runUnprivileged('initdb', ['-D', data, ...how]);
    await appendFile(join(data, 'postgresql.conf'), [...SETTINGS, ...settings, ''].join('\n'));
    const server = new PostgresServer(data, await freePort());
    await server.restart();
    return server;
  }

  /** A server that follows this one asynchronously. */
  async replica(): Promise<PostgresServer> {
    const data = join(await newFolder(), 'data');
    await runUnprivileged('pg_basebackup', ['-d', this.url('postgres'), '-D', data, '-R', '-c', 'fast', '--no-sync']);
    const replica = new PostgresServer(data, await freePort());
    await replica.restart();
    return replica;
  }

  url(database = 'postgres', { host, port } = this.address): string {
    return `postgres://${USER}:${PASSWORD}@${host}:${port}/${database}`;
  }

  /** Rows of the last statement. */
  async query(sql: string, database = 'postgres'): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const client = new Client({ connectionString: this.url(database), connectionTimeoutMillis: 2000 });
    client.on('error', () => {});
    await client.connect();
    try {
      const results: unknown = await client.query(sql);
      const last = Array.isArray(results) ? (results as unknown[]).at(-1) : results;
      return (last as { rows: Record<string, unknown>[] }).rows;
    } finally {
      await client.end();
    }
  }

  /** The postmaster and all that it has started. */
  pause(): void {
    this.#eachProcess(pauseProcess);
  }

  resume(): void {
    this.#eachProcess((pid) => process.kill(pid, 'SIGCONT'));
  }

  async kill(): Promise<void> {
    this.#eachProcess(pauseProcess); // nobody starts anything while all are ended
    this.#eachProcess((pid) => process.kill(pid, 'SIGKILL'));
    await this.#process.kill();
  }

  /** As `pg_ctl restart -m immediate`. */
  async restartImmediately(): Promise<void> {
    await runUnprivileged('pg_ctl', ['stop', '-m', 'immediate', '-D', this.folder]);
    await this.#process.kill();
    await this.restart();
  }

  restart(): Promise<void> {
    return this.#process.start(async () => (await this.query('select 1')).length === 1, 30_000);
  }

  /** Ends the replication, so that what is written from now on is missing here. */
  async cutOff(): Promise<void> {
    await this.query("alter system set primary_conninfo = ''; ");
    await this.query('select pg_reload_conf()');
    const receiving = async () => (await this.query('select 1 from pg_stat_wal_receiver')).length > 0;
    while (await receiving()) await new Promise((resolve) => void setTimeout(resolve, 20));
  }

  async promote(): Promise<void> {
    await this.query('select pg_promote()');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(join(this.folder, '..'), { recursive: true, force: true });
  }

  /** Parents first. Some may end meanwhile. */
  #eachProcess(act: (pid: number) => void): void {
    for (const pid of familyOf(this.#process.pid)) {
      try {
        act(pid);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }
}

/** PgBouncer in transaction mode in front of a server. */
export class PgBouncer implements AsyncDisposable {
  readonly address: ServerAddress;
  readonly #folder: string;
  readonly #process: ChildServer;

  private constructor(folder: string, port: number) {
    this.address = { host: '127.0.0.1', port };
    this.#folder = folder;
    this.#process = unprivileged(program('pgbouncer'), [join(folder, 'pgbouncer.ini')]);
  }

  static async start(target: ServerAddress): Promise<PgBouncer> {
    const folder = await newFolder();
    const bouncer = new PgBouncer(folder, await freePort());
    const users = join(folder, 'users');
    await writeFile(users, `"${USER}" "${PASSWORD}"\n`);
    const settings = [
      '[databases]',
      `* = host=${target.host} port=${target.port}`,
      '[pgbouncer]',
      'pool_mode = transaction',
      'listen_addr = 127.0.0.1',
      `listen_port = ${bouncer.address.port}`,
      'unix_socket_dir =',
      'auth_type = scram-sha-256',
      `auth_file = ${users}`,
      'default_pool_size = 20',
      'server_login_retry = 1',
    ];
    await writeFile(join(folder, 'pgbouncer.ini'), `${settings.join('\n')}\n`);
    await bouncer.restart();
    return bouncer;
  }

  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }

  async restart(): Promise<void> {
    const { host, port } = this.address;
    await this.#process.start(async () => {
      const client = new Client({ host, port, user: USER, password: PASSWORD, database: 'postgres' });
      client.on('error', () => {});
      await client.connect();
      await client.query('select 1');
      await client.end();
      return true;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Where Debian keeps the newest version; elsewhere it is on PATH. */
function program(name: string): string {
  const [newest] = globSync(`/usr/lib/postgresql/*/bin/${name}`).toSorted((a, b) => version(b) - version(a));
  return newest ?? name;
}

function version(path: string): number {
  return Number(/postgresql\/(\d+)/.exec(path)?.[1] ?? 0);
}

/** Both servers refuse to run as root. */
function asUser(command: string, args: readonly string[]): readonly [string, readonly string[]] {
  if (process.getuid?.() !== 0) return [command, args];
  return ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', command, ...args]];
}

function unprivileged(command: string, args: readonly string[]): ChildServer {
  return new ChildServer(...asUser(command, args), install);
}

async function runUnprivileged(name: string, args: readonly string[]): Promise<void> {
  const [command, all] = asUser(program(name), args);
  await execute(command, all, { cwd: tmpdir() });
}

async function newFolder(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'highlander-postgres-'));
  if (process.getuid?.() === 0) await chown(folder, ...idsOf('postgres'));
  return folder;
}

function idsOf(user: string): readonly [number, number] {
  const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return [id('-u'), id('-g')];
}

/** A process with its descendants. */
function familyOf(pid: number): readonly number[] {
  if (pid === 0) return [];
  const parents = new Map<number, number>();
  for (const path of globSync('/proc/[0-9]*/stat')) {
    try {
      const [, id, parent] = /^(\d+) \(.*\) \S+ (\d+)/s.exec(readFileSync(path, 'utf8')) ?? [];
      parents.set(Number(id), Number(parent));
    } catch {} // it has ended
  }
  const family = [pid];
  for (const member of family) for (const [id, parent] of parents) if (parent === member) family.push(id);
  return family;
}
