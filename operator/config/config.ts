/** The configuration as the rest of the program sees it: checked, complete, in milliseconds. */
import type { DeclaredWorkload } from '../api/declared.ts';
import type { Environment } from './environment.ts';
import type { Settings } from './schema.ts';

/** Structurally the timing that the election needs. */
export interface LeaseTiming {
  readonly ttlMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

/** Structurally the options of the Redis driver. Files are named, not read: a changed secret needs no restart. */
export interface RedisSettings {
  /** host, host:port, redis:// or rediss:// URL; may hold a password. This, or one of the next two. */
  readonly addr?: string;
  readonly sentinel?: {
    readonly addrs: readonly string[];
    readonly masterName: string;
    readonly username?: string | undefined;
    readonly password?: string | undefined;
    readonly passwordFile?: string | undefined;
  };
  readonly cluster?: { readonly addrs: readonly string[] };
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly passwordFile?: string | undefined;
  /** Absent: what the URL says, or 0. */
  readonly db?: number | undefined;
  /** Put in front of every key; default: ''. */
  readonly keyPrefix: string;
  /** By `host:port` as Sentinels or the cluster name a server: the `host:port` at which it is reached. */
  readonly natMap?: Readonly<Record<string, string>> | undefined;
  /** Present: the connection is encrypted. Paths of PEM files, or PEM text. */
  readonly tls?: {
    readonly ca?: string | undefined;
    readonly cert?: string | undefined;
    readonly key?: string | undefined;
    readonly serverName?: string | undefined;
  };
}

/** Structurally the options of the PostgreSQL driver. Files are named, not read: a changed secret needs no restart. */
export interface DatabaseSettings {
  /** `postgres://user:password@host:port/database?sslmode=…` */
  readonly url: string;
  readonly passwordFile?: string | undefined;
  /** Present: the connection is encrypted. Paths of PEM files, or PEM text. */
  readonly tls?: RedisSettings['tls'];
  readonly maxConnections: number;
}

/** Structurally the options of the Spanner driver. */
export interface SpannerSettings {
  readonly projectID: string;
  readonly instanceID: string;
  readonly databaseID: string;
  /** host:port of an emulator. */
  readonly emulatorHost?: string | undefined;
}

type Unchanged = Omit<
  Settings,
  | 'redis'
  | 'databaseURL'
  | 'db'
  | 'sqlite'
  | 'spanner'
  | 'lease'
  | 'failover'
  | 'terminationGracePeriod'
  | 'maxGracePeriod'
  | 'cluster'
  | 'workloads'
>;

/** One setting with its value and where that came from. */
export interface Setting {
  /** Dotted path. */
  readonly path: string;
  /** Absent: not set, and there is no default. */
  readonly value: unknown;
  /** `default`, `environment HIGHLANDER_PORT`, `config.yaml:3:7`. */
  readonly origin: string;
}

/** All settings, with defaults; durations are in milliseconds. */
export interface Config extends Readonly<Unchanged> {
  /** Whose workloads are the tenant's unless a label says otherwise: those that are watched, or the one that was configured. */
  readonly ownNamespaces: readonly string[];
  /** Absent unless an address, Sentinels or a cluster are known. */
  readonly redis: RedisSettings | undefined;
  /** Absent unless a URL is known. */
  readonly db: DatabaseSettings | undefined;
  /** The file of the SQLite store. */
  readonly sqlite: { readonly path: string };
  /** Absent unless a project is known. */
  readonly spanner: SpannerSettings | undefined;
  readonly cluster: {
    readonly name: string;
    /** Absent: the service account of the pod. */
    readonly kubeconfig?: string;
    /** Absent: the current one of the kubeconfig. */
    readonly context?: string | undefined;
    /** Of the process: for proxies and credential plug-ins. May hold secrets. */
    readonly variables: Environment;
    readonly id?: string | undefined;
  };
  /** Those of the file, ready to be applied. */
  readonly workloads: readonly DeclaredWorkload[];
  readonly terminationGracePeriodMs: number;
  /** Of a workload's pods; one that asks for more is not started. */
  readonly maxGracePeriodMs: number;
  readonly lease: LeaseTiming;
  /** What happens where several clusters share the tenant. */
  readonly failover: {
    readonly takeover: 'bounded' | 'strict';
    /** Of this cluster; the highest comes first. */
    readonly priority: number;
    readonly failback: 'manual' | 'auto';
    readonly failbackDelayMs: number;
    /** Without an answer of the own API server for so long, the leader lets another cluster take over. */
    readonly apiDeadlineMs: number;
  };
  /** For the log at start: what was accepted but has no effect, or was read differently than written. */
  readonly notices: readonly string[];
  /** Values that nobody may read, wherever they stand. */
  readonly secrets: readonly string[];
  /** Every setting as the file would have it, secrets included: see `shownSettings`. */
  readonly settings: readonly Setting[];
}
