/** What the Redis driver is told, and what becomes of it: one target for each server that it may speak to. */
import { StoreError } from './store-error.ts';

/** Certificates and names for connections with TLS. */
export interface RedisTls {
  /** Each of these is PEM text or the path of a file, which is read anew for each connection. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Name that the server's certificate must carry; default: the address's host. */
  readonly serverName?: string | undefined;
}

interface Credentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Read anew for each connection, so that a changed secret needs no restart. Wins over `password`. */
  readonly passwordFile?: string | undefined;
}

/** The Sentinels that know the master. */
export interface RedisSentinel extends Credentials {
  /** All Sentinels of the master, `host:port` or `rediss://host:port` each. More than half of them must name it. */
  readonly addrs: readonly string[];
  readonly masterName: string;
}

/** Exactly one of `addr`, `sentinel` and `cluster`. Credentials are the servers', not the Sentinels'. */
export interface RedisOptions extends Credentials {
  /** `host`, `host:port`, `redis://` or `rediss://` URL; the options below win over the URL's parts. */
  readonly addr?: string | undefined;
  readonly sentinel?: RedisSentinel | undefined;
  /** All nodes, `host:port` or `rediss://host:port` each. More than half of them must name a key's master. */
  readonly cluster?: { readonly addrs: readonly string[] } | undefined;
  /** Default: 0. */
  readonly db?: number | undefined;
  /** Present, even empty: TLS, to Sentinels as well. `rediss://` means the same. */
  readonly tls?: RedisTls | undefined;
  /** In front of each key and channel; default: ''. */
  readonly keyPrefix?: string | undefined;
  /** By `host:port` as Sentinels or the cluster name a server: the `host:port` at which it is reached from here. */
  readonly natMap?: Readonly<Record<string, string>> | undefined;
}

/** Where a server listens. */
export interface HostPort {
  /** A name, an address, or the absolute path of a Unix socket. */
  readonly host: string;
  readonly port: number;
}

/** One server to connect to. */
export interface RedisTarget extends HostPort, Credentials {
  /** For people: `Redis`, `Sentinel 10.0.0.1:26379`. */
  readonly name: string;
  readonly db: number;
  readonly tls: RedisTls | undefined;
}

/** The server of a plain address. */
export function targetOf(addr: string, options: RedisOptions): RedisTarget {
  const { tls, username, password, db, ...at } = parseAddress(addr);
  return {
    ...at,
    name: 'Redis',
    db: options.db ?? db,
    username: options.username ?? username,
    password: options.password ?? password,
    passwordFile: options.passwordFile,
    tls: options.tls ?? (tls ? {} : undefined),
  };
}

/** A server that was found: by Sentinels, or in a cluster. */
export function foundTarget(at: HostPort, options: RedisOptions): RedisTarget {
  const { username, password, passwordFile, db = 0 } = options;
  return { ...at, name: `Redis ${addressOf(at)}`, db, username, password, passwordFile, tls: sharedTls(options) };
}

/** The Sentinels as targets, one for each address. */
export function sentinelTargets(sentinel: RedisSentinel, options: RedisOptions): readonly RedisTarget[] {
  const { username, password, passwordFile } = sentinel;
  return sentinel.addrs.map((addr) => {
    const { host, port } = parseAddress(addr, 26_379);
    const name = `Sentinel ${addressOf({ host, port })}`;
    return { host, port, name, db: 0, username, password, passwordFile, tls: sharedTls(options) };
  });
}

/** The nodes of a cluster as targets, one for each address. */
export function nodeTargets(addrs: readonly string[], options: RedisOptions): readonly RedisTarget[] {
  return addrs.map((addr) => {
    const { host, port } = parseAddress(addr);
    return foundTarget({ host, port }, options);
  });
}

/** As one text, by which servers are told apart. */
export function addressOf({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** One `rediss://` is enough: nobody means half of a topology to be encrypted. */
function sharedTls({ tls, sentinel, cluster }: RedisOptions): RedisTls | undefined {
  const addrs = sentinel?.addrs ?? cluster?.addrs ?? [];
  return tls ?? (addrs.some((addr) => parseAddress(addr).tls) ? {} : undefined);
}

interface Address extends HostPort {
  readonly db: number;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
}

/** Exported for its test. Never shows the address in an error: it may hold a password. */
export function parseAddress(addr: string, defaultPort = 6379): Address {
  const socket = /^(?:unix:\/\/)?(\/.*)$/.exec(addr)?.[1];
  if (socket !== undefined) return { host: socket, port: 0, db: 0, tls: false };
  return parseUrl(addr.includes('://') ? addr : `redis://${addr}`, defaultPort);
}

function parseUrl(text: string, defaultPort: number): Address {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.hostname || !['redis:', 'rediss:'].includes(url.protocol)) {
    throw new StoreError('other', 'redis.addr: expected host, host:port, redis://… or rediss://…');
  }
  const db = Number(url.pathname.slice(1));
  if (!Number.isInteger(db)) throw new StoreError('other', 'redis.addr: the path must be a database number');
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || defaultPort),
    db,
    tls: url.protocol === 'rediss:',
    ...(url.username ? { username: decodeURIComponent(url.username) } : {}),
    ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
  };
}
