import { describe, expect, it } from 'vitest';
import type { CommonStatus, Occasion, Verdict } from './status.ts';
import { composeStatus, conditionsOf, statusPatch, timestamp } from './status.ts';
import { kstatusViolations } from './testing/kstatus.ts';

const T0 = '2030-01-01T00:00:00Z';
const T1 = '2030-01-01T00:01:00Z';
const AT: Occasion = { generation: 2, now: T0, tenant: 'default', holder: 'a', term: 7 };
const verdict = (state: Verdict['state'], reason = 'Because'): Verdict => ({ state, reason, message: 'why' });

describe('conditionsOf', () => {
  it.each([
    ['done', ['Ready=True']],
    ['working', ['Ready=False', 'Reconciling=True']],
    ['stalled', ['Ready=False', 'Stalled=True']],
  ] as const)('%s', (state, expected) => {
    const conditions = conditionsOf(verdict(state), AT);
    expect(conditions.map(({ type, status }) => `${type}=${status}`)).toEqual(expected);
    expect(kstatusViolations({ metadata: { generation: 2 }, status: { observedGeneration: 2, conditions } })).toEqual(
      [],
    );
  });

  it.each([
    ['done', 'Ready=True'],
    ['working', 'Ready=False'],
  ] as const)('resting keeps Ready as it was (%s)', (before, expected) => {
    const conditions = conditionsOf(verdict('resting', 'Suspended'), AT, conditionsOf(verdict(before), AT));
    expect(conditions.map(({ type, status }) => `${type}=${status}`)).toEqual([expected]);
  });

  it('moves lastTransitionTime only when the status of the condition changes', () => {
    const first = conditionsOf(verdict('working', 'A'), AT);
    const second = conditionsOf(verdict('working', 'B'), { ...AT, now: T1 }, first);
    expect(second.map(({ lastTransitionTime, reason }) => [lastTransitionTime, reason])).toEqual([
      [T0, 'B'],
      [T0, 'B'],
    ]);
    expect(conditionsOf(verdict('done'), { ...AT, now: T1 }, second)[0]?.lastTransitionTime).toBe(T1);
  });
});

describe('composeStatus', () => {
  const facts = { active: true, healthy: true };
  const before = composeStatus<CommonStatus>(facts, verdict('done'), AT);

  it('is the same again when nothing but time has passed', () => {
    const again = composeStatus<CommonStatus>(facts, verdict('done'), { ...AT, now: T1 }, before);
    expect(again).toEqual(before);
    expect(statusPatch(before, again)).toBeUndefined();
  });

  it('dates a change of the holder, and keeps the other times', () => {
    const next = composeStatus<CommonStatus>(
      facts,
      verdict('done'),
      { ...AT, now: T1, tenant: 'default', holder: 'b', term: 8 },
      before,
    );
    expect(next.controller).toEqual({ tenant: 'default', holder: 'b', term: 8, observedTime: T1 });
    expect(next.lastTransition).toBe(T0);
  });

  it('dates a change of active or healthy', () => {
    const next = composeStatus<CommonStatus>(
      { active: true, healthy: false },
      verdict('working'),
      { ...AT, now: T1 },
      before,
    );
    expect(next.lastTransition).toBe(T1);
  });
});

it('a patch takes out what is no longer said', () => {
  const patch = statusPatch({ active: true, lastError: 'x' }, { active: true, healthy: true, lastError: undefined });
  expect(patch).toEqual({ status: { active: true, healthy: true, lastError: null } });
});

it('writes times as Kubernetes does', () => expect(timestamp(Date.UTC(2030, 0, 1, 0, 0, 0, 999))).toBe(T0));

describe('the kstatus rules', () => {
  const condition = (type: string, status: string) => ({
    type,
    status,
    observedGeneration: 1,
    lastTransitionTime: T0,
    reason: 'R',
    message: 'm',
  });
  it.each([
    ['nothing said', [], /Ready must always be there/],
    ['Ready and Reconciling', [condition('Ready', 'True'), condition('Reconciling', 'True')], /not Ready while/],
    [
      'Reconciling and Stalled',
      [condition('Ready', 'False'), condition('Reconciling', 'True'), condition('Stalled', 'True')],
      /not both/,
    ],
    ['Reconciling kept as False', [condition('Ready', 'True'), condition('Reconciling', 'False')], /remove/],
    ['Ready=False alone', [condition('Ready', 'False')], /alone/],
    ['a reason that is no word', [{ ...condition('Ready', 'True'), reason: 'not a word' }], /CamelCase/],
    ['a lagging condition', [{ ...condition('Ready', 'True'), observedGeneration: 0 }], /root one/],
  ])('%s is a violation', (_sentence, conditions, expected) => {
    expect(kstatusViolations({ status: { observedGeneration: 1, conditions: conditions as never } }).join()).toMatch(
      expected,
    );
  });
});
