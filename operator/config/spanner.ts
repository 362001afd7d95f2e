/** The Spanner section with its rule: who chooses the store must say in which project it is. */
import type { SpannerSettings } from './config.ts';
import type { Problem } from './problems.ts';
import type { Settings } from './schema.ts';
import type { Merged } from './tree.ts';
import { getAt } from './tree.ts';

/** A problem when Spanner is the chosen store and no project is given. */
export function spannerProblems({ tree, origins }: Merged): readonly Problem[] {
  const chosen = getAt(tree, ['storageType']) === 'spanner';
  if (!chosen || getAt(tree, ['spanner', 'projectID']) !== undefined) return [];
  const where = origins.get('storageType')?.where;
  const fix = `is not set, but storageType is spanner (${where}): set it or HIGHLANDER_SPANNER_PROJECT_ID to the project of the instance`;
  return [{ path: 'spanner.projectID', fix }];
}

/** A notice when the store is an emulator. */
export function spannerNotices(spanner: SpannerSettings | undefined, storageType: string): readonly string[] {
  const host = storageType === 'spanner' ? spanner?.emulatorHost : undefined;
  return host === undefined
    ? []
    : [`the lease is kept in a Spanner emulator at ${host}, which loses its data when it ends`];
}

/** Absent without a project. */
export function spannerSettings({ projectID, ...rest }: Settings['spanner']): SpannerSettings | undefined {
  return projectID === undefined ? undefined : { projectID, ...rest };
}
