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
import { showValue, type Problem } from './problems.ts';
import type { RedisAddress } from './redis-address.ts';
import { parseRedisAddress } from './redis-address.ts';
import type { Settings } from './schema.ts';
import type { Merged, Tree } from './tree.ts';
import { getAt } from './tree.ts';

/** Ways to say where Redis is; one of them counts. */
const TOPOLOGIES = ['redis.addr', 'redis.sentinel.addrs', 'redis.cluster.addrs'] as const;

/** Which of the ways to name the servers are given: an address, Sentinels, a cluster. */
export function givenTopologies(tree: Tree): readonly string[] {
  return TOPOLOGIES.filter((path) => getAt(tree, path.split('.')) !== undefined);
}

/** Problems that the schema cannot see, whether or not the rest of the section is in order. */
export function redisProblems(merged: Merged, files: Files): readonly Problem[] {
  const given = lookIn('redis', merged);
  const sentinel = lookIn('redis.sentinel', merged);
  const addr = given('addr');
  const address = typeof addr === 'string' ? parseRedisAddress(addr.trim()) : undefined;
  const found = [
    ...(typeof address === 'object' ? saidTwice(address, given) : []),
    ...twoPasswords(typeof address === 'object' ? address.password : undefined, given),
    ...halfCertificate('redis', given),
    ...unreadable(given, files),
    ...topologyFindings(merged.tree, given),
  ];
  const ofSentinel = [...twoPasswords(undefined, sentinel), ...unreadable(sentinel, files)];
  return [
    ...found.map(([name, fix]) => problemAt(`redis.${name}`, fix, merged)),
    ...ofSentinel.map(([name, fix]) => problemAt(`redis.sentinel.${name}`, fix, merged)),
  ];
}

function lookIn(section: string, { tree }: Merged): Look {
  return (name) => getAt(tree, [...section.split('.'), ...name.split('.')]);
}

/** What is said in two places may be contradictory; it is not for us to choose. */
function* saidTwice(address: RedisAddress, given: Look): Generator<Finding> {
  for (const name of ['username', 'password', 'db'] as const) {
    if (address[name] !== undefined && given(name) !== undefined) {
      yield [name, 'is also part of the URL in redis.addr; keep one of the two'];
    }
  }
}

function* twoPasswords(ofAddress: string | undefined, given: Look): Generator<Finding> {
  if (given('passwordFile') !== undefined && (given('password') ?? ofAddress) !== undefined) {
    yield ['passwordFile', 'is set although a password is set as well; keep one of the two'];
  }
}

function* topologyFindings(tree: Tree, given: Look): Generator<Finding> {
  const [first, ...others] = givenTopologies(tree);
  for (const other of others)
    yield [other.replace('redis.', ''), `is set although ${first} is set as well; keep one of the two`];
  if (given('sentinel.addrs') !== undefined && given('sentinel.masterName') === undefined) {
    const fix = 'is not set: set it or HIGHLANDER_REDIS_SENTINEL_MASTER_NAME to the name after "sentinel monitor"';
    yield ['sentinel.masterName', `${fix} in the Sentinels' configuration, often mymaster`];
  }
  if (given('sentinel') !== undefined && given('sentinel.addrs') === undefined) {
    const fix = 'is not set: set it or HIGHLANDER_REDIS_SENTINEL_ADDRS to the host:port of every Sentinel';
    yield ['sentinel.addrs', `${fix}, or leave out redis.sentinel`];
  }
  const db = given('db');
  if (given('cluster.addrs') !== undefined && db !== undefined && db !== 0) {
    yield ['db', `is ${showValue('redis.db', db)}, but a Redis Cluster has only database 0; leave it out`];
  }
}

/** Absent when nothing says where Redis is. */
export function redisSettings(
  { addr, sentinel, cluster, passwordFile, tls, ...rest }: Settings['redis'],
  files: Files,
): RedisSettings | undefined {
  const { addrs, masterName, ...credentials } = sentinel;
  const where = {
    ...(addr === undefined ? {} : { addr }),
    ...(addrs && masterName !== undefined
      ? {
          sentinel: {
            ...credentials,
            ...withPaths({ passwordFile: credentials.passwordFile }, files),
            addrs,
            masterName,
          },
        }
      : {}),
    ...(cluster.addrs ? { cluster: { addrs: cluster.addrs } } : {}),
  };
  if (Object.keys(where).length === 0) return undefined;
  return { ...rest, ...where, ...withPaths({ passwordFile, tls }, files) };
}

/** Notices on Sentinels or nodes of which too few are listed; none unless Redis is the chosen store. */
export function redisNotices(redis: RedisSettings | undefined, storageType: string): readonly string[] {
  const [name, addrs] = redis?.sentinel ? ['sentinel', redis.sentinel.addrs] : ['cluster', redis?.cluster?.addrs];
  if (storageType !== 'redis' || addrs?.length !== 1) return [];
  const notice = `redis.${name}.addrs lists only ${addrs.join()}: a master that has been replaced and does not know it may be trusted; list all servers`;
  return [notice];
}
