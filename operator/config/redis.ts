/** The Redis section with its rules: nothing said twice, certificates whole, files readable. */
import type { RedisSettings } from './config.ts';
import {
  halfCertificate,
  problemAt,
  unreadable,
  withPaths,
  type Files,
  type Finding,
  type Look,
} from './connection.ts';
import type { Problem } from './problems.ts';
import type { RedisAddress } from './redis-address.ts';
import { parseRedisAddress } from './redis-address.ts';
import type { Settings } from './schema.ts';
import type { Merged } from './tree.ts';
import { getAt } from './tree.ts';

/** Problems that the schema cannot see, whether or not the rest of the section is in order. */
export function redisProblems(merged: Merged, files: Files): readonly Problem[] {
  const given = (name: string) => getAt(merged.tree, ['redis', ...name.split('.')]);
  const addr = given('addr');
  const address = typeof addr === 'string' ? parseRedisAddress(addr) : undefined;
  const found = [
    ...(typeof address === 'object' ? saidTwice(address, given) : []),
    ...halfCertificate('redis', given),
    ...unreadable(given, files),
  ];
  return found.map(([name, fix]) => problemAt(`redis.${name}`, fix, merged));
}

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

/** Absent without an address. */
export function redisSettings(
  { addr, passwordFile, tls, ...rest }: Settings['redis'],
  files: Files,
): RedisSettings | undefined {
  return addr === undefined ? undefined : { ...rest, addr, ...withPaths({ passwordFile, tls }, files) };
}
