/** The results as a table for people. Pure. */
import type { Result } from './campaign.ts';
import { seconds } from './campaign.ts';
import { faults } from './faults.ts';

/** What must never be: the same workload twice outside the documented hole, or a cron run twice. */
export function violationsOf({ rounds, runs }: Result): readonly string[] {
  const twice = rounds.flatMap(({ fault, overlaps }) =>
    faults[fault]?.isHole
      ? []
      : overlaps.map(({ workload, lives }) => `${fault}: ${workload} ran twice (${lives.join(', ')})`),
  );
  return [...twice, ...runs.twice.map((run) => `more than one run of ${run}`)];
}

export function tableOf({ rounds, runs }: Result): string {
  const names = [...new Set(rounds.map(({ fault }) => fault))];
  const rows = names.map((name) => {
    const played = rounds.filter(({ fault }) => fault === name);
    const gaps = played.flatMap((round) => round.gaps);
    const recovery = played.map(({ recoveryMs }) => recoveryMs);
    const overlap = Math.max(0, ...played.flatMap(({ overlaps }) => overlaps.map(({ ms }) => ms)));
    const cells = [
      name,
      played.length,
      seconds(overlap),
      `${seconds(median(gaps))}, ${seconds(Math.max(...gaps))}`,
      seconds(median(recovery)),
      faults[name]?.promise,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| fault | rounds | overlap | without an instance (p50, max) | all run again (p50) | promised |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    `Runs of cron jobs: ${runs.once} took place once, ${runs.twice.length} more than once, ${runs.missed.length} not at all${runs.missed.map((run) => `, ${run}`).join('')}.`,
  ].join('\n');
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
