/** The stores that are measured: each a server of its own, the driver as a controller opens it, and raw round trips. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { controlPlaneBinary } from '../hack/cluster/build.ts';
import { core, type KubeObject } from '../operator/cluster/cluster-client.ts';
import { HttpClusterClient } from '../operator/cluster/http-client.ts';
import { PooledKubeConfig } from '../operator/cluster/kube-config.ts';
import type { CellStore } from '../operator/lease/cell-store.ts';
import { openStore, type StoreOptions } from '../operator/lease/open.ts';
import { PostgresDialer } from '../operator/lease/postgres-dial.ts';
import { dial } from '../operator/lease/redis-dial.ts';
import { targetOf } from '../operator/lease/redis-options.ts';
import { SpannerConnection } from '../operator/lease/spanner-connection.ts';
import { prepareEmulator } from '../operator/lease/spanner-schema.ts';
import { query } from '../operator/lease/spanner-transaction.ts';
import { ApiServer } from '../operator/lease/testing/api-server.ts';
import { FaultProxy } from '../operator/lease/testing/fault-proxy.ts';
import { PostgresServer } from '../operator/lease/testing/postgres-server.ts';
import { RedisServer } from '../operator/lease/testing/redis-server.ts';
import { missingEmulator, SpannerEmulator } from '../operator/lease/testing/spanner-emulator.ts';
import { systemClock } from '../operator/lib/clock.ts';

/** One exchange with the server, without any of our code above the client library. */
export interface RoundTrip {
  readonly what: string;
  readonly run: () => Promise<void>;
}

export interface Subject {
  readonly name: string;
  /** What ours is divided by. */
  readonly raw: RoundTrip;
  /** Measured beside it, for a note. */
  readonly also?: RoundTrip;
  readonly renewals: number;
  readonly handOvers: number;
  /** With connections of its own, as a controller's. */
  readonly open: () => Promise<CellStore>;
}

/** Whoever opens a subject ends what is put on the stack, in reverse order, also when opening fails. */
export type OpenSubject = (ending: AsyncDisposableStack) => Promise<Subject | string>;

/** Milliseconds that a network adds, one way, in the second measurement of Redis. */
const NETWORK_MS = 1;
const MANY = { renewals: 1000, handOvers: 40 };
const PATIENT = { timeoutMs: 10_000 };
const IDS = { projectID: 'bench', instanceID: 'highlander-instance', databaseID: 'highlander-db' };

const opening = (options: StoreOptions) => () => openStore(options);

async function redis(ending: AsyncDisposableStack, { delayMs = 0 } = {}): Promise<Subject> {
  const server = ending.use(await RedisServer.start());
  const proxy = delayMs > 0 ? ending.use(await FaultProxy.start(server.address)) : undefined;
  proxy?.delay(delayMs);
  const { host, port } = (proxy ?? server).address;
  const options = { addr: `${host}:${port}` };
  const client = await dial(targetOf(options.addr, options), systemClock, AbortSignal.timeout(PATIENT.timeoutMs));
  ending.defer(() => client.disconnect());
  const value = 'x'.repeat(300);
  return {
    name: delayMs > 0 ? `redis, ${2 * delayMs} ms away` : 'redis',
    raw: { what: 'SET', run: async () => void (await client.set('raw', value)) },
    also: { what: 'PING', run: async () => void (await client.ping()) },
    ...(delayMs > 0 ? { renewals: 300, handOvers: 40 } : MANY),
    open: opening({ kind: 'redis', redis: options }),
  };
}

/** Commits wait for the disk, as they do where a lease is kept: the tests' server does not. */
async function postgres(ending: AsyncDisposableStack): Promise<Subject> {
  const server = ending.use(await PostgresServer.start('fsync = on', 'full_page_writes = on'));
  const options = { url: server.url() };
  await server.query(`create table raw (id int primary key, value text); insert into raw values (1, '')`);
  const connection = await new PostgresDialer(options, systemClock).dial(AbortSignal.timeout(PATIENT.timeoutMs));
  ending.defer(() => connection.destroy());
  const { client } = connection;
  const update = `update raw set value = '${'x'.repeat(300)}' where id = 1`;
  return {
    name: 'db',
    raw: { what: 'select 1', run: async () => void (await client.query('select 1')) },
    also: { what: 'UPDATE of a row', run: async () => void (await client.query(update)) },
    ...MANY,
    open: opening({ kind: 'db', db: options }),
  };
}

