import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Each process has a hundred ports to itself, so that two that look at once do not find the same, and below those that
 * a system gives to connections (from 32768 on Linux) and to node ports (from 30000): what is free stays so until a
 * server has started.
 */
const PER_PROCESS = 100;
const FIRST = 10_000 + (process.pid % 200) * PER_PROCESS;
let asked = 0;

/** A port of the loopback interface that is free, and was not given out by this process lately. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < PER_PROCESS; tried += 1) {
    const port = FIRST + (asked++ % PER_PROCESS);
    if (await isFree(port)) return port;
  }
  throw new Error(`None of the ports ${FIRST} to ${FIRST + PER_PROCESS - 1} is free: end what listens on them`);
}

async function isFree(port: number): Promise<boolean> {
  const listener = createServer().listen(port, '127.0.0.1');
  try {
    await once(listener, 'listening');
  } catch {
    return false;
  }
  listener.close();
  await once(listener, 'close');
  return true;
}
