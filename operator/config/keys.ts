/**
 * Every setting with its ways in: path in the file, environment variables, command-line flag. The table drives
 * loading, suggestions for mistyped keys, masking and the reference in the docs.
 */

/** A list is separated by commas in environment and flags. */
export type KeyKind = 'text' | 'integer' | 'boolean' | 'duration' | 'list';

/** One setting, with each way to give it. */
export interface ConfigKey {
  /** Dotted path in the file, e.g. `redis.addr`. */
  readonly path: string;
  /** In order of precedence; the first is the name to document, others are accepted spellings. */
  readonly env: readonly string[];
  /** Without the leading dashes; absent: only file and environment. */
  readonly flag?: string;
  readonly kind: KeyKind;
  /** Never shown in errors, logs or `config print`. */
  readonly secret?: true;
  /** One sentence for people. */
  readonly doc: string;
}

interface Extra {
  readonly kind?: KeyKind;
  readonly alias?: readonly string[];
  readonly secret?: true;
}

function key(path: string, env: string, doc: string, extra: Extra = {}): ConfigKey {
  return {
    path,
    env: [`HIGHLANDER_${env}`, ...(extra.alias ?? [])],
    kind: extra.kind ?? 'text',
    doc,
    flag: env.toLowerCase().replaceAll('_', '-'),
    ...(extra.secret ? { secret: true } : {}),
  };
}

function list(path: string, doc: string): ConfigKey {
  return { path, env: [], kind: 'list', doc };
}

