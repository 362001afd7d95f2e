import { describe, expect, it } from 'vitest';
import type { Life } from './diaries.ts';
import { lifeOf } from './diaries.ts';
import { aliveAt, longestGap, overlapsOf, runsOf } from './verdict.ts';

const life = (startedAt: number, seenAt: number, more: Partial<Life> = {}): Life => ({
  workload: 'w',
  cluster: 'east',
  pod: 'w-pod',
  startedAt,
  seenAt,
  ended: true,
  ...more,
});

it('reads a diary, and leaves out a line that is half written', () => {
  expect(lifeOf('cron-1.east.cron-1-29-x.12.50', '12.50 start\n12.71 beat\n12.9')).toEqual([
    { workload: 'cron-1', cluster: 'east', pod: 'cron-1-29-x', startedAt: 12_500, seenAt: 12_710, ended: false },
  ]);
  expect(lifeOf('cron-1.east.cron-1-29-x.12.50', '')).toEqual([]);
});

describe('two instances', () => {
  it('are found however long the first one lives', () => {
    const lives = [life(0, 100), life(200, 1000), life(300, 400, { cluster: 'west' }), life(500, 600)];
    expect(overlapsOf(lives).map(({ ms }) => ms)).toEqual([100, 100]);
  });

  it('are none when one follows the other, or they are of different workloads', () => {
    expect(overlapsOf([life(0, 100), life(100, 200), life(50, 60, { workload: 'v' })])).toEqual([]);
  });
});

it('the longest gap counts from the start and to the end', () => {
  const lives = [life(100, 200), life(250, 300)];
  expect(longestGap(lives, 'w', { from: 0, to: 310 })).toBe(100);
  expect(longestGap(lives, 'w', { from: 150, to: 310 })).toBe(50);
  expect(longestGap(lives, 'w', { from: 150, to: 1000 })).toBe(700);
  expect(longestGap([], 'w', { from: 0, to: 10 })).toBe(10);
});

it('whoever spoke lately is alive, unless it said that it ends', () => {
  const lives = [life(0, 900, { ended: false }), life(0, 950), life(0, 100, { ended: false })];
  expect(aliveAt(lives, 'w', 1000, 500)).toEqual([lives[0]]);
});

it('counts the runs of each minute', () => {
  const lives = ['w-29-a', 'w-29-b', 'w-30-c'].map((pod) => life(0, 1, { pod }));
  expect([...runsOf(lives, 'w')]).toEqual([
    [29, 2],
    [30, 1],
  ]);
});
