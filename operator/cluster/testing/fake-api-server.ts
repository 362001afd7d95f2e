/**
 * An API server that a test can steer into what a real one cannot be made to do: hang, fail so many times, cut
 * connections, forget history. Real sockets, with or without TLS. It keeps objects of any kind by their path; it knows
 * resourceVersions, preconditions, pages, watches with history, and nothing of schemas or field ownership.
 */
import { randomUUID } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { KubeObject } from '../cluster-client.ts';
import {
  answer,
  FakeWatch,
  type FakeRequest,
  type HistoryEvent,
  mergePatch,
  parsePath,
  statusOf,
} from './fake-api-parts.ts';
import { selfSigned, type TestCertificate } from './self-signed.ts';

export type { FakeRequest } from './fake-api-parts.ts';

/** Sees each request first; true: it was answered (or left hanging) and goes no further. */
export type Intercept = (request: FakeRequest, response: http.ServerResponse) => boolean;

export class FakeApiServer {
  /** Every request, in order. */
  readonly requests: FakeRequest[] = [];
  readonly watches = new Set<FakeWatch>();
  /** Connections ever accepted (with TLS: handshakes ended). */
  connections = 0;
  /** Connections open now. */
  readonly sockets = new Set<Socket>();
  /** Most watches that were ever open at once. */
  watchesPeak = 0;
  intercept: Intercept | undefined;
  /** Objects by collection path, e.g. `/api/v1/namespaces/a/pods`, then by name. */
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  #history: HistoryEvent[] = [];
  #version = 100;
  /** Watches from before this version are told 410. */
  #oldest = 0;
  readonly #server: http.Server;
  readonly certificate: TestCertificate | undefined;

