/** A listening server that slow or silent clients cannot exhaust, and that ends when told, within a bound. */
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { Clock } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';

/** A server that listens. */
export interface Listening {
  /** The one that was asked for, or the free one that was found for 0. */
  readonly port: number;
  /** Takes no new connections, lets open requests end for `graceMs` (5000 unless told), then cuts them off. */
  close(graceMs?: number): Promise<void>;
}

/** Milliseconds. A request must be complete by then; checked every second. Answers may take as long as they like. */
const LIMITS = {
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 15_000,
  connectionsCheckingInterval: 1000,
};
const MAX_CONNECTIONS = 1000;

/** Rejects with an error that names the setting when the port cannot be had. */
export async function listen(app: RequestListener, port: number, clock: Clock = systemClock): Promise<Listening> {
  const server = createServer(LIMITS, app);
  server.maxConnections = MAX_CONNECTIONS;
  try {
    server.listen(port);
    await once(server, 'listening');
  } catch (error) {
    throw new Error(explain(error, port), { cause: error });
  }
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: (graceMs = 5000) => close(server, graceMs, clock),
  };
}

async function close(server: Server, graceMs: number, clock: Clock): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const cut = clock.after(graceMs, () => server.closeAllConnections());
  await closed;
  cut.cancel();
}

function explain(error: unknown, port: number): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  const fix = 'set port (HIGHLANDER_PORT, --port) to a free one, or to 0 for any';
  if (code === 'EADDRINUSE') return `Port ${port} is in use by another process: stop that process, or ${fix}`;
  if (code === 'EACCES') return `Port ${port} needs privileges that this process does not have: ${fix}`;
  return `Cannot listen on port ${port}: ${messageOf(error)}`;
}
