/** A configuration that may be shown: logs, `config print`, support bundles. */
import type { Config } from './config.ts';
import { MASK, withoutCredentials } from './problems.ts';

/** A copy without passwords and keys (names of files that hold them stay); nothing else is changed. */
export function masked(config: Config): Config {
  const { redis, db } = config;
  return {
    ...config,
    db: db && {
      ...db,
      url: withoutCredentials(db.url),
      ...(db.tls?.key?.includes('-----BEGIN') ? { tls: { ...db.tls, key: MASK } } : {}),
    },
    redis: redis && {
      ...redis,
      addr: withoutCredentials(redis.addr),
      ...(redis.password === undefined ? {} : { password: MASK }),
      ...(redis.tls?.key?.includes('-----BEGIN') ? { tls: { ...redis.tls, key: MASK } } : {}),
    },
  };
}
