/**
 * The Kubernetes API over HTTP: raw JSON, a deadline for every call, connections and credentials from the kubeconfig.
 * It sends a request again in two cases only: once after 401 with credentials read anew (the server did nothing), and a
 * read once after its kept-alive connection turned out to be closed. Every other failure is the caller's to retry.
 */
import type { Redact } from '../lib/redactor.ts';
import type { Clock } from '../lib/clock.ts';
import { errorOfReply } from './api-status.ts';
import * as api from './cluster-client.ts';
import { type Deadline, withDeadline } from './deadline.ts';
import { type ExchangeRequest, isStaleConnection, open, readText, type Reply } from './exchange.ts';
import { listAll } from './paged-list.ts';
import { apiVersionOf, collectionPath, objectPath, type QueryValue, queryString } from './resource-path.ts';
import { ServerClock } from './server-clock.ts';
import type { Transport } from './kube-config.ts';
import { watchEvents } from './watch-stream.ts';

/** What the client needs of a kubeconfig; `PooledKubeConfig` has it. */
export interface TransportSource {
  readonly server: string;
  transport(): Promise<Transport>;
  /** After a 401: what was `used` is not good any more. */
  dropCredentials(used?: Pick<Transport, 'used'>): void;
  close(): Promise<void>;
}

/** Which server, and who calls. */
export interface HttpClientOptions {
  readonly config: TransportSource;
  readonly clock: Clock;
  /** Sent as User-Agent: product and version. */
  readonly userAgent: string;
  readonly redact?: Redact;
}

interface Way {
  readonly transport: Transport;
  readonly signal: AbortSignal;
  readonly beforeSend: (() => void) | undefined;
  readonly pool: 'calls' | 'watches';
}

/** A call as the client's parts see it. */
export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, QueryValue>>;
  readonly body?: unknown;
  readonly contentType?: string;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const;

/** The client of one API server. */
export class HttpClusterClient implements api.ClusterClient {
  readonly redact: Redact;
  readonly server: string;
  /** The API server's own time. */
  readonly serverClock: ServerClock;
  readonly #config: TransportSource;
  readonly #clock: Clock;
  readonly #userAgent: string;

  constructor(options: HttpClientOptions) {
    this.#config = options.config;
    this.#clock = options.clock;
    this.#userAgent = options.userAgent;
    this.redact = options.redact ?? ((text) => text);
    this.server = options.config.server;
    this.serverClock = new ServerClock(options.clock);
  }

  /** A 404 that is not about the object itself, such as an unknown kind of resource, throws. */
  async get<T extends api.KubeObject>(
    type: api.ResourceType,
    at: api.ObjectName,
    options: api.CallOptions = {},
  ): Promise<T | undefined> {
    return this.#call<T>({ method: 'GET', path: objectPath(type, at) }, options).catch(absent);
  }

  list<T extends api.KubeObject>(type: api.ResourceType, options: api.ListOptions = {}): Promise<api.ObjectList<T>> {
    const path = collectionPath(type, options.namespace);
    return listAll<T>(type, options, (query) =>
      withDeadline(this.#deadline(`GET ${path}`, options), (signal) =>
        this.#json({ method: 'GET', path, query }, signal, options.beforeSend),
      ),
    );
  }

  watch<T extends api.KubeObject>(type: api.ResourceType, options: api.WatchOptions): AsyncIterable<api.WatchEvent<T>> {
    const path = collectionPath(type, options.namespace);
    const { labelSelector, fieldSelector, resourceVersion, timeoutSeconds } = options;
    const query = {
      watch: true,
      allowWatchBookmarks: true,
      labelSelector,
      fieldSelector,
      resourceVersion,
      timeoutSeconds,
    };
    const start = (signal: AbortSignal): Promise<Reply> =>
      this.#send({ method: 'GET', path, query }, signal, undefined, 'watches');
    return watchEvents<T>({
      what: `WATCH ${path}`,
      start,
      clock: this.#clock,
      idleMs: options.idleMs,
      signal: options.signal,
      onOpen: options.onOpen,
    });
  }

  create<T extends api.KubeObject>(type: api.ResourceType, body: T, options: api.WriteOptions = {}): Promise<T> {
    const path = collectionPath(type, type.namespaced ? namespaceOf(type, body) : undefined);
    return this.#call({ method: 'POST', path, query: writeQuery(options), body: named(type, body) }, options);
  }

