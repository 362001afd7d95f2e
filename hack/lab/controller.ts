/**
 * A controller as its users run it: the bundled program, a config file, a process of its own. It outlives the program that
 * started it, unless that one ends it.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { waitFor } from '../cluster/wait.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export interface ControllerOptions {
  readonly name: string;
  readonly kubeconfig: string;
  /** Lines of YAML for the config file, besides id, port and cluster. */
  readonly config: string;
  /** The whole config file instead, as it stands; id, port and cluster come from the environment then. */
  readonly file?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** False: it is enough that it answers; a controller without a store is not ready. */
  readonly awaitReady?: boolean;
}

export interface LogLine {
  readonly timestamp: string;
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface Controller {
  readonly name: string;
  readonly pid: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Milliseconds from the start of the process to its first `ok` on /readyz. */
  readonly readyMs: number;
  log(): readonly LogLine[];
  /** The first line with this message, after `since` lines. */
  logged(message: string, options?: { readonly since?: number; readonly timeoutMs?: number }): Promise<LogLine>;
  /** Value of a metric without labels, or with just these labels as written on the page. One that is frozen does not answer. */
  metric(name: string, timeoutMs?: number): Promise<number | undefined>;
  /** Lives in this folder: config.yaml and log. */
  readonly folder: string;
  /** Sends the signal and waits until the process has ended; its exit code, or the signal that ended it. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | NodeJS.Signals>;
  pause(): void;
  resume(): void;
}

/** Resolves once the controller answers /readyz; rejects with the end of its log when it ends before. */
export async function startController({
  name,
  kubeconfig,
  config,
  file,
  env = {},
  awaitReady = true,
}: ControllerOptions): Promise<Controller> {
  const folder = mkdtempSync(join(tmpdir(), `highlander-${name}-`));
  const configFile = join(folder, 'config.yaml');
  const logFile = join(folder, 'log');
  const usual = `id: "${name}"\nport: 0\ncluster:\n  kubeconfig: "${kubeconfig}"\n${config}\n`;
  writeFileSync(configFile, file ?? usual);
  const place = { HIGHLANDER_ID: name, HIGHLANDER_PORT: '0', HIGHLANDER_KUBECONFIG: kubeconfig };
  const started = performance.now();
  const output = openSync(logFile, 'a');
  const child = spawn(
    join(ROOT, 'node_modules/.bin/node'),
    [join(ROOT, 'dist/main.mjs'), 'run', '--config', configFile],
    {
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...withoutHighlander(process.env), ...(file === undefined ? {} : place), ...env },
    },
  );
  child.unref();
  closeSync(output);
  const dying = new AbortController();
  const ended = new Promise<number | NodeJS.Signals>((settle) => {
    child.once('exit', (code, signal) => {
      dying.abort(new Error(`it ended with ${signal ?? code}`));
      settle(signal ?? code ?? 0);
    });
  });
  const log = () => parseLog(logFile);
  try {
    const { port } = await listening(log, dying.signal);
    const url = `http://127.0.0.1:${port}`;
    if (awaitReady) await waitFor(`${name} to be ready`, () => answersReady(url), soon(dying.signal));
    return makeController({ name, child, url, readyMs: performance.now() - started, log, ended, folder });
  } catch (error) {
    child.kill('SIGKILL');
    const end = readFileSync(logFile, 'utf8').slice(-4000);
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`${name} did not start:\n${end}`, { cause: error });
  }
}

function soon(signal: AbortSignal) {
  return { timeoutMs: 20_000, everyMs: 5, signal };
}

/** No test may depend on the settings of the person who runs it. */
function withoutHighlander(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([key]) => !key.startsWith('HIGHLANDER_') && key !== 'KUBECONFIG'),
  );
}

async function listening(log: () => readonly LogLine[], signal: AbortSignal): Promise<{ port: number }> {
  return waitFor(
    'the controller to listen',
    async () => {
      const line = log().find((each) => each.message === 'Listening');
      return line && { port: Number(line['port']) };
    },
    soon(signal),
  );
}

async function answersReady(url: string): Promise<true | undefined> {
  const response = await fetch(`${url}/readyz`);
  await response.text();
  return response.ok ? true : undefined;
}

interface Parts {
  readonly name: string;
  readonly child: ChildProcess;
  readonly url: string;
  readonly readyMs: number;
  readonly log: () => readonly LogLine[];
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly folder: string;
}

function makeController({ name, child, url, readyMs, log, ended, folder }: Parts): Controller {
  const pid = child.pid ?? 0;
  let last: readonly LogLine[] | undefined;
  const lines = () => last ?? log();
  return {
    name,
    pid,
    url,
    readyMs,
    folder,
    log: lines,
    logged: (message, { since = 0, timeoutMs = 30_000 } = {}) =>
      waitFor(
        `"${message}" in the log of ${name}`,
        async () =>
          lines()
            .slice(since)
            .find((line) => line.message === message),
        {
          timeoutMs,
          everyMs: 20,
        },
      ),
    metric: async (metric, timeoutMs = 10_000) => {
      const page = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(timeoutMs) });
      return readMetric(await page.text(), metric);
    },
    end: async (signal) => {
      child.ref();
      child.kill(signal);
      const result = await ended;
      last ??= log();
      rmSync(folder, { recursive: true, force: true });
      return result;
    },
    pause: () => process.kill(pid, 'SIGSTOP'),
    resume: () => process.kill(pid, 'SIGCONT'),
  };
}

function parseLog(file: string): readonly LogLine[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as LogLine];
      } catch {
        return []; // the last line may be half written
      }
    });
}

function readMetric(page: string, metric: string): number | undefined {
  const line = page.split('\n').find((each) => each.startsWith(`${metric} `));
  return line === undefined ? undefined : Number(line.slice(metric.length + 1));
}
