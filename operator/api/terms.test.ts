import { describe, expect, it } from 'vitest';
import { isPlausible, MAX_LIFT, MAX_NUMBER, wholeNumber } from './terms.ts';

describe('a number on an object', () => {
  it.each([
    ['0', 0],
    ['7', 7],
    ['007', 7],
    [String(MAX_NUMBER), MAX_NUMBER],
  ])('%j is read', (text, number) => {
    expect(wholeNumber(text)).toBe(number);
  });

  it.each([
    '',
    ' 7',
    '7 ',
    '7\n',
    '-1',
    '+1',
    '1.5',
    '1e3',
    '0x10',
    '١٢',
    'Infinity',
    'NaN',
    'soon',
    '9007199254740992',
    '12345678901234567',
    '9'.repeat(90_000),
  ])('%j is not one', (text) => {
    expect(wholeNumber(text)).toBeUndefined();
  });

  it('is absent where there is no text', () => {
    expect(wholeNumber(undefined)).toBeUndefined();
  });
});

it('a stamp is plausible up to a bound above what is known', () => {
  expect(isPlausible(7, 0)).toBe(true);
  expect(isPlausible(12 + MAX_LIFT, 12)).toBe(true);
  expect(isPlausible(13 + MAX_LIFT, 12)).toBe(false);
});
