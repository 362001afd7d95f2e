import { readdirSync, readFileSync } from 'node:fs';

/**
 * SIGSTOP, and waits until every thread stands still: on a busy machine a thread that runs goes on for up to about 20 ms
 * after the signal, long enough to answer a request.
 * @throws {Error} when they run on for a second.
 */
export function stopProcess(pid: number): void {
  process.kill(pid, 'SIGSTOP');
  for (const end = Date.now() + 1000; threadStates(pid).some((state) => !'TtXZ'.includes(state));) {
    if (Date.now() > end) throw new Error(`Process ${pid} does not stop`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

/** One letter per thread, of proc(5). Empty where there is no /proc. */
function threadStates(pid: number): readonly string[] {
  const threads = attempt(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  return threads.flatMap((thread) => {
    const stat = attempt(() => readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'));
    return stat?.slice(stat.lastIndexOf(')') + 2)[0] ?? [];
  });
}

/** Undefined when it has gone in the meantime. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
