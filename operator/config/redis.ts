/** The Redis section with its rules: nothing said twice, certificates whole, files readable. */
import { messageOf } from '../lib/errors.ts';
import type { RedisSettings } from './config.ts';
import type { Problem } from './problems.ts';
import type { RedisAddress } from './redis-address.ts';
import { parseRedisAddress } from './redis-address.ts';
import type { Settings } from './schema.ts';
import type { Merged } from './tree.ts';
import { getAt } from './tree.ts';

/** Reaches the files that settings name. */
export interface Files {
  /** Replaces a leading `~`. */
  expand(path: string): string;
  /** Text of a file; throws when it cannot be read. */
  read(path: string): string;
}

const FILE_SETTINGS = ['passwordFile', 'tls.ca', 'tls.cert', 'tls.key'];

/** Problems that the schema cannot see, whether or not the rest of the section is in order. */
export function redisProblems(merged: Merged, files: Files): readonly Problem[] {
  const given = (name: string) => getAt(merged.tree, ['redis', ...name.split('.')]);
  const addr = given('addr');
  const address = typeof addr === 'string' ? parseRedisAddress(addr) : undefined;
  const found = [
    ...(typeof address === 'object' ? saidTwice(address, given) : []),
    ...halfCertificate(given),
    ...unreadable(given, files),
  ];
  return found.map(([name, fix]) => problem(`redis.${name}`, fix, merged));
}

type Look = (name: string) => unknown;
type Finding = readonly [name: string, fix: string];

/** What is said in two places may be contradictory; it is not for us to choose. */
function* saidTwice(address: RedisAddress, given: Look): Generator<Finding> {
  for (const name of ['username', 'password', 'db'] as const) {
    if (address[name] !== undefined && given(name) !== undefined) {
      yield [name, 'is also part of the URL in redis.addr; keep one of the two'];
    }
  }
  const password = given('password') ?? address.password;
  if (given('passwordFile') !== undefined && password !== undefined) {
    yield ['passwordFile', 'is set although a password is given as well; keep one of the two'];
  }
}

function* halfCertificate(given: Look): Generator<Finding> {
  for (const [part, other] of [['tls.cert', 'tls.key'] as const, ['tls.key', 'tls.cert'] as const]) {
    if (given(part) !== undefined && given(other) === undefined) {
      yield [part, `needs redis.${other} as well: a client certificate consists of both`];
    }
  }
}

/** The driver reads the files anew for each connection; at start they must at least be there. */
function* unreadable(given: Look, files: Files): Generator<Finding> {
  for (const name of FILE_SETTINGS) {
    const value = given(name);
    if (typeof value !== 'string' || isPem(value)) continue;
    try {
      files.read(files.expand(value));
    } catch (error) {
      yield [name, `names a file that cannot be read: ${messageOf(error)}`];
    }
  }
}

/** Absent without an address. */
export function redisSettings(
  { addr, passwordFile, tls, ...rest }: Settings['redis'],
  files: Files,
): RedisSettings | undefined {
  if (addr === undefined) return undefined;
  const path = (value: string | undefined) => (value === undefined || isPem(value) ? value : files.expand(value));
  return {
    ...rest,
    addr,
    ...(passwordFile === undefined ? {} : { passwordFile: path(passwordFile) }),
    ...(tls === undefined ? {} : { tls: { ...tls, ca: path(tls.ca), cert: path(tls.cert), key: path(tls.key) } }),
  };
}

function isPem(value: string): boolean {
  return value.includes('-----BEGIN');
}

function problem(path: string, fix: string, { origins }: Merged): Problem {
  const where = origins.get(path)?.where;
  return { path, fix, ...(where === undefined ? {} : { where }) };
}
