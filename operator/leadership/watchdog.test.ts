import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const MODULE = new URL('./watchdog.ts', import.meta.url).href;

/** Runs `body` in a process of its own, with a watchdog `dog` and `block(ms)`, which stops the main loop. */
function run(body: string) {
  const script = `
    import { startWatchdog } from '${MODULE}';
    const dog = startWatchdog();
    const block = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    await new Promise((resolve) => setTimeout(resolve, 300));
    ${body}
    console.log('alive');
    await dog.close();`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', timeout: 20_000 });
}

describe('the watchdog', () => {
  it('ends a process whose main loop is blocked past the deadline of its lease', () => {
    const { signal, stderr, stdout } = run('dog.arm(100); block(5000);');
    expect(signal).toBe('SIGKILL');
    expect(stderr).toContain('blocked past the deadline');
    expect(stdout).toBe('');
  });

  it('leaves a blocked process alone that holds no lease, or whose lease is still good', () => {
    expect(run('dog.arm(100); dog.disarm(); block(1500);').stdout).toBe('alive\n');
    expect(run('dog.arm(60_000); block(1500);').stdout).toBe('alive\n');
  });

  it('lets a process that was stopped step down by itself', () => {
    const body = `
      dog.arm(500);
      const expiry = setTimeout(() => dog.disarm(), 500);
      const { spawn } = await import('node:child_process');
      spawn('sh', ['-c', 'kill -STOP ' + process.pid + '; sleep 2; kill -CONT ' + process.pid], { stdio: 'ignore' });
      await new Promise((resolve) => setTimeout(resolve, 1500));`;
    expect(run(body).stdout).toBe('alive\n');
  });
});
