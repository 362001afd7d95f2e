import { describe, expect, it } from 'vitest';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { ServerClock } from './server-clock.ts';

const date = (ms: number): string => new Date(ms).toUTCString();

describe('ServerClock', () => {
  it('knows nothing before the first reply and ignores what is not a date', () => {
    const server = new ServerClock(new FakeClock());
    server.observe('yesterday');
    server.observe(undefined);
    expect(server.at()).toBeUndefined();
  });

  it('moves on with the monotonic clock, whatever the wall clock does, and can answer for an earlier moment', async () => {
    const clock = new FakeClock({ monotonic: 0 });
    const server = new ServerClock(clock);
    server.observe(date(5_000_000));
    clock.jumpWall(-3_600_000);
    await clock.advance(700);
    expect([server.at(), server.at(200)]).toEqual([5_000_700, 5_000_200]);
  });

  it('keeps to the lowest offset: the slowest of several servers, for two to four minutes', async () => {
    const clock = new FakeClock({ monotonic: 0 });
    const server = new ServerClock(clock);
    server.observe(date(5_000_000));
    server.observe(date(4_997_000));
    for (let minute = 1; minute <= 5; minute++) {
      await clock.advance(60_000);
      server.observe(date(5_000_000 + minute * 60_000));
      expect((server.at() ?? 0) - minute * 60_000).toBe(minute < 4 ? 4_997_000 : 5_000_000);
    }
  });
});
