/** What `validate` says of a schedule that meets the nights in which the clock is changed. */
import { CRON_JOB_KIND, cronJobSpec } from '../api/cronjob.ts';
import { clockChanges, isRepeated, isSkipped } from '../lib/summer-time.ts';
import { systemClock } from '../lib/clock.ts';
import { wallAt } from '../lib/cron-next.ts';
import { parseSchedule } from '../lib/cron.ts';
import type { Finding, Part } from './documents.ts';
import type { Workload } from './workloads.ts';

const YEAR_MS = 366 * 86_400_000;

/** `now`: milliseconds since the epoch; the year after it is looked at. */
export function clockWarnings(
  { kind, metadata: { name }, spec: given }: Workload,
  at: Part['at'],
  now = systemClock.wall(),
): readonly Finding[] {
  const spec = kind === CRON_JOB_KIND ? cronJobSpec.safeParse(given).data : undefined;
  // With All each run is claimed, and takes place once.
  if (!spec || spec.catchUp === 'All') return [];
  const schedule = parseSchedule(spec.schedule);
  const changes = clockChanges(spec.timeZone, now, now + YEAR_MS);
  const dates = (concerns: typeof isSkipped) =>
    changes
      .filter((change) => concerns(schedule, change, spec.timeZone))
      .map((change) => dateIn(spec.timeZone, change.at))
      .join(' and ');
  const [skipped, repeated] = [dates(isSkipped), dates(isRepeated)];
  const what = [
    ...(skipped === '' ? [] : [`does not run on ${skipped}`]),
    ...(repeated === '' ? [] : [`runs twice on ${repeated}`]),
  ].join(' and ');
  if (what === '') return [];
  const fix = 'choose another hour, timeZone: Etc/UTC, or catchUp: All (which runs it once)';
  const text = `spec.schedule of ${name}: "${spec.schedule}" ${what}, when clocks change in ${spec.timeZone}; ${fix}`;
  return [{ at: at(['spec', 'schedule']), what: text }];
}

function dateIn(timeZone: string, at: number): string {
  const { year, month, day } = wallAt(timeZone, at);
  return [year, month, day].map((part) => String(part).padStart(2, '0')).join('-');
}
