import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { stopProcess } from './stop-process.ts';

const BUSY = 'process.stdout.write("ready"); for (;;);';

test.runIf(process.platform === 'linux')('a process that was stopped uses no more time of a processor', async () => {
  const child = spawn(process.execPath, ['-e', BUSY], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(child.stdout, 'data');
    const { pid = 0 } = child;
    for (let i = 0; i < 20; i += 1) {
      stopProcess(pid);
      const used = cpuTime(pid);
      await new Promise((resolve) => setTimeout(resolve, 25));
      expect(cpuTime(pid)).toBe(used);
      child.kill('SIGCONT');
    }
  } finally {
    child.kill('SIGKILL');
  }
});

/** In nanoseconds, of the main thread. */
function cpuTime(pid: number): string | undefined {
  return readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0];
}
