/**
 * Layers to a `Config`: merges, checks against the schema, applies the rules that need more than one setting or the
 * machine. Everything it knows of the machine is passed in; it throws nothing but `ConfigError`.
 */
import { delimiter } from 'node:path';
import type { Config, LeaseTiming, Setting } from './config.ts';
import type { Problem } from './problems.ts';
import { ConfigError, redacted, showValue, suggestKey } from './problems.ts';
import type { Settings, StorageType } from './schema.ts';
import { configSchema, leaseSchema } from './schema.ts';
import type { Environment } from './environment.ts';
import type { Files } from './connection.ts';
import { apiProblems, apiSettings } from './api.ts';
import { databaseExposure, flagExposure, redisExposure } from './exposure.ts';
import { databaseProblems, databaseSettings } from './database.ts';
import { newRedactor } from '../lib/redactor.ts';
import { secretsOf } from './secrets.ts';
import { givenTopologies, redisNotices, redisProblems, redisSettings } from './redis.ts';
import { spannerNotices, spannerProblems, spannerSettings } from './spanner.ts';
import type { Leaf, Merged, Origin } from './tree.ts';
import { getAt, merge } from './tree.ts';
import type { Locate } from './file.ts';
import { configKeys } from './keys.ts';
import { declaredWorkloads } from './workloads.ts';

/** What the configuration may depend on of the machine. */
export interface Machine extends Files {
  readonly hostname: string;
  /** Of the process. */
  readonly environment: Environment;
  /** Runs in a pod with a service account. */
  readonly inCluster: boolean;
  /** Where the user's programs keep what they must remember. */
  readonly stateFolder: string;
  /** The user's own kubeconfig, when there is such a file. */
  readonly homeKubeconfig: string | undefined;
}

/** Rules that belong to other parts of the program. */
export interface Rules {
  /** The rule between the lease's durations that is broken, with its numbers; `undefined` when they are sound. */
  brokenTimingRule(timing: LeaseTiming): string | undefined;
}

/** Settings from all sources, before they are merged. */
export interface Layers {
  readonly leaves: readonly Leaf[];
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
  readonly locate: Locate;
}

/** The configuration of the merged layers. Throws `ConfigError` that lists all problems. */
export function resolveConfig(layers: Layers, machine: Machine, rules: Rules): Config {
  const leaves = [...defaultsOf(machine), ...layers.leaves];
  const merged = merge([...defaultStore(merge(leaves), machine), ...leaves]);
  const parsed = configSchema.safeParse(merged.tree);
  const declared = declaredWorkloads(merged.tree, layers.locate);
  const problems = [
    ...layers.problems,
    ...schemaProblems(parsed.error?.issues ?? [], merged),
    ...storeProblems(merged),
    ...redisProblems(merged, machine),
    ...databaseProblems(merged, machine),
    ...spannerProblems(merged),
    ...apiProblems(merged, machine),
    ...timingProblems(merged, rules),
    ...(parsed.success ? apiDeadlineProblems(parsed.data, merged) : []),
    ...declared.problems,
  ];
  const secrets = secretsOf(merged.tree, machine);
  const redact = newRedactor(secrets);
  if (problems.length > 0 || !parsed.success) throw new ConfigError(problems.map((each) => redacted(each, redact)));
  const notices = [...layers.notices, ...declared.notices];
  return { ...toConfig(parsed.data, merged, notices, machine), secrets, workloads: declared.workloads };
}

function defaultsOf(machine: Machine): readonly Leaf[] {
  const fallback = (path: string, value: string | undefined, where: string): readonly Leaf[] =>
    value === undefined ? [] : [{ path: path.split('.'), value, origin: { rank: 'default', where } }];
  return [
    ...fallback('id', machine.hostname, 'default: host name'),
    ...fallback('sqlite.path', `${machine.stateFolder}/highlander/highlander.db`, 'default: state folder'),
    ...(machine.inCluster ? [] : fallback('cluster.kubeconfig', machine.homeKubeconfig, 'default: home directory')),
  ];
}

