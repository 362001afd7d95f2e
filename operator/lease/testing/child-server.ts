/** A real server as a child process, with the faults that only its process can have. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pauseProcess } from './pause-process.ts';

export class ChildServer {
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #install: string;
  #child: ChildProcess | undefined;
  #output = '';
  readonly #atExit = () => this.#child?.kill('SIGKILL');

  /** `install` says how to get the command, for the error when it is missing. */
  constructor(command: string, args: readonly string[], install: string) {
    this.#command = command;
    this.#args = args;
    this.#install = install;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts the process and waits until `ready` resolves to true; it may reject meanwhile. */
  async start(ready: () => Promise<boolean>, timeoutMs = 10_000): Promise<void> {
    const child = spawn(this.#command, this.#args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#output = '';
    const collect = (text: Buffer) => (this.#output = (this.#output + text.toString()).slice(-4000));
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    await once(child, 'spawn').catch((cause: unknown) => {
      throw new Error(`${this.#command} is missing: ${this.#install}`, { cause });
    });
    this.#child = child;
    process.on('exit', this.#atExit);
    for (const end = Date.now() + timeoutMs; !(await ready().catch(() => false));) {
      if (child.exitCode !== null || Date.now() > end) {
        await this.kill();
        throw new Error(`${this.#command} did not start:\n${this.#output}`);
      }
      await sleep(10);
    }
  }

  pause(): void {
    if (this.#child?.pid !== undefined) pauseProcess(this.#child.pid);
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** SIGKILL, and waits for the end. */
  async kill(): Promise<void> {
    const child = this.#child;
    process.off('exit', this.#atExit);
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
