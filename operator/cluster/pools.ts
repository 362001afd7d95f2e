/**
 * The connections to one API server: a bounded pool for calls, and a separate, unbounded one for watches, so that no
 * call waits behind a watch. HTTP/1.1 on purpose: one dead HTTP/2 connection stalls everything that shares it.
 */
import { createSecureContext, type ConnectionOptions } from 'node:tls';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';

/** How connections are made. */
export interface PoolOptions {
  readonly tls: Pick<
    ConnectionOptions,
    'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'rejectUnauthorized' | 'servername'
  >;
  /** HTTP(S) proxy to reach the server through. */
  readonly proxyUrl?: string;
}

/** The two pools. */
export interface Pools {
  readonly calls: Dispatcher;
  readonly watches: Dispatcher;
}

/** Connections that calls may use at once; the others wait for one to be free, within their deadline. */
export const MAX_CONNECTIONS = 32;
const CONNECT_TIMEOUT_MS = 5_000;
/** Below the 60 s after which common load balancers drop an idle connection. */
const IDLE_CONNECTION_MS = 30_000;

/** Makes the pools; nothing is connected until the first call. */
export function makePools(options: PoolOptions): Pools {
  const calls = {
    connections: MAX_CONNECTIONS,
    keepAliveTimeout: IDLE_CONNECTION_MS,
    keepAliveMaxTimeout: IDLE_CONNECTION_MS,
  };
  return { calls: makeAgent(options, calls), watches: makeAgent(options, { bodyTimeout: 0 }) };
}

function makeAgent({ tls, proxyUrl }: PoolOptions, limits: Agent.Options): Dispatcher {
  // Made once: certificates are parsed anew for each connection otherwise.
  const secureContext = createSecureContext(tls);
  const connect = {
    ...tls,
    secureContext,
    timeout: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  };
  if (!proxyUrl) return new Agent({ ...limits, allowH2: false, pipelining: 1, connect });
  return new ProxyAgent({
    ...limits,
    uri: proxyUrl,
    allowH2: false,
    requestTls: connect,
    connectTimeout: CONNECT_TIMEOUT_MS,
  });
}