/**
 * Redis or the database where its address is given; otherwise the cluster that this controller runs in or is pointed at.
 * Where there is only the user's own kubeconfig, this is a laptop: a file.
 */
function defaultStore({ tree, origins }: Merged, machine: Machine): readonly Leaf[] {
  const origin = (where: string): Origin => ({ rank: 'default', where: `default: ${where}` });
  const store = (value: StorageType, where: string) => [{ path: ['storageType'], value, origin: origin(where) }];
  const type = getAt(tree, ['storageType']);
  const [topology] = givenTopologies(tree);
  if (type === 'redis' && topology === undefined) {
    return [{ path: ['redis', 'addr'], value: 'localhost:6379', origin: origin('storageType is redis') }];
  }
  if (type !== undefined) return [];
  if (topology !== undefined) return store('redis', `${topology} is set`);
  if (getAt(tree, ['databaseURL']) !== undefined) return store('db', 'databaseURL is set');
  if (machine.inCluster) return store('kubernetes', 'this is a pod');
  const kubeconfig = origins.get('cluster.kubeconfig');
  if (kubeconfig?.rank === 'default') return store('sqlite', 'only a kubeconfig in the home directory was found');
  return kubeconfig ? store('kubernetes', 'a cluster is available') : [];
}

interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
}

function schemaProblems(issues: readonly Issue[], merged: Merged): readonly Problem[] {
  const problems = issues.flatMap((issue): readonly Problem[] => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys')
      return (issue.keys ?? []).map((name) => unknownKey([...path, name], merged));
    return isMissingStore(path, merged) ? [] : [wrongValue(path, issue.message, merged)];
  });
  return problems.filter((problem, index) => problems.findIndex(({ path }) => path === problem.path) === index);
}

function wrongValue(path: readonly string[], fix: string, { tree, origins }: Merged): Problem {
  const dotted = path.join('.');
  const value = getAt(tree, path);
  return {
    path: dotted,
    fix,
    ...whereOf(dotted, origins),
    ...(value === undefined ? {} : { shown: showValue(dotted, value) }),
  };
}

function unknownKey(path: readonly string[], { origins }: Merged): Problem {
  return { path: path.join('.'), fix: suggestKey(path), ...whereOf(path.join('.'), origins) };
}

function whereOf(dotted: string, origins: ReadonlyMap<string, Origin>): { where?: string } {
  const origin =
    origins.get(dotted) ??
    [...origins].find(([path]) => path.startsWith(`${dotted}.`) || dotted.startsWith(`${path}.`))?.[1];
  return origin === undefined ? {} : { where: origin.where };
}

function isMissingStore(path: readonly string[], { tree }: Merged): boolean {
  return path.join('.') === 'storageType' && getAt(tree, path) === undefined;
}

function storeProblems({ tree }: Merged): readonly Problem[] {
  if (getAt(tree, ['storageType']) !== undefined) return [];
  const fix =
    'is not set and cannot be derived: set redis.addr (HIGHLANDER_REDIS_ADDR) to use Redis, databaseURL ' +
    '(HIGHLANDER_DATABASE_URL) to use PostgreSQL, or cluster.kubeconfig (HIGHLANDER_KUBECONFIG) to keep the lease in ' +
    'the cluster';
  return [{ path: 'storageType', fix }];
}

function timingProblems({ tree, origins }: Merged, rules: Rules): readonly Problem[] {
  const lease = leaseSchema.safeParse(tree['lease'] ?? {});
  if (!lease.success) return [];
  const broken = rules.brokenTimingRule(toTiming(lease.data));
  return broken === undefined ? [] : [{ path: 'lease', fix: `is invalid: ${broken}`, ...whereOf('lease', origins) }];
}

/** The API server is asked once in each retry period: a shorter silence says nothing. */
function apiDeadlineProblems({ failover, lease }: Settings, { origins }: Merged): readonly Problem[] {
  const least = 2 * lease.retryPeriod;
  if (failover.apiDeadline > least) return [];
  const path = 'failover.apiDeadline';
  const fix = `is ${failover.apiDeadline} ms and must be longer than lease.retryPeriod × 2 (${least} ms)`;
  return [{ path, fix, ...whereOf(path, origins) }];
}

