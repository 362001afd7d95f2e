import { describe, expect, it } from 'vitest';
import type { Config } from './config.ts';
import { shownSettings } from './shown.ts';
import { problemsOf, resolve, type Given } from './testing/resolving.ts';

const DATABASE = { HIGHLANDER_DATABASE_URL: 'postgres://me@db/x' };
const REDIS = { HIGHLANDER_REDIS_ADDR: 'redis:6379' };

function shown(config: Config, path: string): unknown {
  return shownSettings(config).find((each) => each.path === path)?.value;
}

describe('a configuration', () => {
  it('has the defaults of the docs', () => {
    expect(resolve({ env: REDIS })).toMatchObject({
      id: 'host-1',
      tenant: 'default',
      port: 8080,
      namespace: 'default',
      remainsFollower: false,
      storageType: 'redis',
      redis: { addr: 'redis:6379', keyPrefix: '' },
      cluster: { name: 'default' },
      terminationGracePeriodMs: 29_000,
      lease: { ttlMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2000 },
      logLevel: 'info',
      logFormat: 'json',
      podDefaults: 'kubernetes',
      workers: 16,
      notices: [],
    });
  });

  it('takes flags before the environment before the file, value by value', () => {
    const config = resolve({
      yaml: 'tenant: file\nnamespace: file\nport: 1\nredis: {addr: "file:1", db: 3}',
      env: { HIGHLANDER_NAMESPACE: 'environment', HIGHLANDER_PORT: '2' },
      flags: { port: '3' },
    });
    expect(config).toMatchObject({
      tenant: 'file',
      namespace: 'environment',
      port: 3,
      redis: { addr: 'file:1', db: 3 },
    });
    expect(Object.fromEntries(config.settings.map(({ path, origin }) => [path, origin]))).toMatchObject({
      tenant: 'config.yaml:1:9',
      namespace: 'environment HIGHLANDER_NAMESPACE',
      port: 'flag --port',
      'redis.db': 'config.yaml:4:29',
      podDefaults: 'default',
      workers: 'default',
    });
  });

  it.each([
    ['none by default', {}, []],
    ['the one that is configured', { yaml: 'namespace: apps' }, ['apps']],
    ['the one of the environment', { env: { HIGHLANDER_NAMESPACE: 'default' } }, ['default']],
    ['those that are watched', { yaml: 'namespace: apps\nwatchNamespaces: [jobs]' }, ['jobs']],
  ] as const)('counts as namespaces of the tenant: %s', (_sentence, given: Given, expected) => {
    expect(resolve({ ...given, env: { ...REDIS, ...given.env } }).ownNamespaces).toEqual(expected);
  });

  it('counts empty values as not set', () => {
    const config = resolve({
      yaml: 'id: ""\nport:\nredis:\n  addr: r\n',
      env: { HIGHLANDER_TENANT: '' },
      flags: { 'log-level': '' },
    });
    expect(config).toMatchObject({ id: 'host-1', port: 8080, tenant: 'default', logLevel: 'info' });
  });

  it.each([
    ['redis', { env: REDIS }, {}],
    ['redis', { env: { HIGHLANDER_STORAGE_TYPE: 'redis' } }, { redis: { addr: 'localhost:6379' } }],
    ['kubernetes', { on: { inCluster: true } }, { redis: undefined }],
    ['kubernetes', { env: { KUBECONFIG: '/k' } }, { cluster: { kubeconfig: '/k' } }],
    [
      'sqlite',
      { on: { homeKubeconfig: '/home/me/.kube/config' } },
      {
        cluster: { kubeconfig: '/home/me/.kube/config' },
        sqlite: { path: '/home/me/.local/state/highlander/highlander.db' },
        notices: [
          expect.stringMatching(/^the lease is kept in the file .*, which only controllers on this machine can use/),
        ],
      },
    ],
    [
      'sqlite',
      { env: { HIGHLANDER_STORAGE_TYPE: 'sqlite', HIGHLANDER_SQLITE_PATH: '~/x' } },
      { sqlite: { path: '/home/me/x' }, notices: [] },
    ],
    ['kubernetes', { on: { inCluster: true, homeKubeconfig: '/k' } }, {}],
    ['kubernetes', { flags: { kubeconfig: '/k' }, on: { homeKubeconfig: '/other' } }, { notices: [] }],
    ['db', { env: DATABASE, on: { inCluster: true } }, { db: { url: 'postgres://me@db/x', maxConnections: 4 } }],
    ['redis', { env: { ...DATABASE, ...REDIS } }, {}],
    [
      'kubernetes',
      { env: { HIGHLANDER_KUBECONFIG: '~/k', KUBECONFIG: '/other' } },
      { cluster: { kubeconfig: '/home/me/k' } },
    ],
  ])('keeps the lease in %s given %j', (storageType, given, more) => {
    expect(resolve(given)).toMatchObject({ storageType, ...more });
  });

  it('uses the service account in a cluster although a kubeconfig lies in the home directory', () => {
    expect(resolve({ on: { inCluster: true, homeKubeconfig: '/k' } }).cluster.kubeconfig).toBeUndefined();
  });

  it.each([
    'redis',
    'redis-0.svc:1',
    '[::1]:7000',
    'redis://10.0.0.1/2',
    'rediss://me:p%40ss@h:1',
    'redis://:only@[::1]:2',
  ])('takes the Redis address %s', (addr) =>
    expect(resolve({ env: { HIGHLANDER_REDIS_ADDR: addr } }).redis).toEqual({ addr, keyPrefix: '' }),
  );

  it('names the files of passwords and certificates for the driver, and takes PEM text as it is', () => {
    const env = {
      HIGHLANDER_REDIS_ADDR: 'rediss://me@redis',
      HIGHLANDER_REDIS_PASSWORD_FILE: '~/password',
      HIGHLANDER_REDIS_TLS_CA: '/pem/ca',
      HIGHLANDER_REDIS_TLS_CERT: '/pem/ca',
      HIGHLANDER_REDIS_TLS_KEY: '-----BEGIN PRIVATE KEY-----',
      HIGHLANDER_REDIS_TLS_SERVER_NAME: 'redis.internal',
    };
    const config = resolve({ env });
    const tls = { ca: '/pem/ca', cert: '/pem/ca', key: '-----BEGIN PRIVATE KEY-----', serverName: 'redis.internal' };
    expect(config.redis).toEqual({ addr: 'rediss://me@redis', passwordFile: '/home/me/password', keyPrefix: '', tls });
    expect(shown(config, 'redis.tls.key')).toBe('***');
  });

  it('finds the Spanner emulator where its other clients do, and says that it is one', () => {
    const env = {
      HIGHLANDER_STORAGE_TYPE: 'spanner',
      HIGHLANDER_SPANNER_PROJECT_ID: 'example.com:my-project',
      SPANNER_EMULATOR_HOST: 'localhost:9010',
    };
    expect(resolve({ env })).toMatchObject({
      spanner: {
        projectID: 'example.com:my-project',
        instanceID: 'highlander-instance',
        databaseID: 'highlander-db',
        emulatorHost: 'localhost:9010',
      },
      notices: ['the lease is kept in a Spanner emulator at localhost:9010, which loses its data when it ends'],
    });
    expect(resolve({ env: { ...env, HIGHLANDER_SPANNER_EMULATOR_HOST: '[::1]:1' } }).spanner?.emulatorHost).toBe(
      '[::1]:1',
    );
    expect(resolve({ env: { ...REDIS, SPANNER_EMULATOR_HOST: 'localhost:9010' } }).notices).toEqual([]);
  });

  it('masks the passwords of the Redis server', () => {
    const config = resolve({ env: { HIGHLANDER_REDIS_ADDR: 'redis://me:geheim@redis:1' } });
    expect(shown(config, 'redis.addr')).toBe('redis://me:***@redis:1');
    expect(shown(resolve({ env: { ...REDIS, HIGHLANDER_REDIS_PASSWORD: 'geheim' } }), 'redis.password')).toBe('***');
  });

  it('has a database with files, certificates and a limit', () => {
    const env = {
      ...DATABASE,
      HIGHLANDER_DB_PASSWORD_FILE: '~/password',
      HIGHLANDER_DB_TLS_CA: '/pem/ca',
      HIGHLANDER_DB_TLS_CERT: '/pem/ca',
      HIGHLANDER_DB_TLS_KEY: '-----BEGIN PRIVATE KEY-----',
      HIGHLANDER_DB_TLS_SERVER_NAME: 'db.internal',
      HIGHLANDER_DB_POOL_MAX: '2',
    };
    const config = resolve({ env });
    const tls = { ca: '/pem/ca', cert: '/pem/ca', key: '-----BEGIN PRIVATE KEY-----', serverName: 'db.internal' };
    expect(config.db).toEqual({ url: 'postgres://me@db/x', passwordFile: '/home/me/password', tls, maxConnections: 2 });
    expect(shown(config, 'db.tls.key')).toBe('***');
  });

  it.each([
    'postgresql://u:p%40%2F@10.0.0.1:6432/d',
    'postgres://u@[::1]',
    'postgres://u@h/d?sslmode=verify-full',
    'postgres://u@localhost/d?host=/cloudsql/p:r:i',
  ])('takes the database URL %s', (url) =>
    expect(resolve({ env: { HIGHLANDER_DATABASE_URL: url } }).db).toEqual({ url, maxConnections: 4 }),
  );

  it('masks the password of the database URL', () => {
    const config = resolve({ env: { ...REDIS, HIGHLANDER_DATABASE_URL: 'postgres://me:se%2Fcr%40et@db/x' } });
    expect(shown(config, 'databaseURL')).toBe('postgres://me:***@db/x');
  });

  it('knows the names of lease settings that the docs of the original promise', () => {
    const env = {
      ...REDIS,
      HIGHLANDER_LEADER_LOCK_TTL: '30s',
      HIGHLANDER_LEADER_RENEW_INTERVAL: '1s',
      HIGHLANDER_LEASE_RENEW_DEADLINE: '1m',
    };
    expect(resolve({ env: { ...env, HIGHLANDER_LEASE_TTL: '1h' } }).lease).toEqual({
      ttlMs: 3_600_000,
      renewDeadlineMs: 60_000,
      retryPeriodMs: 1000,
    });
  });

  it('says what was ignored or is probably a slip', () => {
    const config = resolve({
      yaml: 'workloads: {processes: [{name: a}]}',
      env: { ...REDIS, HIGHLANDER_PORT: 'tcp://10.1.2.3:8080', HIGHLANDER_TENNANT: 'x', HIGHLANDER_SERVICE_HOST: 'y' },
    });
    expect(config.port).toBe(8080);
    expect(config.notices).toEqual([
      'HIGHLANDER_TENNANT is not a known variable; did you mean HIGHLANDER_TENANT?',
      'HIGHLANDER_PORT=tcp://10.1.2.3:8080 was set by Kubernetes for a Service named "highlander" and is ignored',
      'workloads.processes[0] (a) has no image and is not applied',
    ]);
  });

  it('reports everything that is wrong at once', () => {
    const yaml = 'tenant: A B\nprot: 1\nredis:\n  adr: x\nlease: {ttl: 5s}\nlogLevel: loud';
    expect(problemsOf({ yaml, env: { HIGHLANDER_PORT: 'web' } })).toHaveLength(7);
  });
});

