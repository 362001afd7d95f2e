import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { TerminalError } from '../lib/errors.ts';
import { scriptText } from '../api/workload.ts';
import { LAUNCHER, literal, scriptCommand } from './script.ts';

/** Kubernetes' documented rule: `$(NAME)` of a known name is replaced, `$$` is one `$`, everything else stays. */
function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (found, name: string | undefined) => {
    if (found === '$$') return '$';
    return name !== undefined && name in env ? (env[name] ?? '') : found;
  });
}

const NASTY = [
  'a=$(date); b=`date`; echo "$a" \'$b\'',
  'kill -0 $$ && echo $$$$ $$(HOME) $(HOME) ${HOME} $',
  'tab\there \'single\' "double" \\ back\\slash',
  'ünïcödé ☃ 漢字 🙂',
  'ends with newlines\n\n',
  "$1 $& $` $' $<x>",
];

describe('what Kubernetes hands to the shell', () => {
  it.each(NASTY)('is the script, byte for byte: %j', (line) => {
    const command = scriptCommand('/bin/sh', [line]).map((part) => expand(part, { HOME: '/root', date: 'x' }));
    expect(command).toEqual(['/bin/sh', '-c', LAUNCHER, '/bin/sh', `${line}\n`]);
  });

  it('calls a shell that is no POSIX shell directly', () => {
    expect(scriptCommand('/usr/bin/python3', ['import os', 'print("$")'])).toEqual([
      '/usr/bin/python3',
      '-c',
      'import os\nprint("$$")\n',
    ]);
  });

  it('refuses what Linux would not start', () => {
    expect(() => scriptCommand('sh', ['x'.repeat(131_072)])).toThrow(TerminalError);
    expect(scriptCommand('sh', ['$'.repeat(131_070)])).toHaveLength(5);
  });

  it('doubles every dollar and nothing else', () => expect(literal('$a$$(b)c')).toBe('$$a$$$$(b)c'));
});

interface End {
  readonly code: number | null;
  readonly output: string;
  readonly ms: number;
}

const folder = mkdtempSync(join(tmpdir(), 'shells-'));
afterAll(() => rmSync(folder, { recursive: true }));

function find(name: string): string | undefined {
  return [
    `/bin/${name}`,
    `/usr/bin/${name}`,
    ...(process.env['TEST_SHELLS'] ?? '').split(':').map((path) => join(path, name)),
  ].find(existsSync);
}

function shells(): [string, string][] {
  const found = ['dash', 'bash', 'zsh', 'ksh'].flatMap((name): [string, string][] =>
    find(name) ? [[name, find(name) ?? '']] : [],
  );
  const busybox = find('busybox');
  if (!busybox) return found;
  symlinkSync(busybox, join(folder, 'ash'));
  return [...found, ['busybox ash', join(folder, 'ash')]];
}

const SIGTERM_BIT = 1n << 14n;

/** Resolves when the process catches SIGTERM; the first one of a namespace is not reached by it before. */
async function catchesTerm(first: () => number): Promise<void> {
  for (
    const end = performance.now() + 10_000;
    performance.now() < end;
    await new Promise((next) => setImmediate(next))
  ) {
    try {
      const [, mask = '0'] = /^SigCgt:\s*(\w+)/m.exec(readFileSync(`/proc/${first()}/status`, 'utf8')) ?? [];
      if ((BigInt(`0x${mask}`) & SIGTERM_BIT) !== 0n) return;
    } catch {
      // it has not started yet
    }
  }
  throw new Error('the first process did not catch SIGTERM within 10 s');
}

/**
 * As a container runtime does it: the command is the first process of a pid namespace of its own. `term`: when it is told
 * to end, in milliseconds since it can be, or once it has said `up`.
 */
async function run(shell: string, script: string, term?: number | 'up'): Promise<End> {
  const command = scriptCommand(shell, [script]).map((part) => expand(part, {}));
  const started = performance.now();
  const child = spawn('unshare', ['--pid', '--fork', '--mount-proc', '--kill-child', ...command], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  const isUp = new Promise<void>((resolve) => {
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      if (output.startsWith('up\n')) resolve();
    });
  });
  const first = () => Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8'));
  const ended = new Promise<End>((resolve) => {
    child.on('close', (code) => resolve({ code, output, ms: performance.now() - started }));
  });
  if (term !== undefined) {
    await catchesTerm(first);
    await (term === 'up' ? Promise.race([isUp, ended]) : sleep(term));
    process.kill(first(), 'SIGTERM');
  }
  return ended;
}

function canUnshare(): boolean {
  try {
    execFileSync('unshare', ['--pid', '--fork', '--mount-proc', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const CLEANUP = 'trap "sleep 1; echo cleaned; exit 5" TERM; echo up; while :; do sleep 0.1; done';

// Needs a pid namespace, hence root; the launcher signals every process there is.
describe.skipIf(!canUnshare())('in a container of its own', () => {
  describe.each(shells())('%s', (_name, shell) => {
    it('passes the exit code on', async () => expect((await run(shell, 'exit 3')).code).toBe(3));

    it('reports success', async () => expect(await run(shell, 'echo ok')).toMatchObject({ code: 0, output: 'ok\n' }));

    it('ends at the first command that fails', async () => {
      expect(await run(shell, 'echo one\nfalse\necho two')).toMatchObject({ code: 1, output: 'one\n' });
    });

    it('runs what the user wrote', async () => {
      const script = 'x=$(echo "a  b"); echo "$x" \'$x\'; [ $$ -gt 0 ] && printf "%s\\n" "☃\t$((1+1))"';
      expect((await run(shell, script)).output).toBe('a  b $x\n☃\t2\n');
    });

    it('ends a program that waits in the foreground at once', async () => {
      const { code, ms } = await run(shell, 'sleep 1000', 300);
      expect(code).toBe(143);
      expect(ms).toBeLessThan(5000);
    });

    it('lets a script clean up, and takes its exit code', async () => {
      const { code, output, ms } = await run(shell, CLEANUP, 'up');
      expect({ code, output }).toEqual({ code: 5, output: 'up\ncleaned\n' });
      expect(ms).toBeGreaterThanOrEqual(1000);
    });

    it('lets a program clean up although its shell has gone before', async () => {
      const { output } = await run(shell, `/bin/bash -c '${CLEANUP.replace('0.1', '0.2')}'\necho never`, 'up');
      expect(output).toBe('up\ncleaned\n');
    });

    it.each([0, 2, 5, 10])('ends when it is told to %d ms after it can be told', async (ms) => {
      const end = await run(shell, 'sleep 8', ms);
      expect(end.ms).toBeLessThan(5000);
    });
  });
});

it('runs the script alone where it is not the first process', async () => {
  const child = spawn('/bin/sh', ['-c', LAUNCHER, '/bin/sh', scriptText(['echo alone', 'exit 4'])], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const output = await new Promise((resolve) => child.stdout.on('data', (data: Buffer) => resolve(data.toString())));
  expect(output).toBe('alone\n');
});
