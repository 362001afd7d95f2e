/**
 * One HTTP request and its reply on an undici dispatcher. undici may hold a request back (no free connection, a
 * handshake, the validation of an idle socket), so what must happen in the step in which it is written to the connection
 * hangs on `onRequestStart`, not on `dispatch`. An aborted request fails at once, also while it is held back, and is
 * then never written.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';

/** One request. */
export interface ExchangeRequest {
  readonly method: Dispatcher.HttpMethod;
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
  /** Ends the exchange wherever it is, the reading of the body included. The caller's deadline is in here. */
  readonly signal: AbortSignal;
  /** See `CallOptions.beforeSend`. Also called before the request is queued, so that what it refuses costs no connection. */
  readonly beforeSend?: (() => void) | undefined;
}

/** A reply whose body is still to be read. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The body as it arrives; to be read once, to its end or until `signal` is aborted. */
  readonly body: AsyncIterable<Buffer>;
}

/** Bytes that may wait for a slow reader before the connection is paused. */
const HIGH_WATER = 1 << 20;
/**
 * Time limits are the signal's: undici's own are coarse and would cut a quiet watch. By default it also closes the
 * connection after a DELETE with a body, as ours have.
 */
const OPTIONS = { headersTimeout: 0, bodyTimeout: 0, reset: false } as const;

class Exchange implements Dispatcher.DispatchHandler {
  readonly head = Promise.withResolvers<Reply>();
  readonly #request: ExchangeRequest;
  #controller: Dispatcher.DispatchController | undefined;
  #chunks: Buffer[] = [];
  #waiting = 0;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(request: ExchangeRequest) {
    this.#request = request;
    request.signal.addEventListener('abort', this.#abort, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#failure) throw this.#failure.error;
    this.#request.beforeSend?.();
    this.#controller = controller;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status >= 200) this.head.resolve({ status, headers, body: this.#read() });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#waiting += chunk.length;
    if (this.#waiting > HIGH_WATER) controller.pause();
    this.#wake?.();
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#settle();
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  readonly #abort = (): void => {
    const reason: unknown = this.#request.signal.reason;
    this.#fail(reason);
    this.#controller?.abort(reason instanceof Error ? reason : new Error(String(reason)));
  };

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.head.reject(this.#failure.error);
    this.#settle();
  }

  #settle(): void {
    this.#request.signal.removeEventListener('abort', this.#abort);
    this.#wake?.();
  }

  async *#read(): AsyncGenerator<Buffer, void, undefined> {
    try {
      while (true) {
        if (this.#failure) throw this.#failure.error;
        const chunks = this.#chunks;
        this.#chunks = [];
        this.#waiting = 0;
        if (this.#controller?.paused) this.#controller.resume();
        yield* chunks;
        if (this.#chunks.length > 0 || this.#failure) continue;
        if (this.#ended) return;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      if (!this.#ended && !this.#failure) this.#controller?.abort(new Error('The reader of the reply went away'));
    }
  }
}

/** Sends a request and resolves with its reply as soon as the headers are there. */
export function open(dispatcher: Dispatcher, request: ExchangeRequest): Promise<Reply> {
  if (request.signal.aborted) return Promise.reject(request.signal.reason);
  const exchange = new Exchange(request);
  const { method, origin, path, headers, body } = request;
  try {
    request.beforeSend?.();
    dispatcher.dispatch({ method, origin, path, headers: { ...headers }, body: body ?? null, ...OPTIONS }, exchange);
  } catch (error) {
    exchange.head.reject(error);
  }
  return exchange.head.promise;
}

/** The whole body as text. */
export async function readText(reply: Reply): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of reply.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Network failures that mean a kept-alive connection was closed under our feet before the server read the request. */
export function isStaleConnection(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}
