/** A configuration that may be shown: logs, `config print`, support bundles. */
import type { Config, RedisSettings } from './config.ts';
import { MASK, withoutCredentials } from './problems.ts';

/** A copy without passwords and keys (names of files that hold them stay); nothing else is changed. */
export function masked(config: Config): Config {
  const { redis, db } = config;
  return {
    ...config,
    db: db && { ...db, url: withoutCredentials(db.url), ...maskedKey(db.tls) },
    redis: redis && maskedRedis(redis),
  };
}

function maskedRedis(redis: RedisSettings): RedisSettings {
  const { addr, sentinel } = redis;
  return {
    ...redis,
    ...(addr === undefined ? {} : { addr: withoutCredentials(addr) }),
    ...(sentinel && { sentinel: { ...sentinel, ...maskedPassword(sentinel) } }),
    ...maskedPassword(redis),
    ...maskedKey(redis.tls),
  };
}

function maskedPassword({ password }: { readonly password?: string | undefined }): { readonly password?: string } {
  return password === undefined ? {} : { password: MASK };
}

function maskedKey(tls: RedisSettings['tls']): Pick<RedisSettings, 'tls'> {
  return tls?.key?.includes('-----BEGIN') ? { tls: { ...tls, key: MASK } } : {};
}
