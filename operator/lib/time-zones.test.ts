import { expect, it } from 'vitest';
import { isTimeZone, timeZoneLike } from './time-zones.ts';

it.each([
  'Etc/UTC',
  'UTC',
  'Europe/Berlin',
  'America/Argentina/Buenos_Aires',
  'Asia/Calcutta',
  'Asia/Kolkata',
  'GMT+0',
  'EST5EDT',
  'US/Pacific',
])('knows %s', (name) => {
  expect(isTimeZone(name)).toBe(true);
  expect(() => new Intl.DateTimeFormat('en', { timeZone: name })).not.toThrow();
});

/** Node takes all but the last three. */
it.each([
  'europe/berlin',
  'EUROPE/BERLIN',
  'Etc/utc',
  'utc',
  'PST',
  'IST',
  'JST',
  'SystemV/PST8',
  '',
  'Local',
  'local',
])('does not know %j, which Kubernetes refuses', (name) => {
  expect(isTimeZone(name)).toBe(false);
});

it('knows what is meant', () => {
  expect(timeZoneLike('europe/berlin')).toBe('Europe/Berlin');
  expect(timeZoneLike('Europe/Berlln')).toBeUndefined();
});
