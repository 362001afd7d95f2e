/**
 * A lock between processes that the kernel gives back when its holder dies, however it dies: a listening socket. On Linux its address
 * is an abstract one, so there is not even a file to go stale; elsewhere a socket file that nobody answers is taken over.
 */

import { mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFolder, shortHash } from './paths.ts';

/** Runs `work` while no other process runs work under the same name in the same cache folder. */
export async function withLock<T>(name: string, work: () => Promise<T>, onWait?: () => void): Promise<T> {
  const address = lockAddress(name);
  let server = await tryListen(address);
  if (!server) onWait?.();
  while (!server) {
    await sleep(100);
    if (!address.startsWith('\0') && !(await answers(address))) rmSync(address, { force: true });
    server = await tryListen(address);
  }
  try {
    return await work();
  } finally {
    await new Promise((closed) => server.close(closed));
  }
}

function lockAddress(name: string): string {
  const key = `highlander-${shortHash(cacheFolder(), name)}`; // hashed: socket addresses end at about 100 bytes
  if (process.platform === 'linux') return `\0${key}`;
  mkdirSync(tmpdir(), { recursive: true });
  return join(tmpdir(), `${key}.lock`);
}

function tryListen(address: string): Promise<Server | undefined> {
  return new Promise((done, fail) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? done(undefined) : fail(error)));
    server.listen(address, () => done(server));
  });
}

function answers(address: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(address, () => done(true));
    socket.on('error', () => done(false)).on('connect', () => socket.destroy());
  });
}
