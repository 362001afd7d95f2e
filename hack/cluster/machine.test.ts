import { expect, test } from 'vitest';
import { mayLowerOomScore } from './machine.ts';

test.each([
  ['000001ffffffffff', true],
  ['000001fffeffffff', false],
  ['0000000000000000', false],
])('capabilities %s: %s', (capabilities, expected) => {
  expect(mayLowerOomScore(`Name:\tx\nCapEff:\t${capabilities}\nCapBnd:\t0\n`)).toBe(expected);
});
