import { describe, expect, it } from 'vitest';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { ServerClock } from './server-clock.ts';

const date = (ms: number): string => new Date(ms).toUTCString();

describe('ServerClock', () => {
  it('knows nothing before the first reply and ignores what is not a date', () => {
    const server = new ServerClock(new FakeClock());
    server.observe('yesterday', 0);
    server.observe(undefined, 0);
    expect(server.at()).toBeUndefined();
  });

  it('moves on with the monotonic clock, whatever the wall clock does, and can answer for an earlier moment', async () => {
    const clock = new FakeClock({ monotonic: 0 });
    const server = new ServerClock(clock);
    server.observe(date(5_000_000), 0);
    clock.jumpWall(-3_600_000);
    await clock.advance(700);
    expect([server.at(), server.at(200)]).toEqual([5_000_700, 5_000_200]);
  });

  it('keeps to the lowest offset: the slowest of several servers, for 15 to 30 s', async () => {
    const clock = new FakeClock({ monotonic: 0 });
    const server = new ServerClock(clock);
    server.observe(date(5_000_000), 0);
    server.observe(date(4_997_000), 0);
    for (let second = 10; second <= 50; second += 10) {
      await clock.advance(10_000);
      server.observe(date(5_000_000 + second * 1000), clock.monotonic());
      expect((server.at() ?? 0) - second * 1000).toBe(second < 40 ? 4_997_000 : 5_000_000);
    }
  });

  it('is not misled by a reply that waited for a stopped process', async () => {
    const clock = new FakeClock({ monotonic: 0 });
    const server = new ServerClock(clock);
    await clock.advance(10_000);
    server.observe(date(5_000_000), 0);
    expect(server.at()).toBe(5_000_000);
    server.observe(date(5_010_000), 10_000);
    server.observe(date(4_990_000), 0);
    expect(server.at()).toBe(5_010_000);
  });
});
