/** Durations of the elections that are played: short, so that minutes show much. */
import { atLeast, brokenTimingRule, MARGIN_MS, type Timing } from '../../../operator/leadership/timing.ts';

export const TIMING: Timing = { ttlMs: 3000, renewDeadlineMs: 1800, retryPeriodMs: 400 };
export const DRAIN_MS = 500;

const broken = brokenTimingRule(TIMING);
if (broken !== undefined) throw new Error(broken);

/** As the program has it. */
export const PRESENCE_MS = TIMING.renewDeadlineMs / 2;

/**
 * After the last fault somebody leads again: at worst everybody waits `ttl + drain` from when the own presence record
 * was seen to be lost and is there again. The margin is for that, for connecting anew, and for a busy machine.
 */
export const PROGRESS_MS = atLeast(TIMING.ttlMs + DRAIN_MS) + 2 * PRESENCE_MS + TIMING.retryPeriodMs + 3 * MARGIN_MS;

/** After a loss a standby may not take over for so long, even if the lease is released. */
export const CALM_MS = atLeast(TIMING.ttlMs + DRAIN_MS) + 2 * PRESENCE_MS;

/** A planned hand-over takes less. */
export const HAND_OVER_MS = 1000;
