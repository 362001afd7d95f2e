/** Which runs of a cron job have been claimed, and how far each has come. Pure. Times are milliseconds since the epoch. */
import { MAX_NUMBER } from '../api/terms.ts';
import { messageOf } from '../lib/errors.ts';
import type { Shape } from '../lib/shape.ts';
import { decodeAs, encodeAs, isListOf, isName, isOneOf, isOptional, isShaped, isTime, isWhole } from '../lib/shape.ts';

/**
 * claimed: it is to run, and may not have begun. started: it has begun, and is never begun again. done: it has ended.
 * unknown: whether it has begun can no longer be told, so it is not begun.
 */
export type RunState = 'claimed' | 'started' | 'done' | 'unknown';

/** One run, and what became of it. */
export interface Claim {
  /** When it was due. */
  readonly instant: number;
  readonly term: number;
  readonly clusterId: string;
  readonly jobUid: string;
  readonly state: RunState;
}

/** What is known of the runs of one cron job. */
export interface CronLedger {
  /** No run that was due by then is ever claimed anew. */
  readonly mark: number;
  /** Where the cron job is active, and since when. */
  readonly activation: { readonly clusterId: string; readonly at: number };
  /** The oldest first: all that have not ended, and the last of those that have. */
  readonly claims: readonly Claim[];
}

const KEPT = 10;

/** Whether the run has not ended yet. */
export function isOpen({ state }: Claim): boolean {
  return state === 'claimed' || state === 'started';
}

/** The ledger with one more claim; the mark moves up to it, and the oldest of those that have ended are left out. */
export function withClaim(ledger: CronLedger, claim: Claim): CronLedger {
  const claims = [...ledger.claims, claim];
  return {
    ...ledger,
    mark: Math.max(ledger.mark, claim.instant),
    claims: claims.filter((each, index) => isOpen(each) || index >= claims.length - KEPT),
  };
}

/** The ledger with the claim in another state. */
export function withState(ledger: CronLedger, claim: Claim, state: RunState): CronLedger {
  return { ...ledger, claims: ledger.claims.map((each) => (each === claim ? { ...each, state } : each)) };
}

/** As it is written: with times that people can read. */
interface Written {
  readonly incarnation?: string;
  readonly mark: string;
  readonly activation: { readonly clusterId: string; readonly at: string };
  readonly claims: readonly WrittenClaim[];
}
type WrittenClaim = Omit<Claim, 'instant'> & { readonly instant: string };

const MOST_CLAIMS = 1000;
const STATES = ['claimed', 'started', 'done', 'unknown'] as const satisfies readonly RunState[];

const CLAIM: Shape<WrittenClaim> = {
  instant: isTime,
  term: isWhole(MAX_NUMBER),
  clusterId: isName,
  jobUid: isName,
  state: isOneOf(...STATES),
};
const WRITTEN: Shape<Written> = {
  // Those of versions before that wrote it have none.
  incarnation: isOptional(isName),
  mark: isTime,
  activation: isShaped({ clusterId: isName, at: isTime }),
  claims: isListOf(isShaped(CLAIM), MOST_CLAIMS),
};

/** `incarnation`: of the store, into which it is written. Throws for what `decodeLedger` would not read. */
export function encodeLedger({ mark, activation, claims }: CronLedger, incarnation: string): string {
  return encodeAs(WRITTEN, {
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
    const { incarnation = '', mark, activation, claims } = decodeAs(WRITTEN, text);
    const ledger = {
      mark: Date.parse(mark),
      activation: { clusterId: activation.clusterId, at: Date.parse(activation.at) },
      claims: claims.map(claimOf),
    };
    return { ledger, incarnation };
  } catch (error) {
    throw new Error(
      `key ${key}: expected a ledger of runs, found other data (${messageOf(error)}); is another application using this key?`,
      { cause: error },
    );
  }
}

function claimOf({ instant, term, clusterId, jobUid, state }: WrittenClaim): Claim {
  return { instant: Date.parse(instant), term, clusterId, jobUid, state };
}

function textOf(ms: number): string {
  return new Date(ms).toISOString();
}
