/** Which runs of a cron job have been claimed, and how far each has come. Pure. Times are milliseconds since the epoch. */

/**
 * claimed: it is to run, and may not have begun. started: it has begun, and is never begun again. done: it has ended.
 * unknown: whether it has begun can no longer be told, so it is not begun.
 */
export type RunState = 'claimed' | 'started' | 'done' | 'unknown';

export interface Claim {
  /** When it was due. */
  readonly instant: number;
  readonly term: number;
  readonly clusterId: string;
  readonly jobUid: string;
  readonly state: RunState;
}

export interface CronLedger {
  /** No run that was due by then is ever claimed anew. */
  readonly mark: number;
  /** Where the cron job is active, and since when. */
  readonly activation: { readonly clusterId: string; readonly at: number };
  /** The oldest first: all that have not ended, and the last of those that have. */
  readonly claims: readonly Claim[];
}

const KEPT = 10;

export function isOpen({ state }: Claim): boolean {
  return state === 'claimed' || state === 'started';
}

export function withClaim(ledger: CronLedger, claim: Claim): CronLedger {
  const claims = [...ledger.claims, claim];
  return {
    ...ledger,
    mark: Math.max(ledger.mark, claim.instant),
    claims: claims.filter((each, index) => isOpen(each) || index >= claims.length - KEPT),
  };
}

export function withState(ledger: CronLedger, claim: Claim, state: RunState): CronLedger {
  return { ...ledger, claims: ledger.claims.map((each) => (each === claim ? { ...each, state } : each)) };
}

/** `incarnation`: of the store, into which it is written. Throws a RangeError for what is not a time. */
export function encodeLedger({ mark, activation, claims }: CronLedger, incarnation: string): string {
  return JSON.stringify({
    incarnation,
    mark: textOf(mark),
    activation: { ...activation, at: textOf(activation.at) },
    claims: claims.map((claim) => ({ ...claim, instant: textOf(claim.instant) })),
  });
}

/** Throws when the text, found under that key, is not a ledger: then nobody can tell what has run, and nothing is run. */
export function decodeLedger(
  text: string,
  key = 'ledger',
): { readonly ledger: CronLedger; readonly incarnation: string } {
  try {
    // Those of versions before that wrote it have no incarnation.
    const { incarnation = '', mark, activation, claims } = fieldsOf(JSON.parse(text));
    const { clusterId, at } = fieldsOf(activation);
    if (!Array.isArray(claims) || claims.length > MOST_CLAIMS) throw new Error('not a list of claims');
    const ledger = {
      mark: timeOf(mark),
      activation: { clusterId: textIn(clusterId), at: timeOf(at) },
      claims: claims.map(claimOf),
    };
    return { ledger, incarnation: textIn(incarnation) };
  } catch (error) {
    throw new Error(`key ${key}: expected a ledger of runs, found other data; is another application using this key?`, {
      cause: error,
    });
  }
}

const MOST_CLAIMS = 1000;
const LONGEST_TEXT = 1000;
const STATES: readonly unknown[] = ['claimed', 'started', 'done', 'unknown'] satisfies readonly RunState[];

function claimOf(value: unknown): Claim {
  const { instant, term, clusterId, jobUid, state } = fieldsOf(value);
  if (!Number.isSafeInteger(term) || !STATES.includes(state)) throw new Error('not a claim');
  return {
    instant: timeOf(instant),
    term: term as number,
    clusterId: textIn(clusterId),
    jobUid: textIn(jobUid),
    state: state as RunState,
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error('not an object');
  return value as Readonly<Record<string, unknown>>;
}

function textIn(value: unknown): string {
  if (typeof value !== 'string' || value.length > LONGEST_TEXT) throw new Error('not a text');
  return value;
}

function textOf(ms: number): string {
  return new Date(ms).toISOString();
}

function timeOf(value: unknown): number {
  const ms = Date.parse(textIn(value));
  if (Number.isNaN(ms)) throw new Error('not a time');
  return ms;
}
