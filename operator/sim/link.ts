/** The way between one process and one server: slow, lossy, doubling, cut in one direction or both. */
import { StoreError } from '../lease/store-error.ts';
import type { Call } from '../lease/cell-store.ts';
import type { Process } from './machine.ts';

/** How a network behaves now. Probabilities are per message. */
export interface Conditions {
  /** One way, milliseconds. */
  latencyMs: readonly [from: number, to: number];
  loses: number;
  doubles: number;
  /** Probability that a message is held back for up to `lateMs`. */
  delays: number;
  lateMs: number;
  cutRequests: boolean;
  cutReplies: boolean;
}

/** A network without faults. */
export const calm: Conditions = {
  latencyMs: [0.3, 3],
  loses: 0,
  doubles: 0,
  delays: 0,
  lateMs: 0,
  cutRequests: false,
  cutReplies: false,
};

/** What a server is up to, for all who call it. */
export interface Availability {
  /** Connections are refused. */
  down: boolean;
  /** Requests are swallowed. */
  hangs: boolean;
  /** What it puts on its replies: its own time, in whole seconds. */
  date?(): string;
}

type Answer<T> = { readonly value: T } | { readonly error: unknown };

interface Message<T> {
  readonly at: number;
  /** By the sender's clock. */
  readonly sentAt: number;
  readonly serve: () => T;
  readonly settle: (answer: Answer<T>) => void;
}

/** The way between two ends, in both directions. */
export class Link {
  conditions: Conditions = calm;
  /** Calls that wait for an answer. */
  pending = 0;
  /** Hears the date on each reply that arrives. */
  onDate: (date: string, sentAt: number) => void = () => {};
  readonly #process: Process;
  readonly #server: Availability;

  constructor(process: Process, server: Availability) {
    this.#process = process;
    this.#server = server;
  }

  /** `serve` runs at the server when the request arrives: never, once or twice, at any time, whoever waits or not. */
  call<T>(serve: () => T, { timeoutMs, signal }: Call): Promise<T> {
    const { machine, clock } = this.#process;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => settle({ error: signal?.reason });
      let settled = false;
      const settle = (answer: Answer<T>) => {
        if (settled) return;
        settled = true;
        this.pending -= 1;
        timer.cancel();
        signal?.removeEventListener('abort', abort);
        if ('error' in answer) reject(answer.error);
        else resolve(answer.value);
      };
      const timer = clock.after(timeoutMs, () => settle({ error: new StoreError('timeout', 'no answer in time') }));
      signal?.addEventListener('abort', abort, { once: true });
      this.pending += 1;
      const { chance } = machine.world;
      const sentAt = clock.monotonic();
      const copies = chance.hits(this.conditions.doubles) ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) this.#send({ at: machine.instant, sentAt, serve, settle });
    });
  }

  #send<T>({ at, sentAt, serve, settle }: Message<T>): void {
    const { world } = this.#process.machine;
    const departs = Math.max(at, world.now);
    world.at(departs + this.#delay(), () => {
      if (this.conditions.cutRequests || this.#server.hangs || world.chance.hits(this.conditions.loses)) return;
      const answer = this.#server.down
        ? { error: new StoreError('unreachable', 'connection refused') }
        : attempt(serve);
      const date = this.#server.down ? undefined : this.#server.date?.();
      world.after(this.#delay(), () => {
        if (this.conditions.cutReplies || world.chance.hits(this.conditions.loses)) return;
        this.#process.deliver(() => {
          if (date !== undefined) this.onDate(date, sentAt);
          settle(answer);
        });
      });
    });
  }

  #delay(): number {
    const { chance } = this.#process.machine.world;
    const { latencyMs, delays, lateMs } = this.conditions;
    const late = chance.hits(delays) ? chance.skewed(0, lateMs) : 0;
    return chance.skewed(latencyMs[0], latencyMs[1]) + late;
  }
}

function attempt<T>(serve: () => T): Answer<T> {
  try {
    return { value: serve() };
  } catch (error) {
    return { error };
  }
}
