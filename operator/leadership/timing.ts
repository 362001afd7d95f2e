/** The lease's durations and the rules between them, in milliseconds. */

export interface Timing {
  /** How long a lease is valid after its last renewal. */
  readonly ttlMs: number;
  /** Without an acknowledged renewal for so long, the holder starts nothing new. */
  readonly renewDeadlineMs: number;
  /** Between two renewals, and between two looks of a standby. */
  readonly retryPeriodMs: number;
}

/** Clocks may run at rates that differ by so much: every wait is longer, every validity shorter by this factor. */
export const RATE_ERROR = 0.01;

/** Kept free at the end of a lease for what a process does not see: scheduling, whole-second timestamps. */
export const MARGIN_MS = 1000;

/** A wait of `ms` that is long enough by every clock. */
export function atLeast(ms: number): number {
  return ms * (1 + RATE_ERROR);
}

/** How long a holder may act after the moment before it sent the renewal that was acknowledged. */
export function validityMs(timing: Timing): number {
  return timing.ttlMs * (1 - RATE_ERROR) - MARGIN_MS;
}

/** The rule that the durations break, with its numbers; `undefined` when they are sound. */
export function brokenTimingRule(timing: Timing): string | undefined {
  const { renewDeadlineMs, retryPeriodMs } = timing;
  if (retryPeriodMs <= 0) return `retryPeriod must be longer than 0, it is ${retryPeriodMs} ms`;
  if (retryPeriodMs * 1.2 >= renewDeadlineMs) {
    return `retryPeriod × 1.2 (${retryPeriodMs * 1.2} ms) must be shorter than renewDeadline (${renewDeadlineMs} ms): one lost renewal would end the lease`;
  }
  if (renewDeadlineMs >= validityMs(timing)) {
    return (
      `renewDeadline (${renewDeadlineMs} ms) must be shorter than ttl less 1 % and a margin of ${MARGIN_MS} ms ` +
      `(${validityMs(timing)} ms): the holder must stop before anybody else may start`
    );
  }
  return undefined;
}
