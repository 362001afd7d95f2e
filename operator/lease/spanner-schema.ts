/** The tables, and how they come to be: by `highlander storage init`, or at the first call where the account may. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Call } from './cell-store.ts';
import { adminClients, databaseName, type SpannerConnection, type SpannerOptions } from './spanner-connection.ts';
import { asStoreError, codes, hasCode, isBusy, isMissingTable } from './spanner-error.ts';
import { transact } from './spanner-transaction.ts';
import { StoreError } from './store-error.ts';

/**
 * GoogleSQL. HighlanderStore has one row: its random text says which tables these are, so that tables that were dropped
 * and made anew, or cells that were imported elsewhere, are not taken for the old ones.
 */
export const ddl: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS HighlanderCells (
  Key STRING(1024) NOT NULL,
  Value STRING(MAX) NOT NULL,
  Version STRING(64) NOT NULL,
  WrittenAt TIMESTAMP NOT NULL OPTIONS (allow_commit_timestamp = true)
) PRIMARY KEY (Key)`,
  `CREATE TABLE IF NOT EXISTS HighlanderStore (
  Id INT64 NOT NULL,
  Incarnation STRING(64) NOT NULL
) PRIMARY KEY (Id)`,
];

/** Milliseconds between two looks at a change of tables, and for one request. */
const LOOK_MS = 500;
const REQUEST_MS = 30_000;

/** Thrown by whoever finds the store without its one row. */
export class Unprepared extends Error {
  override readonly name = 'Unprepared';
}

/** Whether the tables are still missing. */
export function isUnprepared(error: unknown): boolean {
  return error instanceof Unprepared || isMissingTable(error);
}

/** What it takes to create the tables. */
export interface Preparation {
  readonly options: SpannerOptions;
  readonly connection: SpannerConnection;
  readonly clock: Clock;
}

/** Makes what is missing of the tables; may be run by several at once, of whom the server may refuse all but one. */
export async function prepareTables({ connection, options, clock }: Preparation, call: Call): Promise<void> {
  const due = clock.monotonic() + call.timeoutMs;
  while (!(await isNamed(connection, call))) {
    if (clock.monotonic() > due) throw new StoreError('timeout', 'Spanner is still creating the tables');
    await createTables(options, clock, call).catch((error: unknown) => {
      if (!isBusy(error)) throw error;
      return clock.sleep(LOOK_MS, call.signal);
    });
  }
}

/** An emulator starts empty: makes instance and database as well. */
export async function prepareEmulator(options: SpannerOptions): Promise<void> {
  const { projectID, instanceID, databaseID } = options;
  const project = `projects/${projectID}`;
  const instance = { config: `${project}/instanceConfigs/emulator-config`, displayName: instanceID, nodeCount: 1 };
  const { databases, instances } = adminClients(options);
  try {
    await instances.createInstance({ parent: project, instanceId: instanceID, instance }, limits()).catch(ifThere);
    const database = {
      parent: `${project}/instances/${instanceID}`,
      createStatement: `CREATE DATABASE \`${databaseID}\``,
    };
    await databases.createDatabase(database, limits()).catch(ifThere);
  } finally {
    await Promise.allSettled([databases.close(), instances.close()]);
  }
}

function limits(call: Partial<Call> = {}) {
  return { timeout: REQUEST_MS, retry: null, ...(call.signal ? { signal: call.signal } : {}) };
}

function ifThere(error: unknown): void {
  if (!hasCode(error, codes.ALREADY_EXISTS)) throw error;
}

/** Whoever comes first chooses the name. False: there are no tables. */
async function isNamed(connection: SpannerConnection, { signal }: Call): Promise<boolean> {
  const values = [{ stringValue: '1' }, { stringValue: randomBytes(16).toString('hex') }];
  const insert = { table: 'HighlanderStore', columns: ['Id', 'Incarnation'], values: [{ values }] };
  const call = { timeoutMs: REQUEST_MS, ...(signal ? { signal } : {}) };
  const named = { sql: 'SELECT Incarnation FROM HighlanderStore WHERE Id = 1', params: {} };
  return connection.run(call, async (exchange) => {
    try {
      await transact(exchange, named, (rows) => (rows.length === 0 ? [{ insert }] : []));
      return true;
    } catch (error) {
      if (isMissingTable(error)) return false;
      throw error;
    }
  });
}

/** The service goes on with what it has accepted when nobody looks any more. */
async function createTables(options: SpannerOptions, clock: Clock, call: Call): Promise<void> {
  const { databases, instances } = adminClients(options);
  const due = clock.monotonic() + call.timeoutMs;
  try {
    await databases.initialize();
    const request = { database: databaseName(options), statements: [...ddl] };
    const [operation] = await databases.updateDatabaseDdl(request, limits(call));
    while (!operation.done && clock.monotonic() < due) {
      await clock.sleep(LOOK_MS, call.signal);
      await operation.getOperation();
    }
  } catch (error) {
    throw hasCode(error, codes.PERMISSION_DENIED) ? notAllowed(error) : asStoreError(error);
  } finally {
    await Promise.allSettled([databases.close(), instances.close()]);
  }
}

function notAllowed(error: unknown): StoreError {
  const remedy =
    'run `highlander storage init` once with an account that may create them (roles/spanner.databaseUser), or apply this yourself';
  const statements = ddl.map((statement) => `${statement};`).join('\n');
  const why = `the tables are missing and this account may not create them (${messageOf(error)})`;
  return new StoreError('unauthorized', `Spanner: ${why}; ${remedy}:\n${statements}`);
}
