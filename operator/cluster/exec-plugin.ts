/** Credentials from a plug-in, as client-go runs one: for all calls once, until they expire or are refused. */
import { spawn } from 'node:child_process';
import { type Clock, systemClock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { cutText } from '../lib/redactor.ts';
import type { Variables } from './proxy.ts';

/** The section `exec` of a kubeconfig's user. */
export interface ExecConfig {
  readonly apiVersion?: string;
  readonly command?: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
  readonly interactiveMode?: string;
  readonly provideClusterInfo?: boolean;
}

/** Which plug-in, and what it is told. */
export interface ExecPluginOptions {
  readonly exec: ExecConfig;
  /** Passed on to the plug-in where it asks for it. */
  readonly cluster: Readonly<Record<string, unknown>>;
  readonly variables: Variables;
  readonly clock?: Clock;
  /** Milliseconds; default: 30 000. */
  readonly limitMs?: number;
}

/** What a plug-in answers with: a token, or a certificate and its key in PEM. */
export interface ExecCredentials {
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
}

const VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];
const LIMIT_MS = 30_000;
/** Bytes; a certificate chain is smaller. */
const MOST_OUTPUT = 1 << 20;

/** Runs the plug-in and keeps its answer. */
export class ExecPlugin {
  readonly #options: ExecPluginOptions;
  readonly #clock: Clock;
  #known: { readonly credentials: ExecCredentials; readonly expiresAt: number } | undefined;
  #running: Promise<ExecCredentials> | undefined;

  constructor(options: ExecPluginOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Rejects with an error that names the plug-in and says what it had to say. */
  async credentials(): Promise<ExecCredentials> {
    if (this.#known && this.#clock.wall() < this.#known.expiresAt) return this.#known.credentials;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** The server refused `used`. What was fetched since then stays. */
  drop(used: ExecCredentials): void {
    if (this.#known?.credentials === used) this.#known = undefined;
  }

  async #run(): Promise<ExecCredentials> {
    const { exec } = this.#options;
    const command = exec.command ?? '';
    const fail = (why: string): never => {
      const hint = exec.installHint ? `; ${exec.installHint}` : '';
      throw new Error(cutText(`The credential plug-in ${command} ${why}${hint}`, 2000));
    };
    if (!VERSIONS.includes(exec.apiVersion ?? ''))
      return fail(`has the unsupported apiVersion "${exec.apiVersion ?? ''}": expected ${VERSIONS.join(' or ')}`);
    if (exec.interactiveMode === 'Always')
      return fail('requires a terminal (interactiveMode: Always), and there is none');
    const output = await this.#output(command).catch((error: unknown) => fail(messageOf(error)));
    return this.#accept(output, fail);
  }

  #accept(output: string, fail: (why: string) => never): ExecCredentials {
    const { status, kind, apiVersion } = parsed(output);
    if (kind !== 'ExecCredential' || apiVersion !== this.#options.exec.apiVersion)
      return fail(`did not print an ExecCredential of ${this.#options.exec.apiVersion ?? ''}`);
    const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = status ?? {};
    if (!token && !(cert && key)) return fail('printed neither a token nor a client certificate with its key');
    const credentials = { ...(token ? { token } : {}), ...(cert && key ? { cert, key } : {}) };
    const expiresAt = expirationTimestamp === undefined ? Infinity : Date.parse(expirationTimestamp);
    this.#known = { credentials, expiresAt };
    return credentials;
  }

  /** Standard output. The plug-in and all that it started end with the time limit. */
  #output(command: string): Promise<string> {
    const { exec, variables, limitMs = LIMIT_MS } = this.#options;
    return new Promise((resolve, reject) => {
      const child = spawn(command, exec.args ?? [], {
        env: { ...variables, ...variablesOf(exec), KUBERNETES_EXEC_INFO: this.#info() },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      const [out, err] = [collect(child.stdout), collect(child.stderr)];
      const timer = this.#clock.after(limitMs, () => end(`did not answer within ${limitMs / 1000} s`));
      const end = (why: string): void => {
        timer.cancel();
        if (child.pid !== undefined) killGroup(child.pid);
        reject(new Error(why));
      };
      child.once('error', ({ message }) => end(`cannot be run: ${message}`));
      child.once('close', (code, signal) => {
        timer.cancel();
        if (code === 0) resolve(out());
        else reject(new Error(`ended with ${signal ?? `code ${code}`}: ${err().trim()}`));
      });
    });
  }

  #info(): string {
    const { exec, cluster } = this.#options;
    const spec = { interactive: false, ...(exec.provideClusterInfo ? { cluster } : {}) };
    return JSON.stringify({ kind: 'ExecCredential', apiVersion: exec.apiVersion, spec });
  }
}

interface Printed {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly status?: Readonly<
    Partial<Record<'token' | 'clientCertificateData' | 'clientKeyData' | 'expirationTimestamp', string>>
  > | null;
}

function parsed(output: string): Printed {
  try {
    const value: unknown = JSON.parse(output);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function variablesOf({ env }: ExecConfig): Record<string, string> {
  return Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size < MOST_OUTPUT) chunks.push(chunk);
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