function toTiming({ ttl, renewDeadline, retryPeriod }: Settings['lease']): LeaseTiming {
  return { ttlMs: ttl, renewDeadlineMs: renewDeadline, retryPeriodMs: retryPeriod };
}

function toConfig(
  all: Settings,
  merged: Merged,
  notices: readonly string[],
  machine: Machine,
): Omit<Config, 'workloads' | 'secrets'> {
  const {
    terminationGracePeriod,
    maxGracePeriod,
    lease,
    failover: { failbackDelay, apiDeadline, ...failover },
    redis,
    databaseURL,
    db,
    sqlite,
    spanner,
    cluster,
    workloads: _,
    ...settings
  } = all;
  const { kubeconfig, ...named } = cluster;
  const chosen = spannerSettings(spanner);
  const whereRedis = redisSettings(redis, machine);
  const database = databaseSettings(databaseURL, db, machine);
  return {
    ...settings,
    ownNamespaces: ownNamespaces(settings, merged),
    api: apiSettings(settings.api, machine),
    redis: whereRedis,
    db: database,
    sqlite: { path: machine.expand(sqlite.path) },
    spanner: chosen,
    cluster: {
      ...named,
      variables: machine.environment,
      ...(kubeconfig === undefined ? {} : { kubeconfig: expandList(kubeconfig, machine) }),
    },
    terminationGracePeriodMs: terminationGracePeriod,
    maxGracePeriodMs: maxGracePeriod,
    lease: toTiming(lease),
    failover: { ...failover, failbackDelayMs: failbackDelay, apiDeadlineMs: apiDeadline },
    notices: [
      ...notices,
      ...storeNotices({ storageType: settings.storageType, db: database, redis: whereRedis, spanner: chosen }),
      ...flagExposure(merged),
      ...sqliteNotices(merged),
    ],
    settings: settingsOf(all, merged),
  };
}

/** What is not watched cannot be acted on; a default names nothing. */
function ownNamespaces(
  { namespace, watchNamespaces }: Pick<Config, 'namespace' | 'watchNamespaces'>,
  { origins }: Merged,
): readonly string[] {
  if (watchNamespaces.length > 0) return watchNamespaces;
  const origin = origins.get('namespace');
  return origin === undefined || origin.rank === 'default' ? [] : [namespace];
}

function storeNotices({
  storageType,
  db,
  redis,
  spanner,
}: Pick<Config, 'storageType' | 'db' | 'redis' | 'spanner'>): readonly string[] {
  return [
    ...databaseExposure(db, storageType),
    ...redisExposure(redis, storageType),
    ...redisNotices(redis, storageType),
    ...spannerNotices(spanner, storageType),
  ];
}

/** Like `$KUBECONFIG`, it may be a list. */
function expandList(paths: string, machine: Machine): string {
  return paths
    .split(delimiter)
    .map((path) => machine.expand(path))
    .join(delimiter);
}

/** Who asked for it knows. */
function sqliteNotices({ tree, origins }: Merged): readonly string[] {
  if (getAt(tree, ['storageType']) !== 'sqlite' || origins.get('storageType')?.rank !== 'default') return [];
  const path = String(getAt(tree, ['sqlite', 'path']));
  return [
    `the lease is kept in the file ${path}, which only controllers on this machine can use: if others run elsewhere, set storageType to kubernetes for all of them`,
  ];
}

function settingsOf(all: Settings, { tree, origins }: Merged): readonly Setting[] {
  return configKeys.map(({ path, kind }) => {
    const steps = path.split('.');
    const fallback = getAt(all, steps);
    const value = getAt(tree, steps) ?? (kind === 'duration' ? `${Number(fallback) / 1000}s` : fallback);
    return { path, value, origin: origins.get(path)?.where ?? 'default' };
  });
}
