/** Where Redis is, when it is more than one server. */
import { describe, expect, it } from 'vitest';
import type { Config } from './config.ts';
import { shownSettings } from './shown.ts';
import { problemsOf, resolve, type Given } from './testing/resolving.ts';

const REDIS = { HIGHLANDER_REDIS_ADDR: 'redis:6379' };

function shown(config: Config, path: string): unknown {
  return shownSettings(config).find((each) => each.path === path)?.value;
}

describe('Redis of several servers', () => {
  it('finds Redis by Sentinels, with passwords of both', () => {
    const env = {
      HIGHLANDER_REDIS_SENTINEL_ADDRS: 'sentinel-0:26379, rediss://sentinel-1,[::1]:26379,',
      HIGHLANDER_REDIS_SENTINEL_MASTER_NAME: 'mymaster',
      HIGHLANDER_REDIS_SENTINEL_PASSWORD: 'geheim',
      HIGHLANDER_REDIS_PASSWORD_FILE: '~/password',
    };
    const config = resolve({ env });
    const addrs = ['sentinel-0:26379', 'rediss://sentinel-1', '[::1]:26379'];
    const sentinel = { addrs, masterName: 'mymaster', password: 'geheim' };
    expect(config).toMatchObject({ storageType: 'redis', redis: { sentinel, passwordFile: '/home/me/password' } });
    expect(config.redis).not.toHaveProperty('addr');
    expect(shown(config, 'redis.sentinel.password')).toBe('***');
    const file = {
      ...env,
      HIGHLANDER_REDIS_SENTINEL_PASSWORD: '',
      HIGHLANDER_REDIS_SENTINEL_PASSWORD_FILE: '~/password',
    };
    expect(resolve({ env: file }).redis?.sentinel).toEqual({
      addrs,
      masterName: 'mymaster',
      passwordFile: '/home/me/password',
    });
  });

  it.each([
    { yaml: 'redis: {cluster: {addrs: [redis-0, "redis-1:7000"]}}' },
    { env: { HIGHLANDER_REDIS_CLUSTER_ADDRS: 'redis-0,redis-1:7000' } },
    { flags: { 'redis-cluster-addrs': 'redis-0,redis-1:7000' } },
    { yaml: 'storageType: redis\nredis: {db: 0}', env: { HIGHLANDER_REDIS_CLUSTER_ADDRS: 'redis-0,redis-1:7000' } },
  ])('finds a Redis Cluster given %j', (given) => {
    const { storageType, redis } = resolve(given);
    expect(storageType).toBe('redis');
    expect(redis).toMatchObject({ cluster: { addrs: ['redis-0', 'redis-1:7000'] }, keyPrefix: '' });
    expect(redis).not.toHaveProperty('addr');
  });

  it.each([
    [{ HIGHLANDER_REDIS_SENTINEL_ADDRS: 'a', HIGHLANDER_REDIS_SENTINEL_MASTER_NAME: 'm' }, 'sentinel'],
    [{ HIGHLANDER_REDIS_CLUSTER_ADDRS: 'a' }, 'cluster'],
  ])('says so when nobody but one is to be asked: %j', (env, name) => {
    const notice = `redis.${name}.addrs lists only a: a master that has been replaced and does not know it may be trusted; list all servers`;
    expect(resolve({ env }).notices).toEqual([notice]);
    expect(resolve({ env: { ...env, HIGHLANDER_STORAGE_TYPE: 'sqlite' } }).notices).toEqual([]);
    const key = `HIGHLANDER_REDIS_${name.toUpperCase()}_ADDRS`;
    expect(resolve({ env: { ...env, [key]: 'a,b,c' } }).notices).toEqual([]);
  });

  const wrong: readonly [name: string, given: Given, messages: string | readonly string[]][] = [
    [
      'Redis address beside Sentinels',
      { env: { ...REDIS, HIGHLANDER_REDIS_SENTINEL_ADDRS: 'a', HIGHLANDER_REDIS_SENTINEL_MASTER_NAME: 'm' } },
      'redis.sentinel.addrs (environment HIGHLANDER_REDIS_SENTINEL_ADDRS) is set although redis.addr is set as well; keep one of the two',
    ],
    [
      'Redis address beside a cluster',
      { env: REDIS, yaml: 'redis: {cluster: {addrs: [a]}}' },
      'redis.cluster.addrs (config.yaml:1:26) is set although redis.addr is set as well; keep one of the two',
    ],
    [
      'Sentinels beside a cluster',
      { env: {}, yaml: 'redis: {sentinel: {masterName: m, addrs: [a]}, cluster: {addrs: [a]}}' },
      'redis.cluster.addrs (config.yaml:1:65) is set although redis.sentinel.addrs is set as well; keep one of the two',
    ],
    [
      'Sentinels without a name',
      { env: { HIGHLANDER_REDIS_SENTINEL_ADDRS: 'a,b,c' } },
      'redis.sentinel.masterName is not set: set it or HIGHLANDER_REDIS_SENTINEL_MASTER_NAME to the name after "sentinel monitor" in the Sentinels\' configuration, often mymaster',
    ],
    [
      'a name without Sentinels',
      { env: { ...REDIS, HIGHLANDER_REDIS_SENTINEL_MASTER_NAME: 'm' } },
      'redis.sentinel.addrs is not set: set it or HIGHLANDER_REDIS_SENTINEL_ADDRS to the host:port of every Sentinel, or leave out redis.sentinel',
    ],
    [
      'Sentinel addresses as text',
      { env: REDIS, yaml: 'redis: {sentinel: {addrs: "a,b"}}' },
      [
        'redis.sentinel.addrs: "a,b" (config.yaml:1:27) must be a list such as [redis-0:26379, redis-1:26379, redis-2:26379]',
        'redis.sentinel.addrs (config.yaml:1:27) is set although redis.addr is set as well; keep one of the two',
        'redis.sentinel.masterName is not set: set it or HIGHLANDER_REDIS_SENTINEL_MASTER_NAME to the name after "sentinel monitor" in the Sentinels\' configuration, often mymaster',
      ],
    ],
    [
      'a Sentinel with a password in its address',
      { env: { HIGHLANDER_REDIS_SENTINEL_ADDRS: 'a,redis://:geheim@b', HIGHLANDER_REDIS_SENTINEL_MASTER_NAME: 'm' } },
      'redis.sentinel.addrs.1: "redis://:***@b" (environment HIGHLANDER_REDIS_SENTINEL_ADDRS) must be host:port or rediss://host:port; user and password have their own settings',
    ],
    [
      'no node of a cluster',
      { env: { HIGHLANDER_STORAGE_TYPE: 'redis', HIGHLANDER_REDIS_CLUSTER_ADDRS: ',' } },
      'redis.cluster.addrs: a list (environment HIGHLANDER_REDIS_CLUSTER_ADDRS) must be a list of at least one address',
    ],
    [
      'a node twice',
      { env: { HIGHLANDER_REDIS_CLUSTER_ADDRS: 'a,b,a' } },
      'redis.cluster.addrs: a list (environment HIGHLANDER_REDIS_CLUSTER_ADDRS) must name each server once, but has a twice',
    ],
    [
      'a database of a cluster',
      { env: { HIGHLANDER_REDIS_CLUSTER_ADDRS: 'a', HIGHLANDER_REDIS_DB: '3' } },
      'redis.db (environment HIGHLANDER_REDIS_DB) is 3, but a Redis Cluster has only database 0; leave it out',
    ],
    [
      'two passwords of the Sentinels',
      {
        env: {
          HIGHLANDER_REDIS_SENTINEL_ADDRS: 'a',
          HIGHLANDER_REDIS_SENTINEL_MASTER_NAME: 'm',
          HIGHLANDER_REDIS_SENTINEL_PASSWORD: 'geheim',
          HIGHLANDER_REDIS_SENTINEL_PASSWORD_FILE: '~/password',
        },
      },
      'redis.sentinel.passwordFile (environment HIGHLANDER_REDIS_SENTINEL_PASSWORD_FILE) is set although a password is set as well; keep one of the two',
    ],
    [
      "the Sentinels' password is a number",
      { env: { HIGHLANDER_REDIS_SENTINEL_ADDRS: 'a' }, yaml: 'redis: {sentinel: {masterName: m, password: 1234}}' },
      'redis.sentinel.password: *** (config.yaml:1:45) must be a password, as text (in quotes)',
    ],
    [
      'a misspelt key of the Sentinels',
      { env: REDIS, yaml: 'redis: {sentinel: {adrs: [a]}}' },
      [
        'redis.sentinel.adrs (config.yaml:1:26) is not a known key; did you mean "redis.sentinel.addrs"?',
        'redis.sentinel.addrs is not set: set it or HIGHLANDER_REDIS_SENTINEL_ADDRS to the host:port of every Sentinel, or leave out redis.sentinel',
      ],
    ],
  ];

  it.each(wrong)('is refused with %s', (_, given, messages) => expect(problemsOf(given)).toEqual([messages].flat()));

  it.each(wrong)('shows no password: %s', (_, given) => expect(problemsOf(given).join()).not.toContain('geheim'));
});

describe('an address that is wrong', () => {
  it.each(['user:geheim@host', 'redis://:pa geheim@host:1:2', 'redis://u:geheim@h:1/x', 'http://:p@geheim#w@h'])(
    '%s: its password is not shown',
    (addr) => {
      const problems = problemsOf({ yaml: JSON.stringify({ redis: { addr } }) }).join();
      expect(problems).toContain('redis.addr');
      expect(problems).not.toContain('geheim');
    },
  );
});
