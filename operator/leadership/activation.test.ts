import { describe, expect, it } from 'vitest';
import type { SeenReport, Waiting } from './activation.ts';
import { outlookOf } from './activation.ts';

const TTL = 15_000;
const west = { cluster: { id: 'west', name: 'default' }, drainMs: 30_000 };
const report = (more: Partial<SeenReport>): SeenReport => ({
  clusterId: 'west',
  term: 7,
  notGone: [],
  ageMs: 0,
  ...more,
});

it.each<[string, Partial<Waiting>, boolean]>([
  ['a silent cluster is waited for', {}, true],
  ['for ttl and drain, and one per cent', { sinceMs: 45_449 }, true],
  ['and no longer', { sinceMs: 45_450 }, false],
  ['but for ever when strict', { sinceMs: 1e9, takeover: 'strict' }, true],
  ['its report ends the wait', { reports: [report({})] }, false],
  ['however old it is', { reports: [report({ ageMs: 1e6 })], takeover: 'strict' }, false],
  ['unless its author had not seen our term', { reports: [report({ term: 6 })] }, true],
  ['or names pods', { reports: [report({ notGone: ['a/x'] })] }, true],
  [
    'a living controller that names pods holds us back',
    { sinceMs: 1e9, reports: [report({ notGone: ['a/x'] })] },
    true,
  ],
  ['one that has died since does not', { sinceMs: 1e9, reports: [report({ notGone: ['a/x'], ageMs: TTL })] }, false],
  ['also when a colleague says that nothing runs', { reports: [report({ notGone: ['a/x'] }), report({})] }, true],
  [
    'whichever speaks first, when strict, after the wait, and although it has seen an earlier term only',
    {
      takeover: 'strict',
      sinceMs: 1e9,
      reports: [report({}), report({ notGone: ['a/x'], term: 6 })],
    },
    true,
  ],
  [
    'and when a person says that all has stopped',
    { reports: [report({ byPerson: true }), report({ notGone: ['a/x'] })] },
    true,
  ],
  ["a person's word ends the wait in the term in which it was given", { reports: [report({ byPerson: true })] }, false],
  ['and in no later one', { reports: [report({ byPerson: true, term: 6 })] }, true],
  [
    'unless it was about the very lease that was taken over',
    { takenOver: 'v4', reports: [report({ byPerson: true, term: 6, leaseVersion: 'v4' })] },
    false,
  ],
  [
    'and not about an earlier one',
    { takenOver: 'v4', reports: [report({ byPerson: true, term: 6, leaseVersion: 'v3' })] },
    true,
  ],
  ['a report of another cluster says nothing', { reports: [report({ clusterId: 'east' })] }, true],
])('%s', (_sentence, more, isWaitedFor) => {
  const waiting: Waiting = {
    pending: [west],
    reports: [],
    takeover: 'bounded',
    term: 7,
    ttlMs: TTL,
    sinceMs: 0,
    ...more,
  };
  expect(outlookOf(waiting, new Map()).pending).toEqual(isWaitedFor ? [west] : []);
});

describe('what may be begun', () => {
  const waiting = (reports: readonly SeenReport[], more: Partial<Waiting> = {}): Waiting => ({
    pending: [west],
    reports,
    takeover: 'strict',
    term: 7,
    ttlMs: TTL,
    sinceMs: 0,
    ...more,
  });

  it('is nothing while nobody there has looked since our term began', () => {
    expect(outlookOf(waiting([]), new Map()).isBlocked).toBe(true);
    expect(outlookOf(waiting([report({ term: 6, notGone: ['a/x'] })]), new Map()).isBlocked).toBe(true);
    expect(outlookOf(waiting([report({ ageMs: TTL, notGone: ['a/x'] })]), new Map()).isBlocked).toBe(true);
  });

  it('is all but what a living controller names there', () => {
    const outlook = outlookOf(waiting([report({ notGone: ['a/x', 'a/y'] })]), new Map());
    expect(outlook).toEqual({
      pending: [west],
      isBlocked: false,
      heldBack: new Map([
        ['a/x', west],
        ['a/y', west],
      ]),
    });
  });

  it('is no more when who named it has died since', () => {
    const known = new Map([['a/x', west]]);
    expect(outlookOf(waiting([]), known)).toMatchObject({ isBlocked: false, heldBack: known });
    const bounded = waiting([], { takeover: 'bounded', sinceMs: 1e9 });
    expect(outlookOf(bounded, known)).toEqual({ pending: [], isBlocked: false, heldBack: new Map() });
  });

  it('is nothing while another cluster says nothing at all', () => {
    const north = { cluster: { id: 'north', name: 'north' }, drainMs: 1000 };
    const outlook = outlookOf(waiting([report({ notGone: ['a/x'] })], { pending: [west, north] }), new Map());
    expect(outlook).toMatchObject({ isBlocked: true, heldBack: new Map([['a/x', west]]) });
  });
});
