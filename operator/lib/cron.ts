/**
 * Schedules as Kubernetes reads them (robfig/cron, standard form): five fields, or a descriptor such as `@daily`. What
 * other programs add (seconds, `L`, `W`, `#`, 7 for Sunday) is an error there, and so it is here.
 */
import { parseDuration } from './duration.ts';

/** The values of one field of a schedule. */
export interface Field {
  readonly values: ReadonlySet<number>;
  /** Written as `*`: days of the month and of the week must both fit then, otherwise one of them is enough. */
  readonly any: boolean;
}

/** The five fields of a schedule. */
export interface Fields {
  readonly minute: Field;
  readonly hour: Field;
  readonly dayOfMonth: Field;
  readonly month: Field;
  readonly dayOfWeek: Field;
}

/** A schedule: an interval in milliseconds (`@every`), or fields. */
export type Schedule = { readonly everyMs: number } | Fields;

interface Bounds {
  readonly what: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const BOUNDS = {
  minute: { what: 'minute', min: 0, max: 59 },
  hour: { what: 'hour', min: 0, max: 23 },
  dayOfMonth: { what: 'day of the month', min: 1, max: 31 },
  month: { what: 'month', min: 1, max: 12, names: MONTHS },
  dayOfWeek: { what: 'day of the week', min: 0, max: 6, names: WEEKDAYS },
} as const satisfies Record<keyof Fields, Bounds>;

const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** Characters; custom resources have fewer. Whoever may edit a CronJob can write any number of them there. */
const MAX_LENGTH = 1000;

/** Throws an Error that says what is wrong. */
export function parseSchedule(text: string): Schedule {
  assertForm(text);
  if (text.startsWith('@every ')) return { everyMs: everyMs(text.slice('@every '.length)) };
  const parts = (DESCRIPTORS[text] ?? text).split(/\s+/).filter((part) => part !== '');
  const [minute, hour, dayOfMonth, month, dayOfWeek] = parts;
  if (parts.length !== 5 || !minute || !hour || !dayOfMonth || !month || !dayOfWeek)
    throw new Error(
      `a schedule has 5 fields (minute, hour, day of the month, month, day of the week), not ${parts.length}`,
    );
  return {
    minute: parseField(minute, BOUNDS.minute),
    hour: parseField(hour, BOUNDS.hour),
    dayOfMonth: parseField(dayOfMonth, BOUNDS.dayOfMonth),
    month: parseField(month, BOUNDS.month),
    dayOfWeek: parseField(dayOfWeek, BOUNDS.dayOfWeek),
  };
}

function assertForm(text: string): void {
  if (text.length > MAX_LENGTH) throw new Error(`a schedule has at most ${MAX_LENGTH} characters, not ${text.length}`);
  if (/^\s*(CRON_)?TZ=/.test(text)) throw new Error('TZ= is not supported in a schedule: use timeZone');
  if (text.startsWith('@') && !text.startsWith('@every ') && DESCRIPTORS[text] === undefined)
    throw new Error(`"${text}" is not a known schedule: use ${Object.keys(DESCRIPTORS).join(', ')} or "@every 1h30m"`);
}

/** At least a second, and whole ones. */
function everyMs(text: string): number {
  return Math.max(Math.floor(parseDuration(text) / 1000), 1) * 1000;
}

function parseField(text: string, bounds: Bounds): Field {
  const ranges = text.split(',').map((part) => parseRange(part, bounds));
  return { values: new Set(ranges.flatMap(({ values }) => values)), any: ranges.some(({ any }) => any) };
}

function parseRange(text: string, bounds: Bounds): { readonly values: number[]; readonly any: boolean } {
  const [range = '', stepText, ...tooMany] = text.split('/');
  const step = stepText === undefined ? 1 : parseNumber(stepText, { ...bounds, names: [] });
  if (tooMany.length > 0 || step === 0) throw new Error(`${bounds.what}: "${text}" has an invalid step (example: /5)`);
  const isAny = range === '*' || range === '?';
  const [from, to] = isAny ? [bounds.min, bounds.max] : parseEnds(range, stepText !== undefined, bounds);
  if (from < bounds.min || to > bounds.max || from > to)
    throw new Error(
      `${bounds.what}: "${text}" must be between ${bounds.min} and ${bounds.max}, and a range must ascend`,
    );
  const values = Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
  return { values, any: isAny && step === 1 };
}

/** `5/15` goes on from 5 to the end. */
function parseEnds(text: string, hasStep: boolean, bounds: Bounds): [from: number, to: number] {
  const [low = '', high, ...more] = text.split('-');
  if (more.length > 0) throw new Error(`${bounds.what}: "${text}" is not a valid range (example: 1-5)`);
  const from = parseNumber(low, bounds);
  if (high !== undefined) return [from, parseNumber(high, bounds)];
  return [from, hasStep ? bounds.max : from];
}

function parseNumber(text: string, { what, min, names = [] }: Bounds): number {
  const index = names.indexOf(text.toLowerCase());
  if (index >= 0) return index + min;
  if (!/^\d+$/.test(text))
    throw new Error(
      `${what}: "${text}" is ${names.length > 0 ? 'neither a number nor a month or weekday name' : 'not a number'}`,
    );
  return Number(text);
}
