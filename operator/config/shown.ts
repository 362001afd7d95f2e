/** The settings as people may see them: each with its value and where that came from, without secrets. */
import type { Config } from './config.ts';
import { isSecret } from './keys.ts';
import { MASK, withoutCredentials } from './problems.ts';

export interface Shown {
  /** Dotted path in the file. */
  readonly path: string;
  /** As the file would have it; undefined: not set. */
  readonly value: unknown;
  /** `default`, `environment HIGHLANDER_PORT`, `config.yaml:3:7`. */
  readonly origin: string;
}

/** In the order of the reference. */
export function shownSettings({ settings }: Pick<Config, 'settings'>): readonly Shown[] {
  return settings.map(({ path, value, origin }) => ({ path, value: shown(path, value), origin }));
}

function shown(path: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => shown(path, item));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, key === 'env' ? maskedEnv(inner) : shown(path, inner)]),
    );
  if (typeof value !== 'string') return value;
  if (value.includes('PRIVATE KEY-----')) return MASK;
  // Of the database's URL only the password is a secret.
  return isSecret(path) && path !== 'databaseURL' ? MASK : withoutCredentials(value);
}

/** Variables of workloads are often passwords. */
function maskedEnv(env: unknown): unknown {
  if (typeof env !== 'object' || env === null) return MASK;
  return Object.fromEntries(Object.keys(env).map((name) => [name, MASK]));
}
