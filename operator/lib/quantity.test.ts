import { expect, it } from 'vitest';
import { parseQuantity } from './quantity.ts';

it.each([
  ['250m', 0.25],
  ['1', 1],
  [2, 2],
  ['.5', 0.5],
  ['1.5Gi', 1.5 * 2 ** 30],
  ['64Mi', 67_108_864],
  ['1e3', 1000],
  ['1E', 1e18],
  ['12E2', 1200],
  ['100k', 100_000],
])('%s is %d', (text, amount) => expect(parseQuantity(text)).toBeCloseTo(amount));

it.each(['', '-1', '1 Gi', '64MB', '10mi', 'Mi', '1e', -2])('refuses %s', (text) =>
  expect(parseQuantity(text)).toBeUndefined(),
);
