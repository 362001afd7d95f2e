/** What the parts of the conformance suite share: the store under test, keys, and short forms. */
import type { CellStore, WriteReply } from '../cell-store.ts';
import type { FaultProxy, ServerAddress } from './fault-proxy.ts';
import type { Task } from './store-worker.ts';

export interface StoreServer {
  /** Where clients connect to: of several, all that they may come to. */
  readonly addresses: readonly ServerAddress[];
  pause(): void;
  resume(): void;
  /** Without any farewell. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Whether acknowledged writes survive `kill` and `restart`. */
  readonly durable: boolean;
}

/** A server that is its own only address. */
interface SingleServer extends Pick<StoreServer, 'pause' | 'resume' | 'kill' | 'restart'> {
  readonly address: ServerAddress;
}

export function serverOf(server: SingleServer, durable: boolean): StoreServer {
  return {
    addresses: [server.address],
    pause: () => server.pause(),
    resume: () => server.resume(),
    kill: () => server.kill(),
    restart: () => server.restart(),
    durable,
  };
}

export interface StoreHarness extends AsyncDisposable {
  /** A store with connections of its own, by these addresses instead of the server's when some are given. */
  open(...addresses: readonly ServerAddress[]): Promise<CellStore>;
  /** A store whose credentials the server refuses. Absent: an embedded store. */
  openUnauthorized?(): Promise<CellStore>;
  /** The same store for another process. */
  readonly task: Task['store'];
  /** Loses all cells, by other means than the driver's. */
  wipe(): Promise<void>;
  /** Absent: an embedded store, which nothing can stop or cut off. */
  readonly server?: StoreServer;
}

export const call = { timeoutMs: 5000 };

let counter = 0;
/** A key that no other test uses. */
export const freshKey = () => `highlander-leader-lock:t${(counter += 1)}`;

/** Opens stores and ends them with the test. */
export class Bench {
  readonly harness: StoreHarness;
  readonly #opened: CellStore[] = [];
  constructor(harness: StoreHarness) {
    this.harness = harness;
  }
  get server(): StoreServer {
    if (!this.harness.server) throw new Error('This store has no server');
    return this.harness.server;
  }
  async open(proxy?: FaultProxy): Promise<CellStore> {
    return this.keep(await this.harness.open(...(proxy?.addresses ?? [])));
  }
  keep(store: CellStore): CellStore {
    this.#opened.push(store);
    return store;
  }
  async clear(): Promise<void> {
    for (const store of this.#opened.splice(0)) await store.close();
  }
}

export function okVersion(reply: WriteReply | undefined): string {
  if (!reply?.ok) throw new Error('The write was refused');
  return reply.version;
}

/** The error that a promise rejects with, `undefined` when it does not. */
export function settled(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