  private constructor(tls: TestCertificate | undefined) {
    this.certificate = tls;
    const handle = (request: http.IncomingMessage, response: http.ServerResponse): void =>
      void this.#receive(request, response);
    this.#server = tls ? https.createServer({ cert: tls.cert, key: tls.key }, handle) : http.createServer(handle);
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket)).on('error', () => {});
    });
    this.#server.on(tls ? 'secureConnection' : 'connection', () => this.connections++);
  }

  static async start(options: { readonly tls?: boolean } = {}): Promise<FakeApiServer> {
    const fake = new FakeApiServer(options.tls ? selfSigned() : undefined);
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `${this.certificate ? 'https' : 'http'}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A kubeconfig for this server, as JSON, which is YAML. */
  kubeconfig(user: Readonly<Record<string, unknown>> = { token: 'secret-token' }): string {
    const ca = this.certificate
      ? { 'certificate-authority-data': Buffer.from(this.certificate.cert).toString('base64') }
      : { 'insecure-skip-tls-verify': true };
    const context = { name: 'fake', context: { cluster: 'fake', user: 'fake' } };
    const cluster = { name: 'fake', cluster: { server: this.url, ...ca } };
    return JSON.stringify({
      clusters: [cluster],
      users: [{ name: 'fake', user }],
      contexts: [context],
      'current-context': 'fake',
    });
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Writes an object as some other client would; returns it with its new version. */
  put<T extends KubeObject>(collection: string, object: T): T {
    const at = this.#collection(collection);
    const before = at.get(object.metadata.name);
    const uid = before?.metadata.uid ?? randomUUID();
    const stored = { ...object, metadata: { uid, ...object.metadata, resourceVersion: String(++this.#version) } };
    at.set(object.metadata.name, stored);
    this.#publish(before ? 'MODIFIED' : 'ADDED', collection, stored);
    return stored;
  }

  remove(collection: string, name: string): void {
    const object = this.#collection(collection).get(name);
    if (!object) return;
    this.#collection(collection).delete(name);
    this.#publish('DELETED', collection, {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(++this.#version) },
    });
  }

  read(collection: string, name: string): KubeObject | undefined {
    return this.#collection(collection).get(name);
  }

  /** Cuts every watch's connection. */
  dropWatches(): void {
    for (const watch of this.watches) watch.response.destroy();
  }

  /** Ends every watch as a server does whose time limit was reached. */
  endWatches(): void {
    for (const watch of this.watches) watch.response.end();
  }

  /** Forgets history: a watch from an earlier version is told 410. */
  compact(): void {
    this.#oldest = ++this.#version;
  }

  bookmark(): void {
    for (const watch of this.watches)
      watch.send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(this.#version) } } });
  }

  /** Sends a raw event to all watches. */
  sendEvent(event: unknown): void {
    for (const watch of this.watches) watch.send(event);
  }

  /** Answers the next requests that `matches` with `status`, so many times. */
  failNext(
    times: number,
    status: number,
    matches: (request: FakeRequest) => boolean = () => true,
    headers: http.OutgoingHttpHeaders = {},
  ): void {
    let left = times;
    const before = this.intercept;
    this.intercept = (request, response) => {
      if (before?.(request, response)) return true;
      if (left === 0 || !matches(request)) return false;
      left--;
      answer(response, status, statusOf(status, 'Injected', 'an injected failure'), headers);
      return true;
    };
  }

  #collection(path: string): Map<string, KubeObject> {
    let found = this.#objects.get(path);
    if (!found) this.#objects.set(path, (found = new Map()));
    return found;
  }

  #publish(type: string, collection: string, object: KubeObject): void {
    const event = { type, collection, object, version: this.#version };
    this.#history.push(event);
    for (const watch of this.watches) watch.offer(event);
  }

  async #receive(incoming: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const url = new URL(incoming.url ?? '/', 'http://fake');
    const { method = 'GET', headers, headersDistinct } = incoming;
    const request = {
      method,
      path: url.pathname,
      query: url.searchParams,
      headers,
      headersDistinct,
      body: Buffer.concat(chunks).toString(),
    };
    this.requests.push(request);
    if (this.intercept?.(request, response)) return;
    this.#serve(request, response);
  }

  #serve(request: FakeRequest, response: http.ServerResponse): void {
    const { collection, name } = parsePath(request.path);
    if (name !== undefined) return this.#serveObject(request, response, collection, name);
    if (request.method === 'POST') return this.#create(request, response, collection);
    if (request.query.get('watch') === 'true') return this.#watch(request, response, collection);
    this.#list(request, response, collection);
  }

  #list(request: FakeRequest, response: http.ServerResponse, collection: string): void {
    const all = [...this.#objects]
      .filter(([path]) => within(path, collection))
      .flatMap(([, objects]) => [...objects.values()]);
    const from = Number(request.query.get('continue') ?? 0);
    const limit = Number(request.query.get('limit') ?? all.length);
    const next = from + limit < all.length ? String(from + limit) : undefined;
    const items = all.slice(from, from + limit).map(({ apiVersion: _, kind: __, ...bare }) => bare);
    answer(response, 200, {
      kind: 'ThingList',
      apiVersion: 'v1',
      metadata: { resourceVersion: String(this.#version), continue: next },
      items,
    });
  }

  #watch(request: FakeRequest, response: http.ServerResponse, collection: string): void {
    const since = Number(request.query.get('resourceVersion'));
    const watch = new FakeWatch(request, response, (path) => within(path, collection));
    this.watches.add(watch);
    this.watchesPeak = Math.max(this.watchesPeak, this.watches.size);
    response.on('close', () => this.watches.delete(watch));
    if (since < this.#oldest) {
      watch.send({ type: 'ERROR', object: statusOf(410, 'Expired', 'too old resource version') });
      response.end();
      return;
    }
    for (const event of this.#history) if (event.version > since) watch.offer(event);
  }

  #create(request: FakeRequest, response: http.ServerResponse, collection: string): void {
    const object = JSON.parse(request.body) as KubeObject;
    if (this.#collection(collection).has(object.metadata.name))
      return answer(response, 409, statusOf(409, 'AlreadyExists', 'it exists'));
    answer(response, 201, this.put(collection, object));
  }

  #serveObject(request: FakeRequest, response: http.ServerResponse, collection: string, name: string): void {
    const found = this.#collection(collection).get(name);
    const body = request.body
      ? (JSON.parse(request.body) as KubeObject & { preconditions?: KubeObject['metadata'] })
      : undefined;
    const applied = request.headers['content-type']?.startsWith('application/apply-patch') ?? false;
    if (!found && !applied) return answer(response, 404, statusOf(404, 'NotFound', `"${name}" not found`));
    const expected = request.method === 'DELETE' ? body?.preconditions : body?.metadata;
    const stale =
      expected?.resourceVersion !== undefined && expected.resourceVersion !== found?.metadata.resourceVersion;
    const other = expected?.uid !== undefined && expected.uid !== found?.metadata.uid;
    if (stale || other) return answer(response, 409, statusOf(409, 'Conflict', 'the object has been modified'));
    if (request.method === 'GET') return answer(response, 200, found);
    if (request.method === 'DELETE') {
      this.remove(collection, name);
      return answer(response, 200, statusOf(200, '', ''));
    }
    answer(
      response,
      200,
      this.put(collection, (request.method === 'PUT' ? body : mergePatch(found ?? {}, body)) as KubeObject),
    );
  }
}

/** Whether a collection's objects belong to the list of another: `…/namespaces/a/pods` to `…/pods`. */
function within(path: string, collection: string): boolean {
  return path === collection || path.replace(/\/namespaces\/[^/]+(?=\/)/, '') === collection;
}
