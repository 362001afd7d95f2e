/**
 * From options to answers of one Spanner database, over the service's own (generated) client: the convenient one retries
 * behind the caller's back, keeps sessions alive by timers and asks for metadata. Here every request ends with its call.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { DatabaseAdminClient, InstanceAdminClient, SpannerClient } from '@google-cloud/spanner/build/src/v1/index.js';
import { grpc, type ClientOptions } from 'google-gax';
import type { Clock } from '../lib/clock.ts';
import type { Call } from './cell-store.ts';
import { asStoreError, isLostSession } from './spanner-error.ts';
import type { Exchange } from './spanner-transaction.ts';
import { StoreError } from './store-error.ts';
import { within } from './within.ts';

/** Which database, and where an emulator has it. */
export interface SpannerOptions {
  readonly projectID: string;
  readonly instanceID: string;
  readonly databaseID: string;
  /** host:port of an emulator: no encryption, no credentials. */
  readonly emulatorHost?: string | undefined;
}

interface Channel {
  readonly client: SpannerClient;
  readonly ready: Promise<unknown>;
  readonly sockets: Set<Socket>;
  calls: number;
}

/** Where Node tells of each socket that is made. */
const SOCKETS = 'net.client.socket';

/** Milliseconds that giving back the sessions may take. */
const FAREWELL_MS = 500;

/** Calls to one database, each within its deadline. */
export class SpannerConnection {
  readonly #options: SpannerOptions;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  /** Sessions outlive a channel; each takes one transaction at a time. Last in, first out: few stay in use. */
  readonly #sessions: string[] = [];
  /** On whose behalf the code runs: the client does not say which sockets are its own, and forgets half-made ones. */
  readonly #owner = new AsyncLocalStorage<Channel>();
  readonly #onSocket = (message: unknown) => {
    const { socket } = message as { readonly socket: Socket };
    const sockets = this.#owner.getStore()?.sockets;
    if (sockets?.add(socket)) socket.once('close', () => sockets.delete(socket));
  };
  #channel: Channel | undefined;

  constructor(options: SpannerOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    subscribe(SOCKETS, this.#onSocket);
  }

  /** Rejects with `StoreError` or the reason of the call's signal. `work` may run again, when its session is gone. */
  run<T>(call: Call, work: (exchange: Exchange) => Promise<T>): Promise<T> {
    const due = this.#clock.monotonic() + call.timeoutMs;
    return within(call, this.#clock, 'Spanner', (signal) => {
      const options = () => {
        signal.throwIfAborted();
        this.#closed.signal.throwIfAborted();
        return { timeout: Math.max(1, due - this.#clock.monotonic()), retry: null };
      };
      const pause = (ms: number) => this.#clock.sleep(ms, signal);
      return this.#onChannel(signal, (client) => this.#inSession({ client, options, pause }, work));
    });
  }

  async close(): Promise<void> {
    const channel = this.#channel;
    this.#closed.abort(new StoreError('unreachable', 'The store was closed'));
    this.#channel = undefined;
    if (channel) {
      const limits = { timeout: FAREWELL_MS, retry: null };
      const names = this.#sessions.splice(0);
      await Promise.allSettled(names.map((name) => channel.client.deleteSession({ name }, { ...limits })));
      end(channel);
    }
    unsubscribe(SOCKETS, this.#onSocket);
  }

  /**
   * A silent connection is not noticed by the client: after a call without an answer the next one gets a new channel.
   * A caller that aborts leaves its request behind, so that it can still turn out to be overdue.
   */
  async #onChannel<T>(signal: AbortSignal, work: (client: SpannerClient) => Promise<T>): Promise<T> {
    this.#closed.signal.throwIfAborted();
    const channel = (this.#channel ??= open(this.#options));
    const retire = () => {
      if (this.#channel === channel) this.#channel = undefined;
    };
    signal.addEventListener('abort', () => signal.reason instanceof StoreError && retire(), { once: true });
    channel.calls += 1;
    try {
      return await this.#owner.run(channel, async () => {
        await channel.ready;
        return work(channel.client);
      });
    } catch (error) {
      if (signal.aborted && error === signal.reason) throw error;
      const failure = asStoreError(error);
      if (failure.kind !== 'other') retire();
      throw failure;
    } finally {
      channel.calls -= 1;
      if (this.#channel !== channel && channel.calls === 0) end(channel);
    }
  }

  async #inSession<T>(bare: Omit<Exchange, 'session'>, work: (exchange: Exchange) => Promise<T>): Promise<T> {
    for (;;) {
      const known = this.#sessions.pop();
      const session = known ?? (await this.#newSession(bare));
      try {
        const result = await work({ ...bare, session });
        this.#sessions.push(session);
        return result;
      } catch (error) {
        const lost = isLostSession(error);
        if (!lost) this.#sessions.push(session);
        // The server forgets sessions that nobody used for an hour, and an emulator all when it restarts.
        if (!lost || known === undefined) throw error;
      }
    }
  }

  async #newSession({ client, options }: Omit<Exchange, 'session'>): Promise<string> {
    const [session] = await client.createSession({ database: databaseName(this.#options) }, options());
    if (!session.name) throw new StoreError('other', 'Spanner: a session has no name');
    return session.name;
  }
}

/** The database as the service names it. */
export function databaseName({ projectID, instanceID, databaseID }: SpannerOptions): string {
  return `projects/${projectID}/instances/${instanceID}/databases/${databaseID}`;
}

/** Clients that create instances and databases; the caller closes them. */
export function adminClients(options: SpannerOptions) {
  const shared = clientOptions(options);
  return { databases: new DatabaseAdminClient(shared), instances: new InstanceAdminClient(shared) };
}

function clientOptions({ projectID, emulatorHost }: SpannerOptions): ClientOptions {
  const channel = {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 500,
    'grpc.enable_channelz': 0,
  };
  if (emulatorHost === undefined) return { projectId: projectID, ...channel };
  const { hostname, port } = new URL(`http://${emulatorHost}`);
  return {
    projectId: projectID,
    servicePath: hostname,
    port: Number(port || 80),
    sslCreds: grpc.credentials.createInsecure(),
    // Otherwise it is asked of the credentials, and these of a metadata server that is not there.
    universeDomain: 'googleapis.com',
    ...channel,
  };
}

function open(options: SpannerOptions): Channel {
  const client = new SpannerClient(clientOptions(options));
  const ready = client.initialize();
  ready.catch(() => {});
  return { client, ready, sockets: new Set(), calls: 0 };
}

function end({ client, ready, sockets }: Channel): void {
  void ready.then(() => client.close()).catch(() => {});
  for (const socket of sockets) socket.destroy();
}
