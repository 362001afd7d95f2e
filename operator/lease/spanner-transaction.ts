/** Statements and transactions of Spanner, within one call. Knows nothing of cells and connections. */
import type { SpannerClient } from '@google-cloud/spanner/build/src/v1/index.js';
import type { CallOptions } from 'google-gax';
import { Backoff } from '../lib/backoff.ts';
import { codes, hasCode } from './spanner-error.ts';
import { chance } from './within.ts';

/** What one call works with: a session of its own, and options that end each request with the call. */
export interface Exchange {
  readonly client: SpannerClient;
  readonly session: string;
  /** Throws when the call is over: nothing is sent any more. */
  readonly options: () => CallOptions;
  /** Rejects when the call is over. */
  readonly pause: (ms: number) => Promise<void>;
}

/** A statement of SQL and its parameters. */
export interface Statement {
  readonly sql: string;
  readonly params: Readonly<Record<string, string>>;
}

/** STRING columns and numbers as text, `undefined` for NULL; in the order of the statement's columns. */
export type Row = readonly (string | undefined)[];

type CommitRequest = NonNullable<Parameters<SpannerClient['commit']>[0]>;
/** One change that a transaction commits. */
export type Mutation = NonNullable<CommitRequest['mutations']>[number];
type Transaction = NonNullable<Parameters<SpannerClient['executeSql']>[0]>['transaction'];
type Decide = (rows: readonly Row[]) => readonly Mutation[];

/** What a transaction read, and when it took place. */
export interface Committed {
  /** What the transaction read. */
  readonly rows: readonly Row[];
  /** Microseconds since the epoch by the server's clock; absent: nothing was written. */
  readonly at: number | undefined;
}

/** Pauses before an aborted transaction is tried anew. The server's own advice is made for longer deadlines. */
const ABORTED = { baseMs: 10, maxMs: 250 };
/** Milliseconds that undoing a transaction may take. */
const UNDO_MS = 500;

/** A single-use strong read. */
export async function query(exchange: Exchange, statement: Statement): Promise<readonly Row[]> {
  return (await execute(exchange, statement, { singleUse: { readOnly: { strong: true } } })).rows;
}

/** Writes what `decide` makes of what was read, in one transaction; it is asked again when the server aborts that. */
export async function transact(exchange: Exchange, statement: Statement, decide: Decide): Promise<Committed> {
  for (const backoff = new Backoff(ABORTED, chance); ;) {
    try {
      return await attempt(exchange, statement, decide);
    } catch (error) {
      if (!hasCode(error, codes.ABORTED)) throw error;
    }
    await exchange.pause(backoff.next());
  }
}

async function execute(exchange: Exchange, statement: Statement, transaction: Transaction) {
  const { client, session } = exchange;
  const names = Object.keys(statement.params);
  const [result] = await client.executeSql(
    {
      session,
      sql: statement.sql,
      params: {
        fields: Object.fromEntries(names.map((name) => [name, { stringValue: statement.params[name] ?? '' }])),
      },
      paramTypes: Object.fromEntries(names.map((name) => [name, { code: 'STRING' as const }])),
      transaction: transaction ?? null,
    },
    exchange.options(),
  );
  const rows = (result.rows ?? []).map(({ values }) => (values ?? []).map((value) => value.stringValue ?? undefined));
  return { rows, transactionId: result.metadata?.transaction?.id ?? '' };
}

async function attempt(exchange: Exchange, statement: Statement, decide: Decide): Promise<Committed> {
  const { client, session } = exchange;
  const { rows, transactionId } = await execute(exchange, statement, { begin: { readWrite: {} } });
  const transaction = { session, transactionId };
  try {
    const mutations = decide(rows);
    if (mutations.length > 0) {
      const [{ commitTimestamp }] = await client.commit(
        { ...transaction, mutations: [...mutations] },
        exchange.options(),
      );
      return { rows, at: Number(commitTimestamp?.seconds ?? 0) * 1e6 + (commitTimestamp?.nanos ?? 0) / 1000 };
    }
    await client.rollback(transaction, exchange.options());
    return { rows, at: undefined };
  } catch (error) {
    // Its locks would stand in everybody's way for seconds.
    if (!hasCode(error, codes.ABORTED))
      void client.rollback(transaction, { timeout: UNDO_MS, retry: null }).catch(() => {});
    throw error;
  }
}
