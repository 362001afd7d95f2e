/**
 * Servers that outlive the command that started them. Each is remembered by pid and start time, so that a pid that the system gave
 * to another program in the meantime is never signalled.
 */

import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { GiveUp, waitFor } from './wait.ts';

export interface ProcessRecord {
  readonly pid: number;
  /** Clock ticks since boot on Linux, else what `ps` prints: only compared, never computed with. */
  readonly started: string;
  readonly command: readonly string[];
  readonly log: string;
}

/** Undefined when no such process runs. A zombie does not, unless it has threads that do: they hold its ports. */
export function startTime(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Start time out of /proc/PID/stat. The program's name in it may hold spaces and parentheses. */
export function parseStat(stat: string): string | undefined {
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const hasEnded = state === 'X' || (state === 'Z' && Number(rest[16]) <= 1);
  return hasEnded ? undefined : rest[18];
}

export function isAlive(record: Pick<ProcessRecord, 'pid' | 'started'>): boolean {
  return startTime(record.pid) === record.started;
}

/** Starts a server in a session of its own: neither Ctrl-C in the terminal nor the end of this process reaches it. */
export function startDetached(
  command: readonly string[],
  log: string,
  env: NodeJS.ProcessEnv = process.env,
): ProcessRecord {
  const [program = '', ...args] = command;
  mkdirSync(dirname(log), { recursive: true });
  const file = openSync(log, 'a');
  try {
    const child = spawn(program, args, { detached: true, stdio: ['ignore', file, file], env, cwd: '/' });
    child.on('error', () => undefined); // told below: a program that cannot be started has no pid
    child.unref();
    if (child.pid === undefined) throw new Error(`cannot start ${program}: not found or not executable`);
    return { pid: child.pid, started: startTime(child.pid) ?? 'ended at once', command, log };
  } finally {
    closeSync(file);
  }
}

/** Ends a process of ours: politely first, then at once. Does nothing if it no longer runs. */
export async function stopProcess(record: ProcessRecord, graceMs = 3000): Promise<void> {
  if (!isAlive(record)) return;
  if (graceMs > 0) {
    signal(record, 'SIGCONT'); // a paused process would not see SIGTERM
    signal(record, 'SIGTERM');
    const gone = await waitFor(`the end of ${record.pid}`, () => !isAlive(record), {
      timeoutMs: graceMs,
      everyMs: 20,
    }).catch(() => false);
    if (gone) return;
  }
  signal(record, 'SIGKILL');
  await waitFor(`the end of ${record.command.join(' ')}`, () => !isAlive(record), { timeoutMs: 10_000, everyMs: 10 });
}

export function signal(record: Pick<ProcessRecord, 'pid' | 'started'>, name: NodeJS.Signals): void {
  if (!isAlive(record)) return;
  try {
    process.kill(record.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** For probes: there is no point in waiting for the answer of a server that has ended. */
export function assertAlive(what: string, record: ProcessRecord): void {
  if (!isAlive(record)) throw new GiveUp(`${what} ended. Last lines of ${record.log}:\n${lastLines(record.log)}`);
}

export function lastLines(file: string, count = 15): string {
  if (!existsSync(file)) return '(no log)';
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(-count)
    .map((line) => `  ${line.slice(0, 400)}`)
    .join('\n');
}
