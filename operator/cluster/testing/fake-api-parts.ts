/** Parts of the fake API server that hold no state of it. */
import type * as http from 'node:http';
import type { KubeObject } from '../cluster-client.ts';

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  /** Those that were sent several times, one by one. */
  readonly headersDistinct: NodeJS.Dict<string[]>;
  readonly body: string;
}

export interface HistoryEvent {
  readonly type: string;
  readonly collection: string;
  readonly object: KubeObject;
  readonly version: number;
}

/** One open watch. */
export class FakeWatch {
  readonly request: FakeRequest;
  readonly response: http.ServerResponse;
  readonly #wants: (collection: string) => boolean;

  constructor(request: FakeRequest, response: http.ServerResponse, wants: (collection: string) => boolean) {
    this.request = request;
    this.response = response;
    this.#wants = wants;
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
  }

  offer(event: HistoryEvent): void {
    if (this.#wants(event.collection)) this.send({ type: event.type, object: event.object });
  }

  send(event: unknown): void {
    this.response.write(`${JSON.stringify(event)}\n`);
  }
}

export function answer(
  response: http.ServerResponse,
  status: number,
  body: unknown,
  headers: http.OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export function statusOf(code: number, reason: string, message: string): unknown {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: code < 300 ? 'Success' : 'Failure',
    code,
    reason,
    message,
  };
}

/** Collection and name of a path; a subresource is taken as the object itself. */
export function parsePath(path: string): { readonly collection: string; readonly name: string | undefined } {
  const parts = path.split('/');
  const root = parts[1] === 'api' ? 3 : 4;
  const end = parts[root] === 'namespaces' && parts.length > root + 2 ? root + 3 : root + 1;
  return { collection: parts.slice(0, end).join('/'), name: parts[end] };
}

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const merged: Record<string, unknown> = typeof target === 'object' && target !== null ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}
