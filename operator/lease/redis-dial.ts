/** From a target to one ready connection, or to a `StoreError` that says why there is none. Knows nothing of cells. */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Redis, type RedisOptions as ClientOptions } from 'ioredis';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { asStoreError } from './redis-error.ts';
import type { RedisTarget, RedisTls } from './redis-options.ts';
import { scripts } from './redis-scripts.ts';
import { StoreError } from './store-error.ts';
import { within } from './within.ts';

/** Milliseconds for the connection and its greeting together. */
const DIAL_MS = 2000;

/** Whoever aborts `signal` ends the attempt; the connection that is returned never reconnects by itself. */
export async function dial(target: RedisTarget, clock: Clock, signal: AbortSignal): Promise<Redis> {
  const client = new Redis(await clientOptions(target));
  const failures: unknown[] = [];
  // The client reports a refused password or database as an event and goes on, with database 0 for instance.
  client.on('error', (error) => failures.push(error));
  try {
    await within({ signal, timeoutMs: DIAL_MS }, clock, target.name, () => client.connect());
    if (failures.length > 0) throw failures[0];
    return client;
  } catch (error) {
    client.disconnect();
    throw asStoreError(failures[0] ?? error, target.name);
  }
}

async function clientOptions(target: RedisTarget): Promise<ClientOptions & { replyMapping: 'legacy' }> {
  const { host, port, db, username, passwordFile, tls } = target;
  const password = passwordFile ? (await contents('passwordFile', passwordFile)).trimEnd() : target.password;
  return {
    ...(host.startsWith('/') ? { path: host } : { host, port }),
    db,
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...(tls ? { tls: await tlsOptions(tls, host) } : {}),
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

async function tlsOptions(tls: RedisTls, host: string): Promise<ConnectionOptions> {
  const servername = tls.serverName ?? (isIP(host) ? undefined : host);
  const given: ConnectionOptions = servername ? { servername } : {};
  for (const part of ['ca', 'cert', 'key'] as const) {
    const value = tls[part];
    if (value) given[part] = value.includes('-----BEGIN') ? value : await contents(`tls.${part}`, value);
  }
  return given;
}

/** The message of a failed read names the path. */
async function contents(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new StoreError('other', `The file of ${option} for Redis cannot be read: ${messageOf(error)}`);
  }
}
