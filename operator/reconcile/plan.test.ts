import { describe, expect, it } from 'vitest';
import { annotations, GROUP, labels } from '../api/group.ts';
import { HigherTermSeen } from '../lib/errors.ts';
import type { Child } from './plan.ts';
import { assertNotLater, planChild, standingOf } from './plan.ts';

const CLAIMANT = { tenant: 'default', kind: 'K', name: 'job', uid: 'u1', holder: undefined };
const OWNER = { apiVersion: `${GROUP}/v1`, kind: 'K', name: 'job', uid: 'u1', controller: true };
const LABELS = { [labels.tenant]: 'default', [labels.kind]: 'K', [labels.name]: 'job' };

function child(metadata: Partial<Child['metadata']>): Child {
  return { metadata: { name: 'job-pod', labels: LABELS, ownerReferences: [OWNER], ...metadata } };
}

describe('standingOf', () => {
  it.each([
    ['labelled and owned', {}, 'ours'],
    ['written by another version of the API', { ownerReferences: [{ ...OWNER, apiVersion: `${GROUP}/v2` }] }, 'ours'],
    ['owned by an earlier workload of the name', { ownerReferences: [{ ...OWNER, uid: 'u0' }] }, 'predecessor'],
    ['of another tenant', { labels: { ...LABELS, [labels.tenant]: 'other' } }, 'otherTenant'],
    ['labelled, but owned by nobody', { ownerReferences: [] }, 'foreign'],
    ['labelled, but controlled by somebody else', { ownerReferences: [{ ...OWNER, kind: 'ReplicaSet' }] }, 'foreign'],
    ['owned, but not labelled any more', { labels: {} }, 'ours'],
    ['labelled as of another kind', { labels: { ...LABELS, [labels.kind]: 'L' } }, 'ours'],
    ['of an earlier workload, and not labelled', { labels: {}, ownerReferences: [{ ...OWNER, uid: 'u0' }] }, 'foreign'],
    ['named in an owner that is not the controller', { ownerReferences: [{ ...OWNER, controller: false }] }, 'foreign'],
  ] as const)('%s', (_sentence, metadata, expected) => {
    expect(standingOf(child(metadata as never), CLAIMANT)).toBe(expected);
  });
});

it('of another tenant by its label, although this one has had the workload all the time', () => {
  const labelled = { labels: { ...LABELS, [labels.tenant]: 'other' } };
  expect(standingOf(child(labelled), { ...CLAIMANT, holder: 'default' })).toBe('ours');
  const earlier = { ...labelled, ownerReferences: [{ ...OWNER, uid: 'u0' }] };
  expect(standingOf(child(earlier), { ...CLAIMANT, holder: 'default' })).toBe('otherTenant');
});

describe('planChild', () => {
  const stamped = (term: string, generation: string, hash: string, finalizers: string[] = ['f']) =>
    child({
      finalizers,
      annotations: { [annotations.term]: term, [annotations.generation]: generation, [annotations.templateHash]: hash },
    });
  const desired = { object: child({}), hash: 'h', finalizer: 'f' };
  const stamp = { term: 7, generation: 2 };
  const now = { [annotations.term]: '7', [annotations.generation]: '2' };

  it.each([
    ['nothing to do', stamped('7', '2', 'h'), undefined],
    ['a new version of the product alone', stamped('7', '2', 'other'), undefined],
    ['a new generation with another template', stamped('7', '1', 'other'), { type: 'stop', reason: 'SpecChanged' }],
    [
      'a new generation with the same template',
      stamped('7', '1', 'h'),
      { type: 'stamp', reason: 'SpecSeen', patch: { annotations: now } },
    ],
    ['a new leader', stamped('6', '2', 'h'), { type: 'stamp', reason: 'Adopted', patch: { annotations: now } }],
    [
      'a finalizer that is missing',
      stamped('7', '2', 'h', ['x']),
      { type: 'stamp', reason: 'Drifted', patch: { annotations: now, finalizers: ['x', 'f'] } },
    ],
    [
      'labels by which it is found that others have changed',
      { metadata: { ...stamped('7', '2', 'h').metadata, labels: { ...LABELS, [labels.tenant]: 'x', own: 'y' } } },
      { type: 'stamp', reason: 'Drifted', patch: { annotations: now, labels: { [labels.tenant]: 'default' } } },
    ],
  ])('%s', (_sentence, live, expected) => {
    expect(planChild(live, desired, stamp)).toEqual(expected && { ...expected, live });
  });

  it('touches nothing with a later stamp', () => {
    expect(() => assertNotLater(stamped('8', '2', 'h'), 7)).toThrow(HigherTermSeen);
    expect(() => assertNotLater(stamped('7', '2', 'h'), 7)).not.toThrow();
    expect(() => assertNotLater(child({}), 7)).not.toThrow();
  });
});
