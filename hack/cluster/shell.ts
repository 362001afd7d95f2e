/** Runs other programs, and says which one failed, how, and what it printed. */

import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Ends the program. */
  readonly signal?: AbortSignal | undefined;
  /** Called with each line of standard error instead of keeping it for the error message only. */
  readonly onErrorLine?: (line: string) => void;
}

/** Standard output of a program that ended with 0; throws otherwise. */
export function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const [program = '', ...args] = command;
  return new Promise((done, fail) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      signal: options.signal,
    });
    let output = '';
    let errors = '';
    let line = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-8000);
      if (!options.onErrorLine) return;
      const lines = (line + text).split('\n');
      line = lines.pop() ?? '';
      for (const each of lines) options.onErrorLine(each);
    });
    child.stdin.on('error', () => undefined); // a program may end without reading its input
    child.stdin.end(options.input);
    child.on('error', (error) =>
      fail(options.signal?.aborted ? options.signal.reason : new Error(`cannot run ${program}: ${error.message}`)),
    );
    child.on('close', (code, signal) => {
      if (code === 0) return done(output);
      const how = signal ? `was ended by ${signal}` : `ended with ${code}`;
      fail(new Error(`\`${command.join(' ')}\` ${how}: ${(errors || output).trim() || 'no output'}`));
    });
  });
}

/** As `run`, for steps that may fail because there is nothing left to do. */
export async function attempt(command: readonly string[]): Promise<string | undefined> {
  return run(command).catch(() => undefined);
}

/** Absolute path of a program on PATH or in the folders for administrators, which a user's PATH often lacks. */
export function which(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders
    .filter(Boolean)
    .map((folder) => join(folder, program))
    .find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
