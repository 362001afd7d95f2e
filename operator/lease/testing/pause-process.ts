import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** In proc(5): stopped, traced, or at its end. */
const STANDS_STILL = /^.*\) [TtXZ] /s;

/**
 * SIGSTOP, and waits until every thread stands still: on a busy machine a thread that runs goes on for up to about 20 ms
 * after the signal, long enough to answer a request. Without /proc it only sends the signal.
 * @throws {Error} with the code `ESRCH` when there is no such process, without one when it runs on for a second.
 */
export function pauseProcess(pid: number): void {
  process.kill(pid, 'SIGSTOP');
  for (const end = Date.now() + 1000; !standsStill(pid);) {
    if (Date.now() > end) throw new Error(`Process ${pid} runs on after SIGSTOP`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

function standsStill(pid: number): boolean {
  const threads = `/proc/${pid}/task`;
  try {
    return readdirSync(threads).every((thread) => STANDS_STILL.test(readFileSync(`${threads}/${thread}/stat`, 'utf8')));
  } catch {
    return !existsSync(threads); // one that ended just now is no longer listed at the next look
  }
}
