import { expect, it } from 'vitest';
import { strategicMerge } from './strategic-merge.ts';

it.each([
  ['a field that only the lower one has stays', { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
  ['the upper one wins', { a: 1 }, { a: 2 }, { a: 2 }],
  ['maps are merged', { m: { a: 1, b: 1 } }, { m: { b: 2 } }, { m: { a: 1, b: 2 } }],
  [
    'containers are merged by name, those of the upper one first',
    { containers: [{ name: 'side' }, { name: 'main', workingDir: '/x', image: 'a' }] },
    { containers: [{ name: 'main', image: 'b' }] },
    { containers: [{ name: 'main', image: 'b', workingDir: '/x' }, { name: 'side' }] },
  ],
  [
    'variables by name, mounts by path, ports by number and protocol',
    {
      env: [{ name: 'A', value: '1' }, { name: 'B' }],
      volumeMounts: [{ mountPath: '/a', name: 'x' }],
      ports: [
        { containerPort: 80, name: 'x' },
        { containerPort: 80, protocol: 'UDP' },
      ],
    },
    {
      env: [{ name: 'A', value: '2' }],
      volumeMounts: [{ mountPath: '/a', name: 'y' }],
      ports: [{ containerPort: 80, protocol: 'TCP' }],
    },
    {
      env: [{ name: 'A', value: '2' }, { name: 'B' }],
      volumeMounts: [{ mountPath: '/a', name: 'y' }],
      ports: [
        { containerPort: 80, protocol: 'TCP', name: 'x' },
        { containerPort: 80, protocol: 'UDP' },
      ],
    },
  ],
  ['lists of plain values are one value', { args: ['a', 'b'] }, { args: ['c'] }, { args: ['c'] }],
  [
    'tolerations are one value',
    { tolerations: [{ key: 'a' }] },
    { tolerations: [{ key: 'b' }] },
    { tolerations: [{ key: 'b' }] },
  ],
  ['a list that only the lower one has stays', { tolerations: [{ key: 'a' }] }, {}, { tolerations: [{ key: 'a' }] }],
])('%s', (_sentence, lower, upper, merged) => {
  expect(strategicMerge(lower, upper)).toEqual(merged);
});
