import { describe, expect, it } from 'vitest';
import { parseDuration } from './duration.ts';

describe('parseDuration', () => {
  it.each([
    ['300ms', 300],
    ['1.5s', 1500],
    ['1h30m', 5_400_000],
    ['.5m', 30_000],
    ['2µs', 0.002],
    ['1h1m1s1ms', 3_661_001],
    ['0', 0],
    ['-2s', -2000],
    ['+2s', 2000],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBeCloseTo(ms));

  it.each(['', '-', 's', '1x', '1s2', '1 s', 'P1D', '1d', 'NaNs', '1e3s'])('refuses "%s"', (text) =>
    expect(() => parseDuration(text)).toThrow(/is not a duration/),
  );

  it('says which unit is missing', () =>
    expect(() => parseDuration('15')).toThrow('"15" has no unit: write "15s" for seconds'));
});
