/** Counts what passes to the API server: the server's own metrics do not tell one client from another. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Access } from '../hack/cluster/api.ts';

export interface CountingProxy {
  /** A kubeconfig by which clients come through here, without credentials of their own. */
  readonly kubeconfig: string;
  /** Number of requests so far, by method and path without the query; those that open a watch are `WATCH …`. */
  counts(): ReadonlyMap<string, number>;
  close(): void;
}

export async function startCountingProxy(access: Access): Promise<CountingProxy> {
  const counts = new Map<string, number>();
  const agent = new Agent({ keepAlive: true, ca: access.authority, cert: access.certificate, key: access.key });
  const server = createServer((incoming, outgoing) => {
    const name = nameOf(incoming);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    forward(new URL(incoming.url ?? '/', access.server), agent, incoming, outgoing);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const folder = mkdtempSync(join(tmpdir(), 'highlander-bench-'));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigFor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  return {
    kubeconfig,
    counts: () => new Map(counts),
    close: () => {
      server.close();
      server.closeAllConnections();
      agent.destroy();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function nameOf({ method = '', url = '' }: IncomingMessage): string {
  const { pathname, searchParams } = new URL(url, 'http://proxy');
  return `${searchParams.get('watch') === 'true' ? 'WATCH' : method} ${pathname}`;
}

function forward(url: URL, agent: Agent, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { host: _, ...headers } = incoming.headers;
  const sent = request(url, { method: incoming.method, headers, agent }, (reply) => {
    outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
    outgoing.flushHeaders(); // of a watch that has nothing to tell yet
    reply.on('error', () => outgoing.destroy()).pipe(outgoing);
  });
  sent.on('error', () => outgoing.destroy());
  outgoing.on('close', () => sent.destroy());
  incoming.pipe(sent);
}

function kubeconfigFor(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'bench',
    clusters: [{ name: 'bench', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'bench', user: {} }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
  });
}
