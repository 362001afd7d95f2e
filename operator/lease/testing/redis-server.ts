import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChildServer } from './child-server.ts';
import { freePort } from '../../lib/testing/free-port.ts';
import type { ServerAddress } from './fault-proxy.ts';

/** Redis on a free loopback port, in a folder of its own, without persistence: a restart loses everything. */
export class RedisServer implements AsyncDisposable {
  readonly address: ServerAddress;
  readonly folder: string;
  readonly #process: ChildServer;

  private constructor(port: number, folder: string, args: readonly string[]) {
    this.address = { host: '127.0.0.1', port };
    this.folder = folder;
    const always = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
    this.#process = new ChildServer('redis-server', [...args, ...always], 'apt-get install redis-server');
  }

  static start(...args: readonly string[]): Promise<RedisServer> {
    return RedisServer.startIn(async () => ['--save', '', ...args]);
  }

  /** `prepare` may put files into the server's folder. */
  static async startIn(prepare: (folder: string) => Promise<readonly string[]>): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'highlander-redis-'));
    const server = new RedisServer(await freePort(), folder, await prepare(folder));
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
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

  /** After `kill`: the same port, no data. */
  restart(): Promise<void> {
    return this.#process.start(async () => (await this.command('PING')) !== '');
  }

  /** Sends one inline command; resolves to the first line of the answer. For set-up only: no quoting, no parsing. */
  command(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.address.port, this.address.host, () => socket.write(`${line}\r\n`));
      socket.once('error', reject);
      socket.once('data', (answer) => {
        socket.destroy();
        resolve(answer.toString().split('\r\n')[0] ?? '');
      });
      socket.once('close', () => reject(new Error('The connection was closed')));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The line of `docs/stores.md` that makes the user `highlander`, password `password`, and gives it this right. */
export function documentedUser(right: string): string {
  const docs = readFileSync(new URL('../../../docs/stores.md', import.meta.url), 'utf8');
  const line = docs.split('\n').find((text) => text.startsWith('ACL SETUSER') && text.includes(right));
  if (line === undefined) throw new Error(`No user of the docs has ${right}`);
  return line;
}
