/** Redis on a free loopback port, in a folder of its own. It outlives the program that started it, unless that one ends it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../operator/lib/testing/free-port.ts';
import type { ProcessRecord } from '../cluster/processes.ts';
import { assertAlive, signal, startDetached, stopProcess } from '../cluster/processes.ts';
import { waitFor } from '../cluster/wait.ts';

export interface Redis {
  /** `127.0.0.1:PORT` */
  readonly addr: string;
  readonly process: ProcessRecord;
  pause(): void;
  resume(): void;
  /** SIGKILL. What was written stays: it keeps an append-only file. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Everything in it is lost. */
  flush(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

export async function startRedis(): Promise<Redis> {
  const folder = mkdtempSync(join(tmpdir(), 'highlander-redis-'));
  const port = await freePort();
  const command = ['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const start = async (): Promise<ProcessRecord> => {
    const record = startDetached(
      [...command, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'],
      join(folder, 'log'),
    );
    await waitFor('Redis to answer', () => (assertAlive('Redis', record), answers(port)), {
      timeoutMs: 10_000,
      everyMs: 10,
    });
    return record;
  };
  let record = await start();
  return {
    addr: `127.0.0.1:${port}`,
    get process() {
      return record;
    },
    pause: () => signal(record, 'SIGSTOP'),
    resume: () => signal(record, 'SIGCONT'),
    kill: () => stopProcess(record, 0),
    restart: async () => void (record = await start()),
    flush: () => ask(port, 'FLUSHALL', '+OK'),
    stop: async () => {
      await stopProcess(record);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(port: number): Promise<boolean> {
  try {
    await ask(port, 'PING', '+PONG');
    return true;
  } catch {
    return false;
  }
}

/** Rejects when it answers anything else. */
function ask(port: number, command: string, wanted: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    socket.once('error', reject);
    socket.once('data', (answer) => {
      socket.destroy();
      const said = answer.toString().trim();
      if (said.startsWith(wanted)) resolve();
      else reject(new Error(`${command}: ${said}`));
    });
  });
}
