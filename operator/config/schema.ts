/**
 * What each setting must be. Messages finish the sentence "<path>: <value> …" and say what to write. Rules that need
 * more than one section or the machine are in `resolve.ts`.
 */
import { z } from 'zod';
import { POD_DEFAULTS } from '../api/pod-defaults.ts';
import { messageOf } from '../lib/errors.ts';
import { parseDuration } from '../lib/duration.ts';
import { parsePostgresUrl } from '../lib/postgres-url.ts';
import { memberProblem, parseRedisAddress } from './redis-address.ts';

/** Stores that can be chosen. */
export const STORAGE_TYPES = ['redis', 'kubernetes', 'db', 'spanner', 'sqlite'] as const;
/** A store that can be chosen. */
export type StorageType = (typeof STORAGE_TYPES)[number];

const must = (rule: string) => ({ error: `must be ${rule}` });

const text = (what: string) => z.string(must(`${what}, as text (in quotes)`));

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

function dnsLabel(example: string) {
  const rule = `a name of at most 63 lower-case letters, digits and "-", for example "${example}"`;
  return z.string(must(`${rule} (as text, in quotes)`)).regex(DNS_LABEL, must(rule));
}

function wholeNumber(least: number, most: number, example: number) {
  const rule = must(`a whole number from ${least} to ${most}, for example ${example}`);
  return z.int(rule).min(least, rule).max(most, rule);
}

/** Unless the configuration says otherwise. */
export const MAX_GRACE_PERIOD = '1h';

const LONGEST_DURATION_MS = parseDuration('8760h');

/** Text of a Go duration to milliseconds, more than 0 and up to a year. */
function duration(example: string) {
  const rule = `must be a duration longer than 0 with a unit, for example ${example}`;
  return z.string({ error: rule }).transform((value, context) => {
    try {
      const ms = parseDuration(value);
      if (ms > 0 && ms <= LONGEST_DURATION_MS) return ms;
      context.addIssue({ code: 'custom', message: ms > 0 ? 'must be at most 8760h, a year' : rule });
    } catch (error) {
      context.addIssue({ code: 'custom', message: `${rule} (${messageOf(error)})` });
    }
    return z.NEVER;
  });
}

/** Text of one form. */
function named(form: RegExp, what: string, example: string) {
  const rule = must(`${what}, for example "${example}"`);
  return z.string(rule).regex(form, rule);
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, must(`one of ${values.join(', ')}`));
}

const redisAddress = text('host:port or a redis:// or rediss:// URL')
  .trim()
  .superRefine((value, context) => {
    const address = parseRedisAddress(value);
    if (typeof address === 'string') context.addIssue({ code: 'custom', message: address });
  });

const redisMembers = z
  .array(
    text('host:port')
      .trim()
      .superRefine((value, context) => {
        const message = memberProblem(value);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      }),
    must('a list such as [redis-0:26379, redis-1:26379, redis-2:26379]'),
  )
  .min(1, must('a list of at least one address'))
  .superRefine((all, context) => {
    // Each has one vote on who the master is.
    const twice = all.find((addr, index) => all.indexOf(addr) !== index);
    if (twice !== undefined)
      context.addIssue({ code: 'custom', message: `must name each server once, but has ${twice} twice` });
  });

const databaseURL = text('a postgres:// URL')
  .trim()
  .superRefine((value, context) => {
    const address = parsePostgresUrl(value);
    if (typeof address === 'string') context.addIssue({ code: 'custom', message: address });
  });

const section = <T extends z.core.$ZodLooseShape>(shape: T) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === 'invalid_type' ? 'must be a section with keys' : undefined),
  });

const tls = section({
  ca: text('the path of a PEM file').optional(),
  cert: text('the path of a PEM file').optional(),
  key: text('the path of a PEM file').optional(),
  serverName: text('a host name').optional(),
}).optional();

const hostPort = z.string(must('host:port')).superRefine((value, context) => {
  if (memberProblem(value) !== undefined || !/:\d+$/.test(value))
    context.addIssue({ code: 'custom', message: 'must be host:port' });
});

/** As a map, or as a list of `from=to`, which is what a variable can hold. */
const natMap = z.preprocess(
  (value: unknown): unknown =>
    Array.isArray(value)
      ? Object.fromEntries(value.map((each) => String(each).split('=')) as [string, string][])
      : value,
  z.record(hostPort, hostPort, must('a map such as {"10.0.0.1:6379": "redis.example.com:7001"}')),
);

