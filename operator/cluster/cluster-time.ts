import type { Clock } from '../lib/clock.ts';
import type { ServerClock } from './server-clock.ts';

/** The API server's time is known no better than that. */
const DOUBT_MS = 5000;

/**
 * The own clock, with the API server's time for the wall's where the two disagree: what is compared with times on
 * objects, such as when a run is due, must not hang on a clock that is wrong.
 */
export function clusterTime(own: Clock, server: Pick<ServerClock, 'at'>): Clock {
  return {
    monotonic: () => own.monotonic(),
    sleep: (ms, signal) => own.sleep(ms, signal),
    after: (ms, fire) => own.after(ms, fire),
    wall() {
      const mine = own.wall();
      const theirs = server.at() ?? mine;
      // Whole, as wall clocks are; the server's is counted on from one with fractions.
      return Math.abs(theirs - mine) > DOUBT_MS ? Math.floor(theirs) : mine;
    },
  };
}
