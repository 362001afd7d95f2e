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

/** `incarnation`: of the store, into which it is written. */
export function encodeLedger({ mark, activation, claims }: CronLedger, incarnation: string): string {
  return JSON.stringify({
    incarnation,
    mark: textOf(mark),
    activation: { ...activation, at: textOf(activation.at) },
    claims: claims.map((claim) => ({ ...claim, instant: textOf(claim.instant) })),
  });
}

/** Throws when the text is no ledger: then nobody can tell what has run, and nothing is run. */
export function decodeLedger(text: string): { readonly ledger: CronLedger; readonly incarnation: string } {
  try {
    const { incarnation, mark, activation, claims } = JSON.parse(text) as Written;
    const ledger = {
      mark: timeOf(mark),
      activation: { ...activation, at: timeOf(activation.at) },
      claims: claims.map((claim) => ({ ...claim, instant: timeOf(claim.instant) })),
    };
    return { ledger, incarnation };
  } catch (error) {
    throw new Error('the cell does not hold a ledger of runs: somebody else uses this key', { cause: error });
  }
}

interface Written {
  readonly incarnation: string;
  readonly mark: string;
  readonly activation: { readonly clusterId: string; readonly at: string };
  readonly claims: readonly (Omit<Claim, 'instant'> & { readonly instant: string })[];
}

function textOf(ms: number): string {
  return new Date(ms).toISOString();
}

function timeOf(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new Error(`no time: ${text}`);
  return ms;
}
