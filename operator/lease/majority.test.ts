import { expect, test } from 'vitest';
import { majority } from './majority.ts';
import { StoreError } from './store-error.ts';

const never = new Promise<string>(() => {});
const fails = (message: string, kind: 'timeout' | 'unreachable' | 'unauthorized' = 'unreachable') =>
  Promise.reject(new StoreError(kind, message));
const says = (answer: string) => Promise.resolve(answer);
const ask = (...asked: readonly Promise<string>[]) => majority('Sentinels', asked, (answer) => answer);

test.for([
  ['the only one', () => [says('a')]],
  ['all', () => [says('a'), says('a'), says('a')]],
  ['two of three, whatever the third does', () => [never, says('a'), says('a')]],
  ['two of three against one', () => [says('b'), says('a'), says('a')]],
  ['two of three after a failure', () => [fails('gone'), says('a'), says('a')]],
  ['three of four', () => [says('a'), fails('gone'), says('a'), says('a')]],
] as const)('%s', async ([, asked]) => {
  expect(await ask(...asked())).toBe('a');
});

test.for([
  [
    'two of four are not enough',
    () => [says('a'), says('a'), says('b'), says('b')],
    'unreachable',
    /2 reported a, 2 reported b$/,
  ],
  [
    'everybody says something else',
    () => [says('a'), says('b'), says('')],
    'unreachable',
    /1 reported a, 1 reported b, 1 reported none/,
  ],
  [
    'two of three fail',
    () => [never, fails('x'), fails('y')],
    'unreachable',
    /^2 of 3 Sentinels did not answer: x; y$/,
  ],
  [
    'the kind is that of all',
    () => [fails('no', 'unauthorized')],
    'unauthorized',
    /^1 of 1 Sentinels did not answer: no$/,
  ],
  ['kinds differ', () => [fails('x', 'timeout'), fails('y'), never], 'unreachable', /x; y$/],
] as const)('%s', async ([, asked, kind, message]) => {
  await expect(ask(...asked())).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
});

test('nobody is waited for once nothing can come of it', async () => {
  await expect(ask(fails('x'), fails('y'), never)).rejects.toMatchObject({ kind: 'unreachable' });
});
