/** Whether several clusters share the tenant, or will: then a permit limits what runs in this one. */
import type { Candidate } from './election.ts';
import type { PermitKeeper } from './permit-keeper.ts';
import type { Presence } from './presence.ts';

interface Surroundings {
  readonly candidate: Pick<Candidate, 'cluster' | 'takeover'>;
  readonly permit: Pick<PermitKeeper, 'known'>;
  readonly presence: Pick<Presence, 'peers'>;
}

/** Whether this cluster must keep to a permit. */
export function isShared({ candidate, permit, presence }: Surroundings): boolean {
  if (candidate.takeover === undefined) return false;
  const isLimited = typeof permit.known === 'object' && permit.known.scope === 'multi';
  return isLimited || hasOthers({ candidate, presence });
}

/** Whether controllers of other clusters were there at the last look. */
export function hasOthers({ candidate, presence }: Pick<Surroundings, 'candidate' | 'presence'>): boolean {
  return presence.peers.some(({ cluster }) => cluster.id !== candidate.cluster.id);
}
