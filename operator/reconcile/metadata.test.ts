import { expect, it } from 'vitest';
import { annotations, labels } from '../api/group.ts';
import { belongsTo, childLabels, numberAnnotation, stableHash, withoutOurs, workloadOf } from './metadata.ts';

it.each([
  ["a workload without the label is the default tenant's", {}, 'default', true],
  ['an empty label is no label', { [labels.tenant]: '' }, 'default', true],
  ["a labelled workload is its tenant's", { [labels.tenant]: 'a' }, 'a', true],
  ["and nobody else's", { [labels.tenant]: 'a' }, 'default', false],
])('%s', (_sentence, own, tenant, expected) => {
  expect(belongsTo({ metadata: { name: 'x', labels: own } }, tenant)).toBe(expected);
});

it('hashes equal values alike, whatever the order of their keys', () => {
  expect(stableHash({ a: 1, b: { c: [1, 2], d: undefined } })).toBe(stableHash({ b: { c: [1, 2] }, a: 1 }));
  expect(stableHash({ a: [1, 2] })).not.toBe(stableHash({ a: [2, 1] }));
  expect(stableHash({})).toMatch(/^[0-9a-f]{16}$/);
});

it('lets a user choose the recommended labels, but none of ours', () => {
  const users = {
    'app.kubernetes.io/name': 'mine',
    'app.kubernetes.io/managed-by': 'me',
    [labels.tenant]: 'evil',
    x: 'y',
  };
  expect(childLabels({ tenant: 't', kind: 'K', name: 'n', component: 'c' }, users)).toEqual({
    'app.kubernetes.io/name': 'mine',
    'app.kubernetes.io/instance': 'n',
    'app.kubernetes.io/component': 'c',
    'app.kubernetes.io/managed-by': 'highlander',
    [labels.tenant]: 't',
    [labels.kind]: 'K',
    [labels.name]: 'n',
    x: 'y',
  });
  expect(withoutOurs({ [annotations.term]: '99', note: 'x' })).toEqual({ note: 'x' });
});

it('finds the workload of a child by its labels', () => {
  const child = {
    metadata: { name: 'x', namespace: 'n', labels: { [labels.kind]: 'WorkloadProcess', [labels.name]: 'job' } },
  };
  expect(workloadOf(child, 'WorkloadProcess')).toEqual({ kind: 'WorkloadProcess', namespace: 'n', name: 'job' });
  expect(workloadOf(child, 'WorkloadCronJob')).toBeUndefined();
});

it.each([
  ['7', 7],
  ['0', 0],
  ['', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['99999999999999999999', undefined],
])('reads annotation %j as %s', (text, expected) => {
  expect(numberAnnotation({ metadata: { name: 'x', annotations: { term: text } } }, 'term')).toBe(expected);
});
