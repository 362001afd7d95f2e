/**
 * When a schedule comes round next, on the wall clock of a time zone, as Kubernetes reads it: an hour that the clock skips brings no
 * run, one that it repeats brings two. `summer-time.ts` knows better.
 */
import type { Fields, Schedule } from './cron.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** As far as Kubernetes looks ahead. */
const HORIZON_MS = 5 * 366 * DAY_MS;
/** Years have four digits until then. */
const LAST_MS = Date.UTC(10_000, 0);

/** Milliseconds since the epoch, later than `after`; undefined when it never comes round. `@every` counts from `anchor`. */
export function nextAfter(schedule: Schedule, timeZone: string, after: number, anchor: number): number | undefined {
  if ('everyMs' in schedule) {
    const { everyMs } = schedule;
    return anchor + (Math.floor(Math.max(after - anchor, 0) / everyMs) + 1) * everyMs;
  }
  const clock = wallClock(timeZone);
  let at = (Math.floor(after / MINUTE_MS) + 1) * MINUTE_MS;
  while (at < after + HORIZON_MS) {
    const step = untilNextCandidate(schedule, clock(at));
    if (step === 0) return at;
    at += step;
  }
  return undefined;
}

/** Whether it comes round at that very time, milliseconds since the epoch; of `@every`, whether it could. */
export function comesRoundAt(schedule: Schedule, timeZone: string, at: number): boolean {
  if (!(at > 0 && at < LAST_MS)) return false;
  if ('everyMs' in schedule) return at % 1000 === 0;
  return at % MINUTE_MS === 0 && fits(schedule, wallAt(timeZone, at));
}

/** Whether the schedule comes round in this minute. */
export function fits(schedule: Fields, wall: Wall): boolean {
  return untilNextCandidate(schedule, wall) === 0;
}

/** What a clock on the wall shows. Throws a RangeError for a time zone that is not known. */
export function wallAt(timeZone: string, at: number): Wall {
  return wallClock(timeZone)(at);
}

/** How far back is looked for them at first, and then ever further. */
const WINDOWS_MS = [HOUR_MS, DAY_MS, 32 * DAY_MS, 366 * DAY_MS, HORIZON_MS];

/** The last `count` times after `after` and up to `until` at which a schedule in fields came round, the earliest first. */
export function lastBefore(
  schedule: Fields,
  timeZone: string,
  { after, until, count }: { readonly after: number; readonly until: number; readonly count: number },
  next: typeof nextAfter = nextAfter,
): readonly number[] {
  for (const window of WINDOWS_MS) {
    const from = Math.max(after, until - window);
    const found: number[] = [];
    for (let at = next(schedule, timeZone, from, from); at !== undefined && at <= until;) {
      found.push(at);
      at = next(schedule, timeZone, at, from);
    }
    if (found.length >= count || from === after) return found.slice(-count);
  }
  return [];
}

/** What a clock on the wall shows; `month` from 1, `weekday` from 0 (Sunday). */
export interface Wall {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

/** Zero when it fits. Never further than the start of the next hour that might: a clock may be changed in between. */
function untilNextCandidate({ minute, hour, month, ...days }: Fields, wall: Wall): number {
  const toNextHour = HOUR_MS - wall.minute * MINUTE_MS;
  const toLateEvening = (22 - wall.hour) * HOUR_MS - wall.minute * MINUTE_MS;
  if (!month.values.has(wall.month) && wall.day < 27) return (27 - wall.day) * DAY_MS;
  if (!month.values.has(wall.month) || !fitsDay(days, wall)) return Math.max(toLateEvening, toNextHour);
  if (!hour.values.has(wall.hour)) return toNextHour;
  return minute.values.has(wall.minute) ? 0 : MINUTE_MS;
}

function fitsDay({ dayOfMonth, dayOfWeek }: Pick<Fields, 'dayOfMonth' | 'dayOfWeek'>, { day, weekday }: Wall): boolean {
  const both = [dayOfMonth.values.has(day), dayOfWeek.values.has(weekday)];
  return dayOfMonth.any || dayOfWeek.any ? both.every(Boolean) : both.some(Boolean);
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const formats = new Map<string, Intl.DateTimeFormat>();

/** Throws a RangeError for a time zone that is not known. */
function wallClock(timeZone: string): (at: number) => Wall {
  let format = formats.get(timeZone);
  if (!format) {
    const number = 'numeric';
    const shown = { year: number, month: number, day: number, weekday: 'short', hour: number, minute: number } as const;
    format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...shown });
    formats.set(timeZone, format);
  }
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type as string, value]));
    const part = (type: string): number => Number(parts.get(type));
    return {
      year: part('year'),
      month: part('month'),
      day: part('day'),
      weekday: WEEKDAYS.indexOf(parts.get('weekday') ?? ''),
      hour: part('hour'),
      minute: part('minute'),
    };
  };
}
