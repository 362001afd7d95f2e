/** Notices a main loop that is too busy to be trusted: its own beat comes late. */
import type { Clock, Timer } from '../lib/clock.ts';
import type { HealthCheck } from './health.ts';

/** The check, and how it ends. */
export interface EventLoopCheck extends HealthCheck {
  stop(): void;
}

/** How late a beat may be. */
export interface EventLoopOptions {
  readonly clock: Clock;
  /** Milliseconds that a beat may be late; 5000 unless told. */
  readonly maxLagMs?: number;
  /** Milliseconds between two beats; 1000 unless told. */
  readonly beatMs?: number;
}

/** Fails while the last beat is overdue, and after an overdue one until a beat comes in time. */
export function eventLoopCheck({ clock, maxLagMs = 5000, beatMs = 1000 }: EventLoopOptions): EventLoopCheck {
  let beatAt = clock.monotonic();
  let lagMs = 0;
  let timer: Timer;
  const overdue = () => clock.monotonic() - beatAt - beatMs;
  const arm = () => {
    timer = clock.after(beatMs, () => {
      lagMs = overdue();
      beatAt = clock.monotonic();
      arm();
    });
  };
  arm();
  return {
    name: 'event-loop',
    check() {
      const worst = Math.max(lagMs, overdue());
      return worst > maxLagMs ? `the event loop was blocked for ${Math.round(worst)} ms` : undefined;
    },
    stop: () => timer.cancel(),
  };
}
