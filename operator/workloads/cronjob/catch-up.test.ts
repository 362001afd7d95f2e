import { describe, expect, it } from 'vitest';
import { choose } from './catch-up.ts';

/** Minutes. Active since 10; now it is 14. */
const missed = [6, 7, 8, 9];
const fresh = [12, 13];

describe('choose', () => {
  it.each([
    { case: 'nothing is due', instants: [], run: undefined, left: [] },
    { case: 'None runs nothing that was missed', instants: missed, catchUp: 'None', run: undefined, left: missed },
    {
      case: 'None runs the last one since the take-over',
      instants: [...missed, ...fresh],
      catchUp: 'None',
      run: 13,
      left: [...missed, 12],
    },
    { case: 'Last makes up for the last one', instants: missed, run: 9, left: [6, 7, 8] },
    { case: 'All begins with the first', instants: missed, catchUp: 'All', run: 6, left: [] },
    {
      case: 'All makes up for ten',
      instants: [0, 1, 2, ...missed, 10, 11, ...fresh, 14],
      catchUp: 'All',
      run: 2,
      left: [0, 1],
    },
    {
      case: 'All keeps to startingDeadlineSeconds',
      instants: missed,
      catchUp: 'All',
      deadlineMs: 6,
      run: 8,
      left: [6, 7],
    },
    { case: 'a run that is too late is left out', instants: missed, deadlineMs: 2, run: undefined, left: missed },
  ] as const)('$case', ({ run, left, ...due }) => {
    const usual = { activeSince: 10, deadlineMs: Infinity, catchUp: 'Last', now: 14 } as const;
    expect(choose({ ...usual, ...due })).toEqual({ run, left });
  });
});