async function spanner(ending: AsyncDisposableStack): Promise<Subject | string> {
  const missing = missingEmulator();
  if (missing) return `spanner: not measured, ${missing}`;
  const emulator = ending.use(await SpannerEmulator.start());
  const options = { ...IDS, emulatorHost: `${emulator.address.host}:${emulator.address.port}` };
  await prepareEmulator(options);
  const connection = new SpannerConnection(options, systemClock);
  ending.defer(() => connection.close());
  const one = { sql: 'SELECT 1', params: {} };
  return {
    name: 'spanner (emulator)',
    raw: {
      what: 'SELECT 1',
      run: () => connection.run(PATIENT, async (exchange) => void (await query(exchange, one))),
    },
    renewals: 200,
    handOvers: 10, // each waits for a look at the lease, up to a second
    open: opening({ kind: 'spanner', spanner: options }),
  };
}

async function kubernetes(ending: AsyncDisposableStack): Promise<Subject> {
  process.env['HIGHLANDER_TEST_KUBERNETES_BINARY'] ??= await controlPlaneBinary();
  const server = ending.use(await ApiServer.start());
  const path = join(server.folder, 'kubeconfig');
  writeFileSync(path, server.kubeconfig('admin'));
  const connect = () => {
    const config = PooledKubeConfig.load({ path });
    const client = new HttpClusterClient({ config, clock: systemClock, userAgent: 'highlander-bench' });
    ending.defer(() => client.close());
    return client;
  };
  const client = connect();
  let lease = await client.create(core.leases, rawLease);
  const put = async () => void (lease = await client.replace(core.leases, { ...rawLease, metadata: lease.metadata }));
  const get = async () => void (await client.get(core.leases, { name: 'raw', namespace: 'default' }));
  return {
    name: 'kubernetes',
    raw: { what: 'PUT of a Lease', run: put },
    also: { what: 'GET of a Lease', run: get },
    renewals: 400,
    handOvers: 40,
    open: async () => {
      const own = connect();
      const serverTime = () => own.serverClock.at();
      return openStore({ kind: 'kubernetes', kubernetes: { client: own, namespace: 'default', serverTime } });
    },
  };
}

const rawLease: KubeObject & { spec: object } = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'raw', namespace: 'default', annotations: { value: 'x'.repeat(300) } },
  spec: { leaseDurationSeconds: 15 },
};

async function sqlite(ending: AsyncDisposableStack): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), 'highlander-bench-'));
  ending.defer(() => rmSync(folder, { recursive: true, force: true }));
  const raw = new DatabaseSync(join(folder, 'raw.db'));
  ending.defer(() => raw.close());
  raw.exec(
    'pragma journal_mode = wal; pragma synchronous = full; create table raw (id, value); insert into raw values (1, 0)',
  );
  const update = raw.prepare('update raw set value = ? where id = 1');
  const value = 'x'.repeat(300);
  return {
    name: 'sqlite',
    raw: { what: 'UPDATE of a row', run: async () => void update.run(value) },
    ...MANY,
    open: opening({ kind: 'sqlite', sqlite: { path: join(folder, 'cells.db') } }),
  };
}

export const SUBJECTS: ReadonlyMap<string, OpenSubject> = new Map<string, OpenSubject>([
  ['redis', (ending) => redis(ending)],
  ['redis with a network', (ending) => redis(ending, { delayMs: NETWORK_MS })],
  ['db', postgres],
  ['spanner', spanner],
  ['kubernetes', kubernetes],
  ['sqlite', sqlite],
]);
