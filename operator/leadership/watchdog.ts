/**
 * Ends the process when its main loop has been blocked past the lease's deadline: a loop that cannot run its expiry
 * timer cannot stop its writes either. Runs in a worker thread, which a blocked loop does not block.
 */
import { Worker } from 'node:worker_threads';

/** Ends the process when the lease runs out and nobody disarms it. */
export interface Watchdog {
  /** The lease is valid for `ms` more milliseconds. */
  arm(ms: number): void;
  /** No lease is held. */
  disarm(): void;
  close(): Promise<void>;
}

/**
 * Counts its own ticks past the deadline instead of the time passed: after a SIGSTOP both threads wake together, and the
 * main loop must get its chance to step down first. 10 ticks of 50 ms lie within the lease's margin.
 */
const guardThread = `
  const { workerData } = require('node:worker_threads');
  const deadline = new BigInt64Array(workerData);
  let late = 0;
  setInterval(() => {
    const until = Atomics.load(deadline, 0);
    late = until !== 0n && process.hrtime.bigint() > until ? late + 1 : 0;
    if (late < 10) return;
    require('node:fs').writeSync(2, 'The main loop was blocked past the deadline of the lease: ending the process\\n');
    process.kill(process.pid, 'SIGKILL');
  }, 50);
`;

/** Starts the thread; it does not keep the process alive. */
export function startWatchdog(): Watchdog {
  const shared = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT);
  const deadline = new BigInt64Array(shared);
  const worker = new Worker(guardThread, { eval: true, execArgv: [], workerData: shared });
  worker.unref();
  return {
    arm: (ms) => void Atomics.store(deadline, 0, process.hrtime.bigint() + BigInt(Math.ceil(ms * 1e6))),
    disarm: () => void Atomics.store(deadline, 0, 0n),
    close: async () => void (await worker.terminate()),
  };
}
