/** What diaries prove: never two instances at a time, how long there was none, and how often each cron run took place. Pure. */
import type { Life } from './diaries.ts';

export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Overlap {
  readonly workload: string;
  readonly lives: readonly [string, string];
  readonly ms: number;
}

/** Lives of one workload at one time, in milliseconds by their own last words. */
export function overlapsOf(lives: readonly Life[]): readonly Overlap[] {
  return Object.entries(byWorkload(lives)).flatMap(([workload, all]) =>
    all.flatMap((first, index) =>
      all
        .slice(index + 1)
        .filter((second) => second.startedAt < first.seenAt)
        .map((second): Overlap => ({
          workload,
          lives: [placeOf(first), placeOf(second)],
          ms: Math.min(first.seenAt, second.seenAt) - second.startedAt,
        })),
    ),
  );
}

/** The longest time within the span in which no instance of the workload was there. Milliseconds. */
export function longestGap(lives: readonly Life[], workload: string, { from, to }: Span): number {
  let seen = from;
  let longest = 0;
  for (const life of byWorkload(lives)[workload] ?? []) {
    if (life.seenAt < from || life.startedAt > to) continue;
    longest = Math.max(longest, life.startedAt - seen);
    seen = Math.max(seen, life.seenAt);
  }
  return Math.max(longest, to - seen);
}

/** Those that run: they spoke within `patienceMs` of `now`, and have not said that they end. */
export function aliveAt(lives: readonly Life[], workload: string, now: number, patienceMs: number): readonly Life[] {
  return (byWorkload(lives)[workload] ?? []).filter(({ seenAt, ended }) => !ended && now - seenAt < patienceMs);
}

/** How often the run of each minute took place, by the number of the minute. A pod is called `CRON-MINUTE-RANDOM`. */
export function runsOf(lives: readonly Life[], workload: string): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const { pod } of byWorkload(lives)[workload] ?? []) {
    const minute = Number(pod.slice(workload.length + 1).split('-')[0]);
    counts.set(minute, (counts.get(minute) ?? 0) + 1);
  }
  return counts;
}

function byWorkload(lives: readonly Life[]): Readonly<Record<string, readonly Life[]>> {
  const sorted = lives.toSorted((a, b) => a.startedAt - b.startedAt);
  return Object.groupBy(sorted, ({ workload }) => workload) as Record<string, Life[]>;
}

function placeOf({ cluster, pod }: Life): string {
  return `${cluster}/${pod}`;
}