/** All settings, in the order in which they are documented. */
export const configKeys: readonly ConfigKey[] = [
  key('id', 'ID', 'Name of this controller. Default: the host name. A suffix makes it unique per start.'),
  key('tenant', 'TENANT', 'Isolated group of controllers, with its own lease and its own leader.'),
  key('port', 'PORT', 'Port of probes, metrics, API and dashboard; 0 picks a free port.', { kind: 'integer' }),
  key(
    'namespace',
    'NAMESPACE',
    'Namespace of workloads that do not specify one. When set, workloads in it belong to this tenant unless their label names another one.',
  ),
  key(
    'watchNamespaces',
    'WATCH_NAMESPACES',
    'Namespaces of this tenant, the only ones that are watched. Default: all.',
    {
      kind: 'list',
    },
  ),
  key('remainsFollower', 'REMAINS_FOLLOWER', 'This controller never becomes the leader.', { kind: 'boolean' }),
  key('storageType', 'STORAGE_TYPE', 'Store of the lease: redis, kubernetes, db, spanner or sqlite.'),
  key('redis.addr', 'REDIS_ADDR', 'host:port, redis:// or rediss:// URL of the Redis server.'),
  key('redis.sentinel.addrs', 'REDIS_SENTINEL_ADDRS', 'host:port of every Sentinel, instead of redis.addr.', {
    kind: 'list',
  }),
  key('redis.sentinel.masterName', 'REDIS_SENTINEL_MASTER_NAME', 'Name by which the Sentinels know the master.'),
  key('redis.sentinel.username', 'REDIS_SENTINEL_USERNAME', 'User of the Sentinels (ACL).'),
  key('redis.sentinel.password', 'REDIS_SENTINEL_PASSWORD', 'Password of the Sentinels.', { secret: true }),
  key('redis.sentinel.passwordFile', 'REDIS_SENTINEL_PASSWORD_FILE', 'File that holds the password of the Sentinels.'),
  key(
    'redis.cluster.addrs',
    'REDIS_CLUSTER_ADDRS',
    'host:port of every node of a Redis Cluster, instead of redis.addr.',
    {
      kind: 'list',
    },
  ),
  key('redis.username', 'REDIS_USERNAME', 'User of the Redis server (ACL).'),
  key('redis.password', 'REDIS_PASSWORD', 'Password of the Redis server.', { secret: true }),
  key('redis.passwordFile', 'REDIS_PASSWORD_FILE', 'File that holds the password of the Redis server.'),
  key('redis.db', 'REDIS_DB', 'Number of the Redis database.', { kind: 'integer' }),
  key('redis.keyPrefix', 'REDIS_KEY_PREFIX', 'Prefix of every key in Redis.'),
  key(
    'redis.natMap',
    'REDIS_NAT_MAP',
    'Reachable addresses of servers that Sentinels or a cluster announce by an internal address: internal:port=external:port each.',
    { kind: 'list' },
  ),
  key('redis.tls.ca', 'REDIS_TLS_CA', 'PEM file (or PEM text) of the authority that signed the server certificate.'),
  key('redis.tls.cert', 'REDIS_TLS_CERT', 'PEM file (or PEM text) of the client certificate.'),
  key('redis.tls.key', 'REDIS_TLS_KEY', 'PEM file (or PEM text) of the client key.'),
  key('redis.tls.serverName', 'REDIS_TLS_SERVER_NAME', 'Name that the server certificate must carry.'),
  key('databaseURL', 'DATABASE_URL', 'postgres://user:password@host:5432/database, for storageType db.', {
    secret: true,
  }),
  key('db.passwordFile', 'DB_PASSWORD_FILE', 'File that holds the password of the database.'),
  key('db.tls.ca', 'DB_TLS_CA', 'PEM file (or PEM text) of the authority that signed the server certificate.'),
  key('db.tls.cert', 'DB_TLS_CERT', 'PEM file (or PEM text) of the client certificate.'),
  key('db.tls.key', 'DB_TLS_KEY', 'PEM file (or PEM text) of the client key.'),
  key('db.tls.serverName', 'DB_TLS_SERVER_NAME', 'Name that the server certificate must carry.'),
  key('db.pool.max', 'DB_POOL_MAX', 'Number of connections to the database, besides the one for notifications.', {
    kind: 'integer',
  }),
  key('sqlite.path', 'SQLITE_PATH', 'Database file, for storageType sqlite; all controllers must run on one machine.'),
  key('spanner.projectID', 'SPANNER_PROJECT_ID', 'Google Cloud project, for storageType spanner.'),
  key('spanner.instanceID', 'SPANNER_INSTANCE_ID', 'Spanner instance.'),
  key('spanner.databaseID', 'SPANNER_DATABASE_ID', 'Spanner database.'),
  key('spanner.emulatorHost', 'SPANNER_EMULATOR_HOST', 'host:port of a Spanner emulator, for tests: no credentials.', {
    alias: ['SPANNER_EMULATOR_HOST'],
  }),
  key('cluster.name', 'CLUSTER_NAME', 'Name of the Kubernetes cluster, as it appears in messages and commands.'),
  key(
    'cluster.kubeconfig',
    'KUBECONFIG',
    'kubeconfig file, or a list of them. Default in a cluster: the service account.',
    {
      alias: ['KUBECONFIG'],
    },
  ),
  key('cluster.context', 'CONTEXT', 'Context of the kubeconfig. Default: its current context.'),
  key(
    'cluster.id',
    'CLUSTER_ID',
    'Unique id of the cluster, for clusters where the UID of the namespace kube-system may not be read.',
  ),
  list('workloads.processes', 'Processes of the configuration file.'),
  list('workloads.cronJobs', 'Cron jobs of the configuration file.'),
  list('workloads.services', 'Services of the configuration file.'),
  list('workloads.persistentSets', 'Stateful sets of the configuration file.'),
  key('terminationGracePeriod', 'TERMINATION_GRACE_PERIOD', 'Longest time that this controller may take to stop.', {
    kind: 'duration',
  }),
  key(
    'maxGracePeriod',
    'MAX_GRACE_PERIOD',
    'Longest grace period that a pod may have to stop; a takeover waits this long.',
    {
      kind: 'duration',
    },
  ),
  key('lease.ttl', 'LEASE_TTL', 'How long a lease is valid after its last renewal.', {
    kind: 'duration',
    alias: ['HIGHLANDER_LEADER_LOCK_TTL'],
  }),
  key(
    'lease.renewDeadline',
    'LEASE_RENEW_DEADLINE',
    'Time without a renewal after which the leader starts nothing new.',
    {
      kind: 'duration',
    },
  ),
  key(
    'lease.retryPeriod',
    'LEASE_RETRY_PERIOD',
    'Interval between renewals by the leader, and between checks by a standby.',
    {
      kind: 'duration',
      alias: ['HIGHLANDER_LEADER_RENEW_INTERVAL'],
    },
  ),
  key(
    'failover.takeover',
    'TAKEOVER',
    'When another cluster takes over from an unreachable one: bounded (after the time that its workloads need to stop) or strict (after a person has confirmed that they stopped).',
  ),
  key(
    'failover.priority',
    'PRIORITY',
    'Priority of this cluster: if several could take over, the one with the highest priority does.',
    {
      kind: 'integer',
    },
  ),
  key(
    'failover.failback',
    'FAILBACK',
    'Whether leadership returns to a cluster of higher priority automatically (auto) or by highlander handover (manual).',
  ),
  key('failover.failbackDelay', 'FAILBACK_DELAY', 'How long the cluster of higher priority must have been ready.', {
    kind: 'duration',
  }),
  key(
    'failover.apiDeadline',
    'API_DEADLINE',
    'Time without an answer of its API server after which the leader lets another cluster take over.',
    { kind: 'duration' },
  ),
  key(
    'api.token',
    'API_TOKEN',
    'Token that allows requests for a hand-over over HTTP. Default: none, such requests are rejected.',
    {
      secret: true,
    },
  ),
  key('api.tokenFile', 'API_TOKEN_FILE', 'File that holds the token for hand-over requests.'),
  key('logLevel', 'LOG_LEVEL', 'Log level: debug, info, warn or error.'),
  key('logFormat', 'LOG_FORMAT', 'Log format: json for machines, text for people.'),
  key(
    'podDefaults',
    'POD_DEFAULTS',
    'Defaults for fields that a spec leaves out: kubernetes (none, images run as published) or restricted (as the Pod Security Standard of this name requires).',
  ),
  key('workers', 'WORKERS', 'Number of objects of one kind that are reconciled at once.', { kind: 'integer' }),
];

/** Paths of all settings and of the sections above them. */
export const knownPaths: readonly string[] = [
  ...new Set(
    configKeys.flatMap(({ path }) => path.split('.').map((_, depth, steps) => steps.slice(0, depth + 1).join('.'))),
  ),
];

/** How `parseArgs` reads a flag. */
export interface FlagOption {
  readonly type: 'string' | 'boolean';
}

/** Flags for `parseArgs` of node:util; all take text, `remains-follower` none. */
export const configFlags: Readonly<Record<string, FlagOption>> = Object.fromEntries(
  [{ flag: 'config', kind: 'text' }, ...configKeys].flatMap(({ flag, kind }): readonly [string, FlagOption][] =>
    flag === undefined ? [] : [[flag, { type: kind === 'boolean' ? 'boolean' : 'string' }]],
  ),
);

/** Whether the value of the setting at `path` must never be shown. */
export function isSecret(path: string): boolean {
  return configKeys.some((entry) => entry.path === path && entry.secret);
}
