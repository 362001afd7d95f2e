import { describe, expect, it } from 'vitest';
import { contains, removals, withoutNulls } from './contains.ts';

describe('contains', () => {
  it.each([
    ['what others add', { a: 1, b: 2 }, { a: 1 }, true],
    ['another value', { a: 1 }, { a: 2 }, false],
    ['nothing where something is wanted', {}, { a: 'x' }, false],
    ['what the API server leaves out', {}, { a: '', b: false, c: 0, d: [], e: {}, f: { g: [] } }, true],
    ['items of others in a list of objects', [{ name: 'b' }, { name: 'a', x: 1 }], [{ name: 'a' }], true],
    ['a missing item', [{ name: 'b' }], [{ name: 'a' }], false],
    ['a list of values that grew', ['a', 'b'], ['a'], false],
    [
      'an amount in another form',
      { limits: { cpu: '1', memory: '512Mi' } },
      { limits: { cpu: '1000m', memory: '0.5Gi' } },
      true,
    ],
    [
      'amounts elsewhere in a pod',
      { volumes: [{ emptyDir: { sizeLimit: '1Gi' } }], env: [{ valueFrom: { resourceFieldRef: { divisor: '1' } } }] },
      {
        volumes: [{ emptyDir: { sizeLimit: '1024Mi' } }],
        env: [{ valueFrom: { resourceFieldRef: { divisor: '1000m' } } }],
      },
      true,
    ],
    [
      'an amount that is a number',
      { requests: { cpu: '500m', storage: '1' } },
      { requests: { cpu: 0.5, storage: 1 } },
      true,
    ],
    [
      'an amount that is rounded up to thousandths when it is stored',
      { requests: { cpu: '1m', memory: '1235m' } },
      { requests: { cpu: '1u', memory: ' 1.2341' } },
      true,
    ],
    ['an amount rounded down', { requests: { cpu: '1m' } }, { requests: { cpu: '1001u' } }, false],
    ['the largest unit there is', { limits: { memory: '1Ei' } }, { limits: { memory: '1024Pi' } }, true],
    ['another amount', { requests: { cpu: '1' } }, { requests: { cpu: '1001m' } }, false],
    ['a text that only looks like an amount', { value: '1' }, { value: '1.0' }, false],
    ['what must be absent', { a: { b: 1 } }, { a: null }, false],
    ['nothing where nothing may be', {}, { a: null }, true],
  ])('%s', (_sentence, live, wanted, expected) => expect(contains(live, wanted)).toBe(expected));
});

it('removes what must be absent with the values beside it, on which its absence may depend', () => {
  const wanted = { spec: { replicas: 1, strategy: { type: 'Recreate', rollingUpdate: null } } };
  const live = { spec: { replicas: 1, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%' } } } };
  expect(removals(live, wanted)).toEqual({ spec: { strategy: { type: 'Recreate', rollingUpdate: null } } });
  expect(removals({ spec: { strategy: { type: 'Recreate' } } }, wanted)).toBeUndefined();
  expect(withoutNulls(wanted)).toEqual({ spec: { replicas: 1, strategy: { type: 'Recreate' } } });
});
