import { expect, it } from 'vitest';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { clusterTime } from './cluster-time.ts';

const NOW = Date.UTC(2026, 0, 1);

it.each([
  ['nothing is known of the API server', undefined, NOW],
  ['both agree as well as can be told', NOW - 1900, NOW],
  ['the own clock is ahead', NOW - 3_600_000, NOW - 3_600_000],
  ['the own clock is behind', NOW + 3_600_000, NOW + 3_600_000],
  ['the other is between two milliseconds', NOW + 3_600_000.75, NOW + 3_600_000],
])('when %s', (_, theirs, expected) => {
  const clock = clusterTime(new FakeClock({ wall: NOW }), { at: () => theirs });
  expect(clock.wall()).toBe(expected);
});

it('is the own clock in all else', async () => {
  const own = new FakeClock({ monotonic: 7 });
  const clock = clusterTime(own, { at: () => NOW });
  expect(clock.monotonic()).toBe(7);
  let fired = false;
  clock.after(100, () => (fired = true));
  await own.advance(100);
  expect(fired).toBe(true);
});
