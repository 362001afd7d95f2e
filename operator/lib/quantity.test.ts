import { describe, expect, it } from 'vitest';
import { compareQuantities, parseQuantity } from './quantity.ts';

it.each([
  ['250m', 0.25],
  ['1', 1],
  [2, 2],
  ['.5', 0.5],
  ['1.5Gi', 1.5 * 2 ** 30],
  ['64Mi', 67_108_864],
  ['1e3', 1000],
  ['1E', 1e18],
  ['2Ei', 2 * 2 ** 60],
  ['12E2', 1200],
  ['1Ei', 2 ** 60],
  ['100k', 100_000],
])('%s is %d', (text, amount) => expect(parseQuantity(text)).toBeCloseTo(amount));

it.each(['', '-1', '1 Gi', '64MB', '10mi', 'Mi', '1e', -2])('refuses %s', (text) =>
  expect(parseQuantity(text)).toBeUndefined(),
);

describe('two quantities', () => {
  it.each([
    ['1024Mi', '1Gi'],
    ['1', 1],
    ['0.5', '500m'],
    ['1e3', '1k'],
    ['1E', '1000P'],
    ['1Ei', '1024Pi'],
    ['12E2', '1200'],
    ['1Ei', '1024Pi'],
    ['2.3Gi', '2469606195200m'],
    ['0.0000000001', '1n'],
    ['10E', '9223372036854775807'],
    [0.1, '100m'],
    ['1.', '1'],
  ])('%s and %s are the same', (a, b) => expect(compareQuantities(a, b)).toBe(0));

  it('are the same however many thousandths they are', () => {
    const differing = Array.from({ length: 5000 }, (_, index) => index + 1).filter(
      (count) => compareQuantities(String(count / 1000), `${count}m`) !== 0,
    );
    expect(differing).toEqual([]);
  });

  it.each([
    ['1Gi', '1G', 1],
    ['9m', '10m', -1],
    ['x', '1', undefined],
    ['1e99999999', '1', undefined],
    ['9'.repeat(100_000), '1', undefined],
  ])('%s to %s compares as %s', (a, b, expected) => expect(compareQuantities(a, b)).toBe(expected));
});
