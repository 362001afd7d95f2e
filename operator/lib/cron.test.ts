import { describe, expect, it } from 'vitest';
import { nextAfter } from './cron-next.ts';
import { parseSchedule } from './cron.ts';

describe('reads', () => {
  it.each([
    '* * * * *',
    '? ? ? ? ?',
    '*/5 * * * *',
    '0 0 1,15 * *',
    '5/15 * * * *',
    '0 9-17/2 * * mon-FRI',
    '0 0 * JAN 0',
    ' 0  0 * * * ',
    '@daily',
    '@every 1h30m',
    '0/99 * * * *',
  ])('%s', (text) => expect(() => parseSchedule(text)).not.toThrow());
});

describe('refuses', () => {
  it.each([
    ['', '5 fields'],
    ['* * * *', '5 fields'],
    ['0 * * * * *', '5 fields'],
    ['60 * * * *', 'minute'],
    ['* 24 * * *', 'hour'],
    ['* * 0 * *', 'day of the month'],
    ['* * * 13 *', 'month'],
    ['* * * * 7', 'day of the week'],
    ['* * * * 1-7', 'day of the week'],
    ['* * L * *', 'is not a number'],
    ['* * * * mon#2', 'is neither a number nor a month or weekday name'],
    ['5-1 * * * *', 'must ascend'],
    ['*/0 * * * *', 'step'],
    ['1/2/3 * * * *', 'step'],
    ['1-2-3 * * * *', 'range'],
    ['-1 * * * *', 'is not a number'],
    ['@Daily', 'is not a known schedule'],
    ['@reboot', 'is not a known schedule'],
    ['@every 5', 'no unit'],
    ['TZ=UTC 0 0 * * *', 'timeZone'],
    ['CRON_TZ=UTC 0 0 * * *', 'timeZone'],
  ])('%j', (text, message) => expect(() => parseSchedule(text)).toThrow(message));

  it('one of 200,000 characters', () =>
    expect(() => parseSchedule(`${'1,'.repeat(100_000)}1 * * * *`)).toThrow('at most 1000 characters'));
});

describe('comes round next', () => {
  it.each([
    ['*/5 * * * *', 'Etc/UTC', '2030-01-01T00:00:00Z', '2030-01-01T00:05:00Z'],
    ['0 0 * * *', 'Etc/UTC', '2030-01-01T00:00:00Z', '2030-01-02T00:00:00Z'],
    ['0 0 * * *', 'Asia/Kolkata', '2030-01-01T00:00:00Z', '2030-01-01T18:30:00Z'],
    ['30 12 29 2 *', 'Etc/UTC', '2029-03-01T00:00:00Z', '2032-02-29T12:30:00Z'],
    ['0 0 31 * *', 'Etc/UTC', '2030-01-31T00:00:00Z', '2030-03-31T00:00:00Z'],
    ['0 0 13 * 5', 'Etc/UTC', '2030-01-01T00:00:00Z', '2030-01-04T00:00:00Z'],
    ['0 0 */1 * 5', 'Etc/UTC', '2030-01-05T00:00:00Z', '2030-01-11T00:00:00Z'],
    ['0 0 1 1 *', 'America/New_York', '2030-06-01T00:00:00Z', '2031-01-01T05:00:00Z'],
    // 2030-03-31 02:30 does not exist in Berlin, 2030-10-27 02:30 exists twice
    ['30 2 * * *', 'Europe/Berlin', '2030-03-30T12:00:00Z', '2030-04-01T00:30:00Z'],
    ['30 2 * * *', 'Europe/Berlin', '2030-10-27T00:30:00Z', '2030-10-27T01:30:00Z'],
    ['@hourly', 'Etc/UTC', '2030-01-01T00:59:59Z', '2030-01-01T01:00:00Z'],
    ['@every 90m', 'Etc/UTC', '2030-01-01T01:00:00Z', '2030-01-01T01:30:00Z'],
  ])('%s in %s after %s', (text, zone, after, expected) => {
    const next = nextAfter(parseSchedule(text), zone, Date.parse(after), Date.parse('2030-01-01T00:00:00Z'));
    expect(new Date(next!).toISOString()).toBe(expected.replace('Z', '.000Z'));
  });

  it('never on a day that there is not', () =>
    expect(nextAfter(parseSchedule('0 0 31 2 *'), 'Etc/UTC', 0, 0)).toBeUndefined());
});
