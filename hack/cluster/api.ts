/** The least that talks to an API server or a kubelet with a client certificate: used by hack/ and by tests, not by the operator. */

import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { parse, stringify } from 'yaml';
import type { KeyPair } from './certificates.ts';

export interface Access extends KeyPair {
  readonly server: string;
  /** PEM. */
  readonly authority: string;
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly timeoutMs?: number;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class ApiClient {
  readonly server: string;
  readonly #agent: Agent;

  constructor(access: Access) {
    this.server = access.server;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 64,
      ca: access.authority,
      cert: access.certificate,
      key: access.key,
    });
  }

  static fromKubeconfig(path: string): ApiClient {
    return new ApiClient(readKubeconfig(path));
  }

  /** The answer's JSON, or its text where it is no JSON. `path` may also be a whole URL, for a kubelet. */
  async request<T = unknown>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const response = await this.#send(method, path, options);
    response.setEncoding('utf8');
    let text = '';
    for await (const part of response) text += part as string;
    const json = response.headers['content-type']?.startsWith('application/json') ?? false;
    const status = response.statusCode ?? 0;
    if (status < 300) return (json ? JSON.parse(text) : text) as T;
    const message = json ? (JSON.parse(text) as { message?: string }).message : text;
    throw new ApiError(status, `${method} ${path}: ${status} ${message ?? ''}`.trim());
  }

  /** As `request`, undefined where there is no such thing. */
  async find<T = unknown>(path: string): Promise<T | undefined> {
    return this.request<T>('GET', path).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    });
  }

  /** Each line of an answer that goes on, as a watch's does. */
  async *lines(path: string, idleMs: number): AsyncGenerator<string> {
    const response = await this.#send('GET', path, { timeoutMs: idleMs });
    response.setEncoding('utf8');
    let rest = '';
    for await (const part of response) {
      const lines = (rest + (part as string)).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(
    method: string,
    path: string,
    { body, contentType = 'application/json', timeoutMs = 10_000 }: RequestOptions,
  ): Promise<IncomingMessage> {
    const data = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    // The length is given by hand: Node sends none for a DELETE with a body, and API servers refuse that.
    const headers = data ? { 'content-type': contentType, 'content-length': data.length } : {};
    return new Promise((done, fail) => {
      const url = new URL(path, this.server);
      const sent = request(url, { method, headers, agent: this.#agent, timeout: timeoutMs }, done);
      sent.on('timeout', () => sent.destroy(new Error(`${method} ${url.href}: no answer for ${timeoutMs / 1000} s`)));
      sent.on('error', fail);
      sent.end(data);
    });
  }
}

/** Everything is inside the file: it can be copied and mounted. */
export function makeKubeconfig(cluster: string, user: string, access: Access): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': cluster,
      clusters: [
        { name: cluster, cluster: { server: access.server, 'certificate-authority-data': base64(access.authority) } },
      ],
      users: [
        {
          name: user,
          user: { 'client-certificate-data': base64(access.certificate), 'client-key-data': base64(access.key) },
        },
      ],
      contexts: [{ name: cluster, context: { cluster, user } }],
    },
    { lineWidth: 0 },
  );
}

interface Kubeconfig {
  clusters: [{ cluster: Record<string, string> }];
  users: [{ user: Record<string, string> }];
}

/** Reads the kubeconfigs that `makeKubeconfig` wrote, no others. */
export function readKubeconfig(path: string): Access {
  const config = parse(readFileSync(path, 'utf8')) as Kubeconfig;
  const decode = (values: Record<string, string>, key: string): string =>
    Buffer.from(values[key] ?? '', 'base64').toString();
  const [{ cluster }] = config.clusters;
  const [{ user }] = config.users;
  return {
    server: cluster['server'] ?? '',
    authority: decode(cluster, 'certificate-authority-data'),
    certificate: decode(user, 'client-certificate-data'),
    key: decode(user, 'client-key-data'),
  };
}
