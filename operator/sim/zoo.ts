/**
 * The bug zoo: defects planted in the production code, one at a time. The simulator must find every one; a rule that can
 * be broken without being noticed is a rule that nobody keeps.
 */
import { bundle, playBatch } from './campaign.ts';
import type { Mutant } from './mutant.ts';
import type { Report } from './worker.ts';
import { actingMutants } from './zoo.acting.ts';
import { clusterMutants } from './zoo.clusters.ts';
import { hostileMutants } from './zoo.hostile.ts';
import { leaseMutants } from './zoo.lease.ts';
import { peopleMutants } from './zoo.people.ts';
import { runMutants } from './zoo.runs.ts';
import { strangerMutants } from './zoo.strangers.ts';
import { takeoverMutants } from './zoo.takeover.ts';
import { wideMutants } from './zoo.wide.ts';

/** All defects. */
export const zoo: readonly Mutant[] = [
  ...leaseMutants,
  ...actingMutants,
  ...clusterMutants,
  ...runMutants,
  ...peopleMutants,
  ...wideMutants,
  ...hostileMutants,
  ...strangerMutants,
  ...takeoverMutants,
];

/** How long a defect is looked for. */
export interface Hunt {
  readonly from: number;
  /** How many seeds may be played, after all schedules. */
  readonly seeds: number;
}

/** The run that found the mutant; `undefined` when none did. */
export async function hunt(mutant: Mutant, { from, seeds }: Hunt): Promise<Report | undefined> {
  const { profile } = mutant;
  const batch = { from, seeds, schedules: true, untilFound: true };
  return playBatch(await bundle(mutant), profile ? { ...batch, profile } : batch);
}

/** A row of the table in docs/protocol/bug-zoo.md. */
export function rowOf({ name, breaks }: Mutant, found: Report | undefined): string {
  const where = found && (found.isSchedule ? `schedule ${found.profile}` : `${found.seed} (${found.profile})`);
  return `| \`${name}\` | ${breaks} | ${where ?? '**not found**'} | ${found?.violation?.property ?? ''} |`;
}
