import { describe, expect, it } from 'vitest';
import { clockChanges, comesRoundOnceAt, isRepeated, isSkipped, nextOnceAfter } from './summer-time.ts';
import { parseSchedule } from './cron.ts';

const iso = (at: number | undefined) => at && new Date(at).toISOString().replace(':00.000Z', 'Z');

/** All from then on, up to `count`. */
function runs(text: string, zone: string, from: string, count: number): unknown[] {
  const schedule = parseSchedule(text);
  const found: unknown[] = [];
  let at: number | undefined = Date.parse(from);
  while (found.length < count && (at = nextOnceAfter(schedule, zone, at, 0)) !== undefined) {
    expect(comesRoundOnceAt(schedule, zone, at)).toBe(true);
    found.push(iso(at));
  }
  return found;
}

it('finds the nights in which clocks are changed', () => {
  const year = (zone: string) =>
    clockChanges(zone, Date.UTC(2030, 0, 1), Date.UTC(2031, 0, 1)).map(({ at, byMs }) => `${iso(at)} ${byMs / 60_000}`);
  expect(year('Europe/Berlin')).toEqual(['2030-03-31T01:00Z 60', '2030-10-27T01:00Z -60']);
  expect(year('Australia/Lord_Howe')).toEqual(['2030-04-06T15:00Z -30', '2030-10-05T15:30Z 30']);
  expect(year('Asia/Tokyo')).toEqual([]);
});

describe('a run whose hour is named takes place once a day', () => {
  it.each([
    ['30 2 * * *', 'Europe/Berlin', '2030-03-30T02:00Z', ['2030-03-31T01:00Z', '2030-04-01T00:30Z']],
    ['30 2 * * *', 'Europe/Berlin', '2030-10-26T12:00Z', ['2030-10-27T00:30Z', '2030-10-28T01:30Z']],
    [
      '0,30 2 * * *',
      'Europe/Berlin',
      '2030-03-30T02:00Z',
      ['2030-03-31T01:00Z', '2030-04-01T00:00Z', '2030-04-01T00:30Z'],
    ],
    ['0 2,3 * * *', 'Europe/Berlin', '2030-03-30T12:00Z', ['2030-03-31T01:00Z', '2030-04-01T00:00Z']],
    ['30 2 31 3 *', 'Europe/Berlin', '2030-01-01T00:00Z', ['2030-03-31T01:00Z', '2031-03-31T00:30Z']],
    ['30 2 * * 1-6', 'Europe/Berlin', '2030-03-30T12:00Z', ['2030-04-01T00:30Z']],
    ['45 1 * * *', 'Australia/Lord_Howe', '2030-04-05T20:00Z', ['2030-04-06T14:45Z', '2030-04-07T15:15Z']],
    ['30 2 * * *', 'America/New_York', '2030-03-09T12:00Z', ['2030-03-10T07:00Z', '2030-03-11T06:30Z']],
    ['30 1 * * *', 'America/New_York', '2030-11-02T12:00Z', ['2030-11-03T05:30Z', '2030-11-04T06:30Z']],
    ['0 12 * * *', 'Europe/Berlin', '2030-03-30T12:00Z', ['2030-03-31T10:00Z']],
  ])('%s in %s after %s', (text, zone, from, expected) => {
    expect(runs(text, zone, from, expected.length)).toEqual(expected);
  });

  it('also when the clock is asked in the repeated hour', () => {
    const schedule = parseSchedule('30 2 * * *');
    expect(comesRoundOnceAt(schedule, 'Europe/Berlin', Date.parse('2030-10-27T01:30Z'))).toBe(false);
    expect(iso(nextOnceAfter(schedule, 'Europe/Berlin', Date.parse('2030-10-27T01:00Z'), 0))).toBe('2030-10-28T01:30Z');
  });
});

it.each([
  ['30 * * * *', '2030-03-31T00:00Z', ['2030-03-31T00:30Z', '2030-03-31T01:30Z']],
  ['30 * * * *', '2030-10-27T00:00Z', ['2030-10-27T00:30Z', '2030-10-27T01:30Z']],
])('%s goes on as the hours pass', (text, from, expected) => {
  expect(runs(text, 'Europe/Berlin', from, 2)).toEqual(expected);
});

it('@every is not about the clock on the wall', () => {
  expect(runs('@every 30m', 'Europe/Berlin', '2030-03-31T00:45Z', 2)).toEqual([
    '2030-03-31T01:00Z',
    '2030-03-31T01:30Z',
  ]);
});

it('says which runs a change of the clock concerns', () => {
  const [forward, back] = clockChanges('Europe/Berlin', Date.UTC(2030, 0, 1), Date.UTC(2031, 0, 1));
  const of = (text: string) => [
    isSkipped(parseSchedule(text), forward!, 'Europe/Berlin'),
    isRepeated(parseSchedule(text), back!, 'Europe/Berlin'),
  ];
  expect(of('30 2 * * *')).toEqual([true, true]);
  expect(of('30 3 * * *')).toEqual([false, false]);
  expect(of('30 * * * *')).toEqual([false, false]);
});
