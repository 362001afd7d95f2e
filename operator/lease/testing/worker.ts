/** A child process that works on a store until it is ended: what `store-worker.ts` does, seen from the test. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Answer, Counted, Task } from './store-worker.ts';

const PROGRAM = new URL('store-worker.ts', import.meta.url).pathname;

export class Worker implements AsyncDisposable {
  readonly lines: (Counted | Answer)[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout) createInterface(child.stdout).on('line', (line) => this.lines.push(JSON.parse(line)));
  }

  static start(task: Task, env: Readonly<Record<string, string>> = {}): Worker {
    const args = ['--disable-warning=ExperimentalWarning', PROGRAM, JSON.stringify(task)];
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    return new Worker(spawn(process.execPath, args, { stdio: [...stdio], env: { ...process.env, ...env } }));
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** Waits until it has ended by itself; the first line that it wrote. */
  async answer(): Promise<Answer> {
    if (this.#child.exitCode === null) await once(this.#child, 'close');
    const [line] = this.lines;
    if (!line || !('ok' in line)) throw new Error('The process did not answer');
    return line;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}
