/** From options to one ready connection, or to a `StoreError` that says why there is none. Knows nothing of cells. */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Redis, type RedisOptions as ClientOptions } from 'ioredis';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { scripts } from './redis-scripts.ts';
import { StoreError, type StoreErrorKind } from './store-error.ts';
import { within } from './within.ts';

export interface RedisTls {
  /** Each of these is PEM text or the path of a file, which is read anew for each connection. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Name that the server's certificate must carry; the address's host unless told. */
  readonly serverName?: string | undefined;
}

export interface RedisOptions {
  /** `host`, `host:port`, `redis://` or `rediss://` URL; the options below win over the URL's parts. */
  readonly addr: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Read anew for each connection, so that a changed secret needs no restart. Wins over `password`. */
  readonly passwordFile?: string | undefined;
  /** 0 unless told. */
  readonly db?: number | undefined;
  /** Present, even empty: TLS. `rediss://` means the same. */
  readonly tls?: RedisTls | undefined;
  /** In front of each key and channel; '' unless told. */
  readonly keyPrefix?: string | undefined;
}

/** Milliseconds for the connection and its greeting together. */
const DIAL_MS = 2000;

/** Whoever aborts `signal` ends the attempt; the connection that is returned never reconnects by itself. */
export async function dial(options: RedisOptions, clock: Clock, signal: AbortSignal): Promise<Redis> {
  const client = new Redis(await clientOptions(options));
  const failures: unknown[] = [];
  // The client reports a refused password or database as an event and goes on, with database 0 for instance.
  client.on('error', (error) => failures.push(error));
  try {
    await within({ signal, timeoutMs: DIAL_MS }, clock, 'Redis', () => client.connect());
    if (failures.length > 0) throw failures[0];
    return client;
  } catch (error) {
    client.disconnect();
    throw asStoreError(failures[0] ?? error);
  }
}

async function clientOptions(options: RedisOptions): Promise<ClientOptions & { replyMapping: 'legacy' }> {
  const { tls, ...address } = parseAddress(options.addr);
  const username = options.username ?? address.username;
  const password = options.passwordFile
    ? (await contents('passwordFile', options.passwordFile)).trimEnd()
    : (options.password ?? address.password);
  return {
    host: address.host,
    port: address.port,
    db: options.db ?? address.db,
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...(tls || options.tls ? { tls: await tlsOptions(options.tls ?? {}, address.host) } : {}),
    scripts,
    replyMapping: 'legacy',
    connectionName: 'highlander',
    disableClientInfo: true,
    lazyConnect: true,
    // A server that is still loading must answer so, not keep the caller waiting.
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 1,
    connectTimeout: DIAL_MS,
    // Dialling anew is the caller's: it reads secrets again and knows whether anybody still asks.
    retryStrategy: () => null,
    // A connection that is given up may be half open: do not wait for the other side's farewell.
    disconnectTimeout: 50,
  };
}

interface Address {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
}

/** Exported for its test. Never shows the address in an error: it may hold a password. */
export function parseAddress(addr: string): Address {
  const text = addr.includes('://') ? addr : `redis://${addr}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.hostname || !['redis:', 'rediss:'].includes(url.protocol)) {
    throw new StoreError('other', 'The Redis address is none of host, host:port, redis:// and rediss:// URL');
  }
  const db = Number(url.pathname.slice(1));
  if (!Number.isInteger(db)) throw new StoreError('other', 'The path of the Redis address is not a database number');
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 6379),
    db,
    tls: url.protocol === 'rediss:',
    ...(url.username ? { username: decodeURIComponent(url.username) } : {}),
    ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
  };
}

async function tlsOptions(tls: RedisTls, host: string): Promise<ConnectionOptions> {
  const servername = tls.serverName ?? (isIP(host) ? undefined : host);
  const given: ConnectionOptions = servername ? { servername } : {};
  for (const part of ['ca', 'cert', 'key'] as const) {
    const value = tls[part];
    if (value) given[part] = value.includes('-----BEGIN') ? value : await contents(`tls.${part}`, value);
  }
  return given;
}

async function contents(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new StoreError('other', `redis.${option} cannot be read: ${messageOf(error)}`);
  }
}

const kinds: readonly (readonly [RegExp, StoreErrorKind])[] = [
  [/^(WRONGPASS|NOAUTH|NOPERM)\b|The user executing the script can't/, 'unauthorized'],
  [/^READONLY\b/, 'readonly'],
  [/^(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN)\b|max number of clients/, 'unreachable'],
  [/\bETIMEDOUT\b/, 'timeout'],
  [/\b(ECONN|EPIPE|EHOST|ENET|ENOTFOUND|EAI_)|closed?\b|isn't writeable/, 'unreachable'],
];

/**
 * Carries the message only: the client's error objects hold the failed command with its arguments, the password and the
 * record among them, and would take both into the log as `cause`.
 */
export function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const message = messageOf(error).replace(/ script: [0-9a-f]{40}.*$/s, '');
  const kind = kinds.find(([pattern]) => pattern.test(message))?.[1] ?? 'other';
  return new StoreError(kind, `Redis: ${message}`);
}
