import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { pauseProcess } from './pause-process.ts';

test.runIf(process.platform === 'linux')('a paused process uses no more processor time', async () => {
  const script = 'process.stdout.write("ready"); for (;;);';
  const busy = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(busy.stdout, 'data');
    if (busy.pid === undefined) throw new Error('The process did not start');
    for (let i = 0; i < 20; i += 1) {
      pauseProcess(busy.pid);
      const used = processorTime(busy.pid);
      await sleep(25);
      expect(processorTime(busy.pid)).toBe(used);
      busy.kill('SIGCONT');
    }
  } finally {
    busy.kill('SIGKILL');
  }
});

test('a process that has ended is told apart from one that runs on', async () => {
  const ended = spawn(process.execPath, ['-e', '']);
  await once(ended, 'exit');
  expect(() => pauseProcess(ended.pid ?? Number.NaN)).toThrow(expect.objectContaining({ code: 'ESRCH' }));
});

/** Of the main thread, in nanoseconds. */
function processorTime(pid: number): string | undefined {
  return readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0];
}
