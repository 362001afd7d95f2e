/** A place for one member after another: a process, its journals, and a proxy of its own between it and the store. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FaultProxy } from '../../../operator/lease/testing/fault-proxy.ts';
import { readJournal, stamped, type Event, type RunEvent } from './history.ts';
import type { Membership } from './member.ts';
import type { Store } from './stores.ts';

const PROGRAM = join(import.meta.dirname, 'member.ts');
/** Characters. */
const KEPT_OUTPUT = 8000;
/** Milliseconds until a process that was asked to leave has given up waiting for a store that does not answer. */
const LEAVES_WITHIN_MS = 15_000;
const STARTS_WITHIN_MS = 60_000;

interface Running {
  readonly child: ChildProcess;
  readonly identity: string;
}

export interface PlaceOptions extends Pick<Membership, 'tenant' | 'port'> {
  readonly name: string;
  readonly store: Store;
  readonly folder: string;
  readonly kubeconfig?: string | undefined;
  /** A process ended by itself. */
  readonly onUnexpectedEnd: (what: string) => void;
}

export class Place implements AsyncDisposable {
  readonly name: string;
  readonly proxy: FaultProxy;
  /** What was done to the members of this place. */
  readonly events: Event[] = [];
  readonly #options: PlaceOptions;
  readonly #journals: string[] = [];
  #running: Running | undefined;
  #child: ChildProcess | undefined;
  #output = '';
  readonly #atExit = () => this.#child?.kill('SIGKILL');

  private constructor(options: PlaceOptions, proxy: FaultProxy) {
    this.#options = options;
    this.name = options.name;
    this.proxy = proxy;
    process.on('exit', this.#atExit);
  }

  static async open(options: PlaceOptions): Promise<Place> {
    return new Place(options, await FaultProxy.start(options.store.address));
  }

  /** Of the process that runs now. */
  get identity(): string | undefined {
    return this.#running?.identity;
  }

  /** Resolves when it takes part. */
  async start(): Promise<void> {
    const { tenant, port, store, folder, kubeconfig, onUnexpectedEnd } = this.#options;
    const journal = join(folder, `${this.name}-${this.#journals.length}.jsonl`);
    this.#journals.push(journal);
    const membership: Membership = {
      name: this.name,
      tenant,
      port,
      journal,
      store: store.options(this.proxy.address),
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
    };
    const args = ['--disable-warning=ExperimentalWarning', PROGRAM, JSON.stringify(membership)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const ready = Promise.withResolvers<string>();
    const collect = (text: Buffer): void => {
      this.#output = (this.#output + text.toString()).slice(-KEPT_OUTPUT);
      const identity = /^ready (\S+)$/m.exec(text.toString())?.[1];
      if (identity !== undefined) ready.resolve(identity);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('exit', (code, signal) => {
      ready.reject(new Error(`${this.name} did not start`));
      if (this.#child === child) onUnexpectedEnd(`${this.name} ended by itself (${signal ?? code})`);
    });
    const late = setTimeout(() => ready.reject(new Error(`${this.name} did not start in time`)), STARTS_WITHIN_MS);
    const identity = await ready.promise.finally(() => clearTimeout(late));
    this.#running = { child, identity };
    this.#note('started');
  }

  /** kill -9, and waits until the kernel has done it. */
  async kill(): Promise<void> {
    const child = this.#letGo();
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    this.#note('killed');
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** SIGTERM; resolves when the process has ended. */
  async leave(): Promise<void> {
    const child = this.#letGo();
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    this.#note('leaving');
    const impatient = setTimeout(() => child.kill('SIGKILL'), LEAVES_WITHIN_MS);
    child.kill('SIGTERM');
    await once(child, 'exit');
    clearTimeout(impatient);
    this.#note('ended');
    if (child.exitCode !== 0)
      this.#options.onUnexpectedEnd(`${this.name} left with ${child.signalCode ?? child.exitCode}`);
  }

  /** Noted before the signal is sent and after the other one was: everything that stands still lies in between. */
  freeze(): void {
    this.#note('frozen');
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
    this.#note('thawed');
  }

  /** The end of what its members have logged. */
  get output(): string {
    return this.#output;
  }

  history(): readonly Event[] {
    const journals = this.#journals.filter((file) => existsSync(file));
    return [...this.events, ...journals.flatMap((file) => readJournal(file))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    process.off('exit', this.#atExit);
    await this.proxy[Symbol.asyncDispose]();
  }

  /** From now on its end is expected. */
  #letGo(): ChildProcess | undefined {
    const child = this.#child;
    this.#child = undefined;
    return child;
  }

  #note(kind: Exclude<RunEvent['kind'], 'fault' | 'healed'>): void {
    this.events.push(stamped(this.#running?.identity ?? this.name, { kind }));
  }
}