  async replace<T extends api.KubeObject>(type: api.ResourceType, body: T, options: api.WriteOptions = {}): Promise<T> {
    if (!body.metadata.resourceVersion)
      throw new Error(`${type.kind} ${body.metadata.name}: a replacement needs a resourceVersion`);
    return this.#call(
      { method: 'PUT', path: objectPath(type, body.metadata), query: writeQuery(options), body: named(type, body) },
      options,
    );
  }

  async apply<T extends api.KubeObject>(type: api.ResourceType, body: T, options: api.ApplyOptions): Promise<T> {
    const path = objectPath(type, body.metadata, options.subresource);
    const query = { ...writeQuery(options), force: options.force ?? true };
    return this.#call(
      { method: 'PATCH', path, query, body: named(type, body), contentType: 'application/apply-patch+yaml' },
      options,
    );
  }

  async patch<T extends api.KubeObject>(
    type: api.ResourceType,
    at: api.ObjectName,
    patch: unknown,
    options: api.PatchOptions,
  ): Promise<T> {
    const path = objectPath(type, at, options.subresource);
    return this.#call(
      { method: 'PATCH', path, query: writeQuery(options), body: patch, contentType: patchTypes[options.type] },
      options,
    );
  }

  async delete(type: api.ResourceType, at: api.ObjectName, options: api.DeleteOptions): Promise<boolean> {
    const { preconditions, gracePeriodSeconds, propagationPolicy } = options;
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions, gracePeriodSeconds, propagationPolicy };
    const reply = await this.#call({ method: 'DELETE', path: objectPath(type, at), body }, options).catch(absent);
    return reply !== undefined;
  }

  close(): Promise<void> {
    return this.#config.close();
  }

  #call<T>(call: ApiCall, options: api.CallOptions): Promise<T> {
    return withDeadline(this.#deadline(`${call.method} ${call.path}`, options), (signal) =>
      this.#json<T>(call, signal, options.beforeSend),
    );
  }

  #deadline(what: string, options: api.CallOptions): Deadline {
    return { clock: this.#clock, ms: options.timeoutMs ?? DEFAULT_TIMEOUT_MS, outer: options.signal, what };
  }

  async #json<T>(call: ApiCall, signal: AbortSignal, beforeSend: (() => void) | undefined): Promise<T> {
    const text = await readText(await this.#send(call, signal, beforeSend, 'calls'));
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw new Error(`${call.method} ${call.path}: the answer is not JSON`, { cause: error });
    }
  }

  /** Resolves with a successful reply; every other one becomes an `ApiError`. */
  async #send(
    call: ApiCall,
    signal: AbortSignal,
    beforeSend: (() => void) | undefined,
    pool: 'calls' | 'watches',
  ): Promise<Reply> {
    const transport = await this.#config.transport();
    let reply = await this.#dispatch(call, { transport, signal, beforeSend, pool });
    if (reply.status === 401) {
      await readText(reply);
      this.#config.dropCredentials(transport);
      reply = await this.#dispatch(call, { transport: await this.#config.transport(), signal, beforeSend, pool });
    }
    if (reply.status < 300) return reply;
    throw errorOfReply(`${call.method} ${call.path}`, reply.status, reply.headers, await readText(reply));
  }

  async #dispatch(call: ApiCall, { transport, signal, beforeSend, pool }: Way): Promise<Reply> {
    const request = this.#request(call, transport, signal, beforeSend);
    try {
      let sentAt = this.#clock.monotonic();
      const reply = await open(transport[pool], request).catch((error: unknown) => {
        if (call.method !== 'GET' || signal.aborted || !isStaleConnection(error)) throw error;
        sentAt = this.#clock.monotonic();
        return open(transport[pool], request);
      });
      this.serverClock.observe(reply.headers['date'], sentAt);
      return reply;
    } catch (error) {
      // A failure of the network has a message like "other side closed": say of which call.
      if (error instanceof Error && 'code' in error)
        throw new Error(`${call.method} ${call.path}: ${error.message}`, { cause: error });
      throw error;
    }
  }

  #request(
    call: ApiCall,
    transport: Transport,
    signal: AbortSignal,
    beforeSend: (() => void) | undefined,
  ): ExchangeRequest {
    const server = new URL(this.server);
    const path = `${server.pathname.replace(/\/$/, '')}${call.path}${queryString(call.query ?? {})}`;
    const headers: Record<string, string | string[]> = {
      ...transport.headers,
      'User-Agent': this.#userAgent,
      Accept: 'application/json',
    };
    if (call.body === undefined)
      return { method: call.method, origin: server.origin, path, headers, signal, beforeSend };
    const body = JSON.stringify(call.body);
    headers['Content-Type'] = call.contentType ?? 'application/json';
    headers['Content-Length'] = String(Buffer.byteLength(body));
    return { method: call.method, origin: server.origin, path, headers, body, signal, beforeSend };
  }
}

function absent(error: unknown): undefined {
  if (api.hasCode(error, 404) && error.reason === 'NotFound') return undefined;
  throw error;
}

function writeQuery(options: api.WriteOptions): Record<string, QueryValue> {
  return {
    fieldManager: options.fieldManager,
    dryRun: options.dryRun ? 'All' : undefined,
    fieldValidation: options.strict ? 'Strict' : undefined,
  };
}

function named<T extends api.KubeObject>(type: api.ResourceType, body: T): T {
  return { apiVersion: apiVersionOf(type), kind: type.kind, ...body };
}

function namespaceOf(type: api.ResourceType, body: api.KubeObject): string {
  if (!body.metadata.namespace) throw new Error(`${type.kind} ${body.metadata.name} has no namespace`);
  return body.metadata.namespace;
}