const DATABASE_RULE =
  'must be a URL such as postgres://user:password@host:5432/database (special characters of the password as %xx)';

describe('a wrong configuration', () => {
  const wrong: readonly [name: string, given: Given, message: string][] = [
    [
      'port is text',
      { env: { ...REDIS, HIGHLANDER_PORT: 'web' } },
      'port: "web" (environment HIGHLANDER_PORT) must be a whole number from 0 to 65535, for example 8080',
    ],
    [
      'port too high',
      { env: REDIS, flags: { port: '65536' } },
      'port: 65536 (flag --port) must be a whole number from 0 to 65535, for example 8080',
    ],
    [
      'port negative',
      { env: { ...REDIS, HIGHLANDER_PORT: '-1' } },
      'port: -1 (environment HIGHLANDER_PORT) must be a whole number from 0 to 65535, for example 8080',
    ],
    [
      'port with a fraction',
      { env: REDIS, yaml: 'port: 80.5' },
      'port: 80.5 (config.yaml:1:7) must be a whole number from 0 to 65535, for example 8080',
    ],
    [
      'port is a section',
      { env: REDIS, yaml: 'port: {http: 1}' },
      'port: a map (config.yaml:1:14) must be a whole number from 0 to 65535, for example 8080',
    ],
    [
      'tenant in capitals',
      { env: { ...REDIS, HIGHLANDER_TENANT: 'TeamA' } },
      'tenant: "TeamA" (environment HIGHLANDER_TENANT) must be a name of at most 63 lower-case letters, digits and "-", for example "team-a"',
    ],
    [
      'tenant too long',
      { env: { ...REDIS, HIGHLANDER_TENANT: 'a'.repeat(64) } },
      `tenant: "${'a'.repeat(64)}" (environment HIGHLANDER_TENANT) must be a name of at most 63 lower-case letters, digits and "-", for example "team-a"`,
    ],
    [
      'tenant is a number',
      { env: REDIS, yaml: 'tenant: 42' },
      'tenant: 42 (config.yaml:1:9) must be a name of at most 63 lower-case letters, digits and "-", for example "team-a" (as text, in quotes)',
    ],
    ['id is a number', { env: REDIS, yaml: 'id: 42' }, 'id: 42 (config.yaml:1:5) must be a name, as text (in quotes)'],
    [
      'namespace with a slash',
      { env: REDIS, yaml: 'namespace: a/b' },
      'namespace: "a/b" (config.yaml:1:12) must be a name of at most 63 lower-case letters, digits and "-", for example "default"',
    ],
    [
      'remainsFollower is a word',
      { env: { ...REDIS, HIGHLANDER_REMAINS_FOLLOWER: 'maybe' } },
      'remainsFollower: "maybe" (environment HIGHLANDER_REMAINS_FOLLOWER) must be true or false',
    ],
    [
      'no store',
      {},
      'storageType is not set and cannot be derived: set redis.addr (HIGHLANDER_REDIS_ADDR) to use Redis, databaseURL (HIGHLANDER_DATABASE_URL) to use PostgreSQL, or cluster.kubeconfig (HIGHLANDER_KUBECONFIG) to keep the lease in the cluster',
    ],
    [
      'unknown store',
      { env: { HIGHLANDER_STORAGE_TYPE: 'etcd' } },
      'storageType: "etcd" (environment HIGHLANDER_STORAGE_TYPE) must be one of redis, kubernetes, db, spanner, sqlite',
    ],
    [
      'Spanner without a project',
      { env: { HIGHLANDER_STORAGE_TYPE: 'spanner' } },
      'spanner.projectID is not set, but storageType is spanner (environment HIGHLANDER_STORAGE_TYPE): set it or HIGHLANDER_SPANNER_PROJECT_ID to the project of the instance',
    ],
    [
      'Spanner instance as a path',
      { env: { ...REDIS, HIGHLANDER_SPANNER_INSTANCE_ID: 'projects/p/instances/i' } },
      'spanner.instanceID: "projects/p/instances/i" (environment HIGHLANDER_SPANNER_INSTANCE_ID) must be the ID of a Spanner instance, for example "highlander-instance"',
    ],
    [
      'Spanner project in capitals',
      { env: REDIS, yaml: 'spanner: {projectID: MyProject}' },
      'spanner.projectID: "MyProject" (config.yaml:1:22) must be the ID of a Google Cloud project, for example "my-project"',
    ],
    [
      'Spanner database as a number',
      { env: REDIS, yaml: 'spanner: {databaseID: 7}' },
      'spanner.databaseID: 7 (config.yaml:1:23) must be the ID of a Spanner database, for example "highlander-db"',
    ],
    [
      'Spanner emulator as a URL',
      { env: { ...REDIS, SPANNER_EMULATOR_HOST: 'http://localhost:9010' } },
      'spanner.emulatorHost: "http://localhost:9010" (environment SPANNER_EMULATOR_HOST) must be host:port, for example "localhost:9010"',
    ],
    [
      'misspelt key',
      { env: REDIS, yaml: 'tenent: a' },
      'tenent (config.yaml:1:9) is not a known key; did you mean "tenant"?',
    ],
    [
      'misspelt key of a section',
      { env: REDIS, yaml: 'redis:\n  pasword: geheim' },
      'redis.pasword (config.yaml:2:12) is not a known key; did you mean "redis.password"?',
    ],
    [
      'key of another section',
      { env: REDIS, yaml: 'keyPrefix: a' },
      'keyPrefix (config.yaml:1:12) is not a known key; did you mean "redis.keyPrefix"?',
    ],
    [
      'key in another case',
      { env: REDIS, yaml: 'cluster: {KubeConfig: a}' },
      'cluster.KubeConfig (config.yaml:1:23) is not a known key; did you mean "cluster.kubeconfig"?',
    ],
    [
      'key like nothing',
      { env: REDIS, yaml: 'redis: {somethingElse: 1}' },
      'redis.somethingElse (config.yaml:1:24) is not a known key; known keys in "redis": addr, sentinel, cluster, username, password, passwordFile, db, keyPrefix, natMap, tls',
    ],
    [
      'key named __proto__',
      { env: REDIS, yaml: '__proto__: {port: 1}' },
      '__proto__ (config.yaml:1:19) is not a known key; known keys at the top level: id, tenant, port, namespace, watchNamespaces, remainsFollower, storageType, redis, databaseURL, db, sqlite, spanner, cluster, workloads, terminationGracePeriod, maxGracePeriod, lease, failover, api, logLevel, logFormat, podDefaults, workers',
    ],
    [
      'unknown key without a value',
      { env: REDIS, yaml: 'leese: {}' },
      'leese (config.yaml:1:8) is not a known key; did you mean "lease"?',
    ],
    [
      'section is text',
      { env: {}, yaml: 'redis: localhost', on: { inCluster: true } },
      'redis: "localhost" (config.yaml:1:8) must be a section with keys',
    ],
    [
      'Redis address with a path',
      { env: { HIGHLANDER_REDIS_ADDR: 'redis:6379/0' } },
      'redis.addr: "redis:6379/0" (environment HIGHLANDER_REDIS_ADDR) must be host:port (6379 when no port is given) or a URL such as redis://user:password@host:6379/0',
    ],
    [
      'Redis address of another protocol',
      { env: { HIGHLANDER_REDIS_ADDR: 'http://me:geheim@redis' } },
      'redis.addr: "http://me:***@redis" (environment HIGHLANDER_REDIS_ADDR) must be host:port (6379 when no port is given) or a URL such as redis://user:password@host:6379/0',
    ],
    [
      'Redis port too high',
      { env: { HIGHLANDER_REDIS_ADDR: 'redis:70000' } },
      'redis.addr: "redis:70000" (environment HIGHLANDER_REDIS_ADDR) must be host:port (6379 when no port is given) or a URL such as redis://user:password@host:6379/0',
    ],
    [
      'Redis password is a number',
      { env: REDIS, yaml: 'redis: {password: 1234}' },
      'redis.password: *** (config.yaml:1:19) must be a password, as text (in quotes)',
    ],
    [
      'Redis database is text',
      { env: { ...REDIS, HIGHLANDER_REDIS_DB: 'one' } },
      'redis.db: "one" (environment HIGHLANDER_REDIS_DB) must be a whole number from 0 to 65535, for example 0',
    ],
    [
      'two Redis passwords',
      { env: { HIGHLANDER_REDIS_ADDR: 'redis://:geheim@r', HIGHLANDER_REDIS_PASSWORD: 'geheim' } },
      'redis.password (environment HIGHLANDER_REDIS_PASSWORD) is also part of the URL in redis.addr; keep one of the two',
    ],
    [
      'password and password file',
      { env: { ...REDIS, HIGHLANDER_REDIS_PASSWORD: 'geheim', HIGHLANDER_REDIS_PASSWORD_FILE: '~/password' } },
      'redis.passwordFile (environment HIGHLANDER_REDIS_PASSWORD_FILE) is set although a password is set as well; keep one of the two',
    ],
    [
      'missing password file',
      { env: { ...REDIS, HIGHLANDER_REDIS_PASSWORD_FILE: '/none' } },
      "redis.passwordFile (environment HIGHLANDER_REDIS_PASSWORD_FILE) names a file that cannot be read: ENOENT: no such file, open '/none'",
    ],
    [
      'certificate without key',
      { env: REDIS, yaml: 'redis: {tls: {cert: /pem/ca}}' },
      'redis.tls.cert (config.yaml:1:21) needs redis.tls.key as well: a client certificate consists of both',
    ],
    [
      'database without a URL',
      { env: { HIGHLANDER_STORAGE_TYPE: 'db' } },
      'databaseURL is not set, but storageType is db (environment HIGHLANDER_STORAGE_TYPE): set it or HIGHLANDER_DATABASE_URL to a URL such as postgres://user:password@host:5432/database',
    ],
    ...(
      [
        [
          'database of another kind',
          'mysql://me:geheim@db/x',
          'is the URL of another database: storageType db is PostgreSQL',
        ],
        ['database URL with a raw password', 'postgres://me:ge/he@im:geheim@db/x', DATABASE_RULE],
        [
          'database URL with a stray %',
          'postgres://me:geheim%@db/x',
          `${DATABASE_RULE}: a "%" in it is not followed by two hexadecimal digits, write %25`,
        ],
        [
          'database URL with two hosts',
          'postgres://me:geheim@db1,db2/x',
          `${DATABASE_RULE} with one host: the primary's, or that of a proxy that follows it`,
        ],
        [
          'database URL without a user',
          'postgres://db/x',
          'must name the user: postgres://user:password@host:5432/database, or postgres://user@/database?host=/var/run/postgresql',
        ],
        [
          'database URL that may fall back',
          'postgres://me:geheim@db/x?sslmode=prefer',
          'has an sslmode that may fall back to an unencrypted connection: use one of disable, require, verify-ca, verify-full',
        ],
        [
          'database URL with a parameter',
          'postgres://me:geheim@db/x?sslrootcert=/ca',
          'has the parameter "sslrootcert", which is not supported: set db.tls.ca (HIGHLANDER_DB_TLS_CA) and leave it out',
        ],
        [
          'database URL with another host',
          'postgres://me:geheim@db/x?host=other',
          'has a parameter "host" that is not the folder of a Unix socket',
        ],
      ] as const
    ).map(([name, url, rule]): [string, Given, string] => [
      name,
      { env: { HIGHLANDER_DATABASE_URL: url } },
      `databaseURL: *** (environment HIGHLANDER_DATABASE_URL) ${rule}`,
    ]),
    [
      'two database passwords',
      { env: { HIGHLANDER_DATABASE_URL: 'postgres://me:geheim@db/x', HIGHLANDER_DB_PASSWORD_FILE: '~/password' } },
      'db.passwordFile (environment HIGHLANDER_DB_PASSWORD_FILE) is set although databaseURL holds a password; keep one of the two',
    ],
    [
      'missing database password file',
      { env: { ...DATABASE, HIGHLANDER_DB_PASSWORD_FILE: '/none' } },
      "db.passwordFile (environment HIGHLANDER_DB_PASSWORD_FILE) names a file that cannot be read: ENOENT: no such file, open '/none'",
    ],
    [
      'database key without certificate',
      { env: DATABASE, yaml: 'db: {tls: {key: /pem/key}}' },
      'db.tls.key (config.yaml:1:17) needs db.tls.cert as well: a client certificate consists of both',
    ],
    [
      'TLS that is off and on',
      { env: { HIGHLANDER_DATABASE_URL: 'postgres://me@db/x?sslmode=disable' }, yaml: 'db: {tls: {ca: /pem/ca}}' },
      'db.tls is set although databaseURL has sslmode=disable; keep one of the two',
    ],
    [
      'too many connections',
      { env: { ...DATABASE, HIGHLANDER_DB_POOL_MAX: '1000' } },
      'db.pool.max: 1000 (environment HIGHLANDER_DB_POOL_MAX) must be a whole number from 1 to 100, for example 4',
    ],
    [
      'SQLite file is a number',
      { env: REDIS, yaml: 'sqlite: {path: 1}' },
      'sqlite.path: 1 (config.yaml:1:16) must be the path of a file, as text (in quotes)',
    ],
    [
      'duration without unit',
      { env: REDIS, yaml: 'lease: {ttl: 15}' },
      'lease.ttl: 15 (config.yaml:1:14) must be a duration longer than 0 with a unit, for example 15s',
    ],
    [
      'duration without unit in the environment',
      { env: { ...REDIS, HIGHLANDER_LEASE_TTL: '15' } },
      'lease.ttl: "15" (environment HIGHLANDER_LEASE_TTL) must be a duration longer than 0 with a unit, for example 15s ("15" has no unit: write "15s" for seconds)',
    ],
    [
      'duration of nothing',
      { env: REDIS, yaml: 'terminationGracePeriod: 0s' },
      'terminationGracePeriod: "0s" (config.yaml:1:25) must be a duration longer than 0 with a unit, for example 29s',
    ],
    [
      'duration beyond all bounds',
      { env: REDIS, yaml: 'lease: {ttl: 99999999999h}' },
      'lease.ttl: "99999999999h" (config.yaml:1:14) must be at most 8760h, a year',
    ],
    [
      'duration in ISO form',
      { env: REDIS, yaml: 'lease: {retryPeriod: PT2S}' },
      'lease.retryPeriod: "PT2S" (config.yaml:1:22) must be a duration longer than 0 with a unit, for example 2s ("PT2S" is not a duration; examples: 300ms, 15s, 1h30m)',
    ],
    [
      'retries too rare',
      { env: REDIS, yaml: 'lease: {retryPeriod: 9s}' },
      'lease (config.yaml:1:22) is invalid: retryPeriod × 1.2 (10800 ms) must be shorter than renewDeadline (10000 ms): one lost renewal would end the lease',
    ],
    [
      'renew deadline too near the end',
      { env: REDIS, yaml: 'lease: {renewDeadline: 14s}' },
      'lease (config.yaml:1:24) is invalid: renewDeadline (14000 ms) must be shorter than ttl less 1 % and a margin of 1000 ms (13850 ms): the holder must stop before anybody else may start',
    ],
    [
      'API deadline shorter than two looks',
      { env: REDIS, yaml: 'failover: {apiDeadline: 3s}' },
      'failover.apiDeadline (config.yaml:1:25) is 3000 ms and must be longer than lease.retryPeriod × 2 (4000 ms)',
    ],
    [
      'takeover of an unknown kind',
      { env: REDIS, yaml: 'failover: {takeover: fast}' },
      'failover.takeover: "fast" (config.yaml:1:22) must be one of bounded, strict',
    ],
    [
      'short token',
      { env: REDIS, yaml: 'api: {token: secret}' },
      'api.token: *** (config.yaml:1:14) must be a token of at least 16 characters',
    ],
    [
      'token file that is not there',
      { env: REDIS, yaml: 'api: {tokenFile: /no/such}' },
      "api.tokenFile (config.yaml:1:18) names a file that cannot be read: ENOENT: no such file, open '/no/such'",
    ],
    [
      'log level',
      { env: { ...REDIS, HIGHLANDER_LOG_LEVEL: 'trace' } },
      'logLevel: "trace" (environment HIGHLANDER_LOG_LEVEL) must be one of debug, info, warn, error',
    ],
    [
      'log format',
      { env: REDIS, flags: { 'log-format': 'xml' } },
      'logFormat: "xml" (flag --log-format) must be one of json, text',
    ],
    [
      'workers',
      { env: REDIS, yaml: 'workers: 0' },
      'workers: 0 (config.yaml:1:10) must be a whole number from 1 to 1000, for example 16',
    ],
    [
      'workloads are no list',
      { env: REDIS, yaml: 'workloads: {processes: x}' },
      'workloads.processes: "x" (config.yaml:1:24) must be a list of workloads',
    ],
    [
      'YAML is broken',
      { env: REDIS, yaml: 'a: 1\nb: [1, 2' },
      'config.yaml:2:9 is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    [
      'key is there twice',
      { env: REDIS, yaml: 'port: 1\nport: 2' },
      'config.yaml:2:1 is not valid YAML: Map keys must be unique',
    ],
    ['file is a list', { env: REDIS, yaml: '- a' }, 'config.yaml must be a map of settings such as "port: 8080"'],
  ];

  it.each(wrong)('%s', (_, given, message) => expect(problemsOf(given)).toEqual([message]));

  it.each(wrong)('shows no password: %s', (_, given) => expect(problemsOf(given).join()).not.toContain('geheim'));
});
