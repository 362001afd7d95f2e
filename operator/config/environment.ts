/** Environment variables and flags to leaves: text becomes numbers and truth values where the setting is one. */
import { nearest } from '../lib/edit-distance.ts';
import type { ConfigKey, KeyKind } from './keys.ts';
import { configKeys } from './keys.ts';
import type { Leaf, Rank } from './tree.ts';

/** Environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;
/** Flags by name, without dashes. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** The settings from one source, and notices about them. */
export interface Layer {
  readonly leaves: readonly Leaf[];
  readonly notices: readonly string[];
}

/** An empty variable counts as not set. */
export function fromEnvironment(environment: Environment): Layer {
  const notices = [...misspelt(environment)];
  const leaves = configKeys.flatMap((key): readonly Leaf[] => {
    const name = key.env.find((candidate) => (environment[candidate] ?? '') !== '');
    if (name === undefined) return [];
    const value = environment[name] ?? '';
    if (isServiceLink(name, value)) {
      notices.push(`${name}=${value} was set by Kubernetes for a Service named "highlander" and is ignored`);
      return [];
    }
    return [leaf(key, value, 'environment', `environment ${name}`)];
  });
  return { leaves, notices };
}

/** Flags as `parseArgs` returns them, by name without dashes. Names that are no setting are the caller's. */
export function fromFlags(flags: Flags): readonly Leaf[] {
  return configKeys.flatMap((key): readonly Leaf[] => {
    const value = key.flag === undefined ? undefined : flags[key.flag];
    return value === undefined || value === '' ? [] : [leaf(key, value, 'flag', `flag --${key.flag}`)];
  });
}

function leaf(key: ConfigKey, value: string | boolean, rank: Rank, where: string): Leaf {
  return {
    path: key.path.split('.'),
    value: typeof value === 'string' ? typed(key.kind, value) : value,
    origin: { rank, where },
  };
}

/** What cannot be read as `kind` stays text, so that the schema can show it. */
function typed(kind: KeyKind, text: string): unknown {
  const trimmed = text.trim();
  if (kind === 'integer' && /^-?\d+$/.test(trimmed)) return Number(trimmed);
  if (kind === 'boolean' && /^(true|1)$/i.test(trimmed)) return true;
  if (kind === 'boolean' && /^(false|0)$/i.test(trimmed)) return false;
  if (kind === 'list') return text.split(',').flatMap((part) => part.trim() || []);
  return kind === 'duration' ? trimmed : text;
}

/** Kubernetes puts `<NAME>_PORT=tcp://…` into every pod beside a Service, and ours is likely to be called highlander. */
function isServiceLink(name: string, value: string): boolean {
  return name === 'HIGHLANDER_PORT' && /^(tcp|udp|sctp):\/\//.test(value);
}

function* misspelt(environment: Environment): Generator<string> {
  const known = configKeys.flatMap(({ env }) => env);
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('HIGHLANDER_') || known.includes(name)) continue;
    const meant = nearest(name, known);
    if (meant !== undefined) yield `${name} is not a known variable; did you mean ${meant}?`;
  }
}
