/**
 * The nights in which a time zone's clock is set forward or back, and what becomes of a schedule then. Hours that are named in a
 * schedule are meant once on each of its days: what the clock skips is due when it goes on, and what it repeats is due the
 * first time. A schedule of every hour means hours as they pass. Times are milliseconds since the epoch.
 */
import { comesRoundAt, fits, nextAfter, wallAt } from './cron-next.ts';
import type { Fields, Schedule } from './cron.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Longer than any clock was ever set forward or back, but for days that a country left out. */
const NIGHT_MS = 3 * HOUR_MS;

/** One change of a time zone's clock; times are milliseconds since the epoch. */
export interface ClockChange {
  /** The first instant at which the new time holds. */
  readonly at: number;
  /** By how much the clock is set forward; negative: back. */
  readonly byMs: number;
}

/** Those after `from` and up to `until`, the earliest first. */
export function clockChanges(timeZone: string, from: number, until: number): readonly ClockChange[] {
  const [first, last] = [from, until].map((at) => new Date(at).getUTCFullYear()) as [number, number];
  const years = Array.from({ length: last - first + 1 }, (_, index) => changesIn(timeZone, first + index));
  return years.flat().filter(({ at }) => at > from && at <= until);
}

const known = new Map<string, readonly ClockChange[]>();

/** In a year of UTC. They are asked for at every look at a cron job, and never change while the process runs. */
function changesIn(timeZone: string, year: number): readonly ClockChange[] {
  const id = `${year} ${timeZone}`;
  let found = known.get(id);
  if (!found) known.set(id, (found = findChanges(timeZone, Date.UTC(year, 0), Date.UTC(year + 1, 0))));
  return found;
}

function findChanges(timeZone: string, from: number, until: number): readonly ClockChange[] {
  const found: ClockChange[] = [];
  let before = offsetAt(timeZone, from);
  for (let day = from; day < until; day += DAY_MS) {
    const after = offsetAt(timeZone, day + DAY_MS);
    if (after !== before) found.push({ at: firstWith(timeZone, day, day + DAY_MS), byMs: after - before });
    before = after;
  }
  return found;
}

/** By bisection: the offset is another one at `end` than at `start`. */
function firstWith(timeZone: string, start: number, end: number): number {
  const after = offsetAt(timeZone, end);
  let [low, high] = [Math.floor(start / MINUTE_MS), Math.ceil(end / MINUTE_MS)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(timeZone, middle * MINUTE_MS) === after) high = middle;
    else low = middle;
  }
  return high * MINUTE_MS;
}

/** How far the wall clock is ahead of UTC. */
function offsetAt(timeZone: string, at: number): number {
  const { year, month, day, hour, minute } = wallAt(timeZone, at);
  return Date.UTC(year, month - 1, day, hour, minute) - Math.floor(at / MINUTE_MS) * MINUTE_MS;
}

/** Whether clock changes matter: one that names every hour goes on as the hours pass. */
function namesHours(schedule: Schedule): schedule is Fields {
  return !('everyMs' in schedule) && schedule.hour.values.size < 24;
}

/** Whether the clock skips a time at which it would come round. */
export function isSkipped(schedule: Schedule, { at, byMs }: ClockChange, timeZone: string): boolean {
  if (byMs <= 0 || !namesHours(schedule)) return false;
  const before = at + offsetAt(timeZone, at - MINUTE_MS);
  for (let wall = before; wall < before + byMs; wall += MINUTE_MS)
    if (fits(schedule, wallAt('Etc/UTC', wall))) return true;
  return false;
}

/** Whether the clock repeats a time at which it comes round. */
export function isRepeated(schedule: Schedule, { at, byMs }: ClockChange, timeZone: string): boolean {
  if (byMs >= 0 || !namesHours(schedule)) return false;
  for (let again = at; again < at - byMs; again += MINUTE_MS) if (comesRoundAt(schedule, timeZone, again)) return true;
  return false;
}

/** As `nextAfter`, but once on each day. */
export function nextOnceAfter(schedule: Schedule, timeZone: string, after: number, anchor: number): number | undefined {
  let next = nextAfter(schedule, timeZone, after, anchor);
  if (!namesHours(schedule)) return next;
  while (next !== undefined && isSecondTime(timeZone, next)) next = nextAfter(schedule, timeZone, next, anchor);
  const changes = clockChanges(timeZone, after, next ?? after + 366 * DAY_MS);
  return changes.find((change) => change.at > after && isSkipped(schedule, change, timeZone))?.at ?? next;
}

/** As `comesRoundAt`, but once on each day. */
export function comesRoundOnceAt(schedule: Schedule, timeZone: string, at: number): boolean {
  if (comesRoundAt(schedule, timeZone, at)) return !namesHours(schedule) || !isSecondTime(timeZone, at);
  if (!namesHours(schedule) || !(at > 0) || at % MINUTE_MS !== 0) return false;
  const byMs = offsetAt(timeZone, at) - offsetAt(timeZone, at - MINUTE_MS);
  return isSkipped(schedule, { at, byMs }, timeZone);
}

/** The wall clock has shown this time already in this night. */
function isSecondTime(timeZone: string, at: number): boolean {
  const [change] = clockChanges(timeZone, at - NIGHT_MS, at);
  return change !== undefined && change.byMs < 0 && at < change.at - change.byMs;
}
