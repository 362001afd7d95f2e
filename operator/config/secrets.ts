/** Which values of a configuration nobody may read: for the one redactor of logs, errors and `config print`. */
import { isSecretName } from '../lib/credentials.ts';
import type { Files } from './connection.ts';
import { isPem } from './connection.ts';
import { configKeys } from './keys.ts';
import { getAt, isTree } from './tree.ts';

/** A password may be part of these. */
const ADDRESSES = ['redis.addr', 'databaseURL'];
const FILES = configKeys.map(({ path }) => path).filter((path) => /(?:password|token)File$|tls\.key$/.test(path));

/** As they were written, and as they are meant; what a file holds now, where it can be read. `tree`: checked or not. */
export function secretsOf(tree: unknown, files: Files): readonly string[] {
  const textAt = (path: string): readonly string[] => {
    const value = getAt(tree, path.split('.'));
    return typeof value === 'string' ? [value] : typeof value === 'number' ? [String(value)] : [];
  };
  const given = configKeys.filter(({ path, secret }) => secret && !ADDRESSES.includes(path));
  return [
    ...given.flatMap(({ path }) => textAt(path)),
    ...ADDRESSES.flatMap(textAt).flatMap(passwordIn),
    ...FILES.flatMap(textAt).flatMap((value) => (isPem(value) ? [value] : contentOf(value, files))),
    ...variablesBelow(getAt(tree, ['workloads'])),
  ];
}

/** Whether or not it is an address: what is wrong with it is going to be said. */
function passwordIn(address: string): readonly string[] {
  const [from, to] = passwordSpan(address);
  const raw = address.slice(from, to);
  try {
    return [raw, decodeURIComponent(raw)];
  } catch {
    return [raw];
  }
}

/** Of whatever stands for a password in an address, which may be malformed: behind the user's colon, up to the last `@`. */
export function passwordSpan(address: string): readonly [from: number, to: number] {
  const scheme = address.indexOf('//');
  const colon = address.indexOf(':', scheme < 0 ? 0 : scheme);
  const end = address.lastIndexOf('@');
  return colon < 0 || end <= colon ? [0, 0] : [colon + 1, end];
}

/** Whether the setting at `path` is an address, whose password alone is secret. */
export function isAddress(path: string): boolean {
  return ADDRESSES.includes(path);
}

function contentOf(path: string, files: Files): readonly string[] {
  try {
    return [files.read(files.expand(path)) ?? ''];
  } catch {
    return [];
  }
}

const MOST_VARIABLES = 1000;

/** Values of variables that are named like secrets, of all workloads in the file. */
function variablesBelow(tree: unknown, depth = 0): readonly string[] {
  if (depth > 8 || typeof tree !== 'object' || tree === null) return [];
  const found = Object.entries(tree).flatMap(([name, value]): readonly string[] => {
    if (name === 'env' && isTree(value)) return namedSecrets(value);
    return variablesBelow(value, depth + 1);
  });
  return found.slice(0, MOST_VARIABLES);
}

function namedSecrets(env: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    isSecretName(name) && typeof value === 'string' ? [value] : [],
  );
}