const redis = section({
  addr: redisAddress.optional(),
  sentinel: section({
    masterName: text('a name').optional(),
    addrs: redisMembers.optional(),
    username: text('a user name').optional(),
    password: text('a password').optional(),
    passwordFile: text('the path of a file').optional(),
  }).prefault({}),
  cluster: section({ addrs: redisMembers.optional() }).prefault({}),
  username: text('a user name').optional(),
  password: text('a password').optional(),
  passwordFile: text('the path of a file').optional(),
  db: wholeNumber(0, 65_535, 0).optional(),
  keyPrefix: text('a prefix').default(''),
  natMap: natMap.optional(),
  tls,
});

const db = section({
  passwordFile: text('the path of a file').optional(),
  tls,
  pool: section({ max: wholeNumber(1, 100, 4).default(4) }).prefault({}),
});

/** As Google Cloud limits them; a project may also be told by its number or as `domain:project`. */
const spanner = section({
  projectID: named(/^[a-z0-9][-a-z0-9.:]{0,61}[a-z0-9]$/, 'the ID of a Google Cloud project', 'my-project').optional(),
  instanceID: named(/^[a-z][-a-z0-9]{0,62}[a-z0-9]$/, 'the ID of a Spanner instance', 'highlander-instance').default(
    'highlander-instance',
  ),
  databaseID: named(/^[a-z][-_a-z0-9]{0,28}[a-z0-9]$/, 'the ID of a Spanner database', 'highlander-db').default(
    'highlander-db',
  ),
  emulatorHost: named(/^([-A-Za-z0-9._]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/, 'host:port', 'localhost:9010').optional(),
});

/** The section `lease`: durations of the lease, in milliseconds once parsed. */
export const leaseSchema = section({
  ttl: duration('15s').prefault('15s'),
  renewDeadline: duration('10s').prefault('10s'),
  retryPeriod: duration('2s').prefault('2s'),
});

const failover = section({
  takeover: oneOf(['bounded', 'strict']).default('bounded'),
  priority: wholeNumber(0, 1000, 10).default(0),
  failback: oneOf(['manual', 'auto']).default('manual'),
  failbackDelay: duration('5m').prefault('5m'),
  apiDeadline: duration('30s').prefault('30s'),
});

const workloadList = z.array(
  z.record(z.string(), z.unknown(), must('a workload with keys')),
  must('a list of workloads'),
);

/** The whole configuration file. */
export const configSchema = section({
  id: text('a name').max(253, must('a name of at most 253 characters')),
  tenant: dnsLabel('team-a').default('default'),
  port: wholeNumber(0, 65_535, 8080).default(8080),
  namespace: dnsLabel('default').default('default'),
  watchNamespaces: z
    .array(dnsLabel('default'), must('a list of namespaces such as [team-a, team-b]'))
    .transform((all) => [...new Set(all)])
    .default([]),
  remainsFollower: z.boolean(must('true or false')).default(false),
  storageType: oneOf(STORAGE_TYPES),
  redis: redis.prefault({}),
  databaseURL: databaseURL.optional(),
  db: db.prefault({}),
  sqlite: section({ path: text('the path of a file') }),
  spanner: spanner.prefault({}),
  cluster: section({
    name: text('a name').default('default'),
    kubeconfig: text('the path of a file').optional(),
    context: text('the name of a context').optional(),
    id: text('an identity').optional(),
  }).prefault({}),
  workloads: section({
    processes: workloadList.default([]),
    cronJobs: workloadList.default([]),
    services: workloadList.default([]),
    persistentSets: workloadList.default([]),
  }).prefault({}),
  terminationGracePeriod: duration('29s').prefault('29s'),
  maxGracePeriod: duration(MAX_GRACE_PERIOD).prefault(MAX_GRACE_PERIOD),
  lease: leaseSchema.prefault({}),
  failover: failover.prefault({}),
  api: section({
    token: text('a token').min(16, must('a token of at least 16 characters')).optional(),
    tokenFile: text('the path of a file').optional(),
  }).prefault({}),
  logLevel: oneOf(['debug', 'info', 'warn', 'error']).default('info'),
  logFormat: oneOf(['json', 'text']).default('json'),
  podDefaults: oneOf(POD_DEFAULTS).default('kubernetes'),
  workers: wholeNumber(1, 1000, 16).default(16),
});

/** The settings as the schema leaves them; `resolve.ts` makes the `Config` of it. */
export type Settings = z.output<typeof configSchema>;
