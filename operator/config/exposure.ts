/** Notices on what others could read: connections in the clear, unverified certificates, secrets on the command line. */
import { isLocalHost } from '../lib/local-host.ts';
import { parsePostgresUrl } from '../lib/postgres-url.ts';
import type { DatabaseSettings, RedisSettings } from './config.ts';
import { parseRedisAddress } from './redis-address.ts';
import { passwordSpan } from './secrets.ts';
import type { Merged } from './tree.ts';
import { getAt } from './tree.ts';

/** Notices on how PostgreSQL is reached; none unless it is the chosen store. */
export function databaseExposure(db: DatabaseSettings | undefined, storageType: string): readonly string[] {
  const address = db && storageType === 'db' ? parsePostgresUrl(db.url) : undefined;
  if (!db || typeof address !== 'object') return [];
  const { host, sslMode = db.tls ? 'verify-full' : 'disable' } = address;
  const unused = address.ignored.map((name) => `databaseURL: the parameter ${name} is not used`);
  if (isLocalHost(host)) return unused;
  if (sslMode === 'disable')
    return [...unused, `databaseURL: the connection to ${host} is not encrypted; add ?sslmode=verify-full to the URL`];
  if (sslMode !== 'require' || db.tls?.ca !== undefined) return unused;
  const fix = 'use sslmode=verify-full, with db.tls.ca where the authority is a private one';
  return [...unused, `databaseURL: the certificate of ${host} is not verified; ${fix}`];
}

/** Notices on how Redis is reached; none unless it is the chosen store. */
export function redisExposure(redis: RedisSettings | undefined, storageType: string): readonly string[] {
  const address = redis?.addr !== undefined && storageType === 'redis' ? parseRedisAddress(redis.addr) : undefined;
  if (typeof address !== 'object') return [];
  return address.ignored.map((name) => {
    const still = name === 'ssl_cert_reqs' ? ': with rediss:// the certificate is always verified' : '';
    return `redis.addr: the parameter ${name} is not used${still}`;
  });
}

/** By setting, the one to use instead. */
const FILES: Readonly<Record<string, string>> = {
  'redis.password': '--redis-password-file',
  'redis.sentinel.password': '--redis-sentinel-password-file',
  'redis.addr': '--redis-password-file',
  databaseURL: '--db-password-file',
  'api.token': '--api-token-file',
};

/** A command line can be read by every user of the machine. */
export function flagExposure({ tree, origins }: Merged): readonly string[] {
  return Object.entries(FILES).flatMap(([path, instead]) => {
    const origin = origins.get(path);
    const value = getAt(tree, path.split('.'));
    if (origin?.rank !== 'flag' || typeof value !== 'string') return [];
    const isAddress = path === 'redis.addr' || path === 'databaseURL';
    if (isAddress && passwordSpan(value)[1] === 0) return [];
    return [`${path} (${origin.where}): others can read a secret on the command line; use ${instead}`];
  });
}
