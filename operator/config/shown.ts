/** The settings as people may see them: each with its value and where that came from, without secrets. */
import type { Config } from './config.ts';
import { isSecretName, MASK } from '../lib/credentials.ts';
import type { Redact } from '../lib/redactor.ts';
import { newRedactor } from '../lib/redactor.ts';
import { isSecret } from './keys.ts';
import { isAddress } from './secrets.ts';

/** One setting as `config print` shows it. */
export interface Shown {
  /** Dotted path in the file. */
  readonly path: string;
  /** As the file would have it; undefined: not set. */
  readonly value: unknown;
  /** `default`, `environment HIGHLANDER_PORT`, `config.yaml:3:7`. */
  readonly origin: string;
}

/** In the order of the reference. */
export function shownSettings({ settings, secrets }: Pick<Config, 'settings' | 'secrets'>): readonly Shown[] {
  const redact = newRedactor(secrets);
  return settings.map(({ path, value, origin }) => ({ path, value: shown(path, value, redact), origin }));
}

function shown(path: string, value: unknown, redact: Redact): unknown {
  if (Array.isArray(value)) return value.map((item: unknown, index) => shownItem(path, item, value[index - 1], redact));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shownField(path, key, inner, redact)]));
  if (typeof value !== 'string') return value;
  // Of an address only the password is a secret.
  return isSecret(path) && !isAddress(path) ? MASK : redact(value);
}

/** What stands behind a flag such as `--password` in a list of arguments. */
function shownItem(path: string, item: unknown, before: unknown, redact: Redact): unknown {
  const isValueOfFlag =
    typeof before === 'string' && /^--?\w/.test(before) && !/[=\s]/.test(before) && isSecretName(before);
  return isValueOfFlag && typeof item === 'string' ? MASK : shown(path, item, redact);
}

function shownField(path: string, key: string, value: unknown, redact: Redact): unknown {
  if (key === 'env') return maskedEnv(value);
  return typeof value === 'string' && isSecretName(key) ? MASK : shown(path, value, redact);
}

/** Variables of workloads are often passwords. */
function maskedEnv(env: unknown): unknown {
  if (typeof env !== 'object' || env === null) return MASK;
  return Object.fromEntries(Object.keys(env).map((name) => [name, MASK]));
}
