import { describe, expect, it } from 'vitest';
import { Backoff, backoffMs } from './backoff.ts';

const options = { baseMs: 50, maxMs: 60_000 };

describe('back-off', () => {
  it('doubles up to its maximum and stays there, however many failures', () => {
    const delays = [0, 1, 2, 10, 11, 5000].map((attempt) => backoffMs(attempt, options, () => 1));
    expect(delays).toEqual([50, 100, 200, 51_200, 60_000, 60_000]);
  });

  it('spreads a delay over its upper half', () => {
    expect(backoffMs(3, options, () => 0)).toBe(200);
    expect(backoffMs(3, options, () => 0.5)).toBe(300);
  });

  it('starts anew after progress', () => {
    const backoff = new Backoff(options, () => 1);
    expect([backoff.next(), backoff.next(), backoff.attempts]).toEqual([50, 100, 2]);
    backoff.reset();
    expect(backoff.next()).toBe(50);
  });
});
