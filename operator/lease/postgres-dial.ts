/** From options to one ready connection, or to a `StoreError` that says why there is none. Knows nothing of cells. */
import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import { Client, type ClientConfig } from 'pg';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { parsePostgresUrl, type PostgresAddress } from '../lib/postgres-url.ts';
import { asStoreError } from './postgres-errors.ts';
import { StoreError } from './store-error.ts';
import { within } from './within.ts';

/** Certificates and names for connections with TLS. */
export interface PostgresTls {
  /** Each of these is PEM text or the path of a file, which is read anew for each connection. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Name that the server's certificate must carry; default: the URL's host. */
  readonly serverName?: string | undefined;
}

/** Where the database is, and how it is reached. */
export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`, with `?sslmode=` disable, require, verify-ca or verify-full. */
  readonly url: string;
  /** Read anew for each connection, so that a changed secret needs no restart. Wins over the URL's password. */
  readonly passwordFile?: string | undefined;
  /** Present, even empty: TLS, and `verify-full` unless the URL has an sslmode. */
  readonly tls?: PostgresTls | undefined;
  /** Connections for reads and writes; default: 4. One more listens for hints. */
  readonly maxConnections?: number | undefined;
}

/** One ready connection, and how it ends. */
export interface Connection {
  readonly client: Client;
  /** Aborted when the connection has ended, whoever ended it. */
  readonly ended: AbortSignal;
  /** At once, whatever is under way. */
  destroy(): void;
}

/** Milliseconds for the connection and its greeting together. */
const DIAL_MS = 2000;
/** A statement whose caller has given up ends at the server as well: no call waits longer than this. */
const STATEMENT_MS = 10_000;

/** Makes connections, one for each call of `dial`. */
export class PostgresDialer {
  readonly #options: PostgresOptions;
  readonly #clock: Clock;
  /** A pooler in front accepts no settings at the start of a connection: they would outlive it. */
  #plain = false;

  constructor(options: PostgresOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Whoever aborts `signal` ends the attempt; the connection that is returned never reconnects by itself. */
  async dial(signal: AbortSignal): Promise<Connection> {
    try {
      return await this.#attempt(signal);
    } catch (error) {
      if (this.#plain || !/unsupported startup parameter/.test(messageOf(error))) throw asStoreError(error);
      this.#plain = true;
      return this.dial(signal);
    }
  }

  async #attempt(signal: AbortSignal): Promise<Connection> {
    const socket = new Socket();
    const settings = this.#plain ? {} : { statement_timeout: STATEMENT_MS };
    const config = await clientConfig(this.#options);
    const client = new Client({ ...config, ...settings, stream: () => socket });
    forgetEnvironment(client, config);
    const ended = new AbortController();
    socket.once('close', () => ended.abort(new StoreError('unreachable', 'PostgreSQL: the connection ended')));
    client.on('error', () => {}); // says once more that it has ended, while nobody asks
    try {
      await within({ signal, timeoutMs: DIAL_MS }, this.#clock, 'PostgreSQL', () => client.connect());
      return { client, ended: ended.signal, destroy: () => socket.destroy() };
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }
}

/** Where nothing is given, the client reads PGOPTIONS and PGREPLICATION, and there is no way to give nothing. */
function forgetEnvironment(client: Client, { options }: ClientConfig): void {
  const { connectionParameters } = client as Client & { readonly connectionParameters: object };
  Object.assign(connectionParameters, { options, replication: undefined });
}

/** Everything is said explicitly: what is left out, the client takes from the environment. */
async function clientConfig(options: PostgresOptions): Promise<ClientConfig> {
  const address = parsePostgresUrl(options.url);
  if (typeof address === 'string') throw new StoreError('other', `databaseURL ${address}`);
  const { host, port, user, database, options: routing } = address;
  const password = options.passwordFile
    ? (await contents('passwordFile', options.passwordFile)).trimEnd()
    : (address.password ?? '');
  return {
    host,
    port,
    user,
    database,
    ...(routing === undefined ? {} : { options: routing }),
    password: () => password,
    ssl: await tlsOptions(address, options.tls),
    sslnegotiation: 'postgres',
    application_name: 'highlander',
    client_encoding: 'UTF8',
    keepAlive: true,
  };
}

async function tlsOptions({ host, sslMode }: PostgresAddress, tls?: PostgresTls): Promise<ConnectionOptions | false> {
  const mode = sslMode ?? (tls ? 'verify-full' : 'disable');
  if (mode === 'disable') return false;
  const given: ConnectionOptions = {};
  for (const part of ['ca', 'cert', 'key'] as const) {
    const value = tls?.[part];
    if (value) given[part] = value.includes('-----BEGIN') ? value : await contents(`tls.${part}`, value);
  }
  return {
    ...given,
    // As in libpq: who asks for encryption only gets no more than that, unless there is an authority to check against.
    rejectUnauthorized: mode !== 'require' || given.ca !== undefined,
    checkServerIdentity: (_, certificate) =>
      mode === 'verify-full' ? checkServerIdentity(tls?.serverName ?? host, certificate) : undefined,
  };
}

async function contents(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new StoreError('other', `db.${option} cannot be read: ${messageOf(error)}`);
  }
}
