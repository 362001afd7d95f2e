/** What stands in the way of a child: an object of its name that is not ours, not ours yet, or on its way out. Pure. */
import type { ChildType } from '../api/children.ts';
import type { AnyChild } from './child.ts';
import { controllerOf, tenantOf } from './metadata.ts';
import type { Claimant, IsForged, Standing } from './plan.ts';
import { assertNotLater, standingOf } from './plan.ts';
import type { Report } from './status.ts';

const RECHECK_FOREIGN_MS = 10_000;
const RECHECK_PREDECESSOR_MS = 1000;
const RECHECK_TENANT_MS = 5000;

/** A child that is there, and who wants it. */
export interface Found {
  readonly type: ChildType;
  readonly found: AnyChild;
  readonly claimant: Claimant;
  /** Ours. */
  readonly term: number;
  readonly isForged?: IsForged | undefined;
}

/** What is said of whatever is in the way. */
export interface Obstacle {
  readonly verdict: Report;
  readonly more?: { readonly predecessor: { readonly type: ChildType; readonly object: AnyChild } };
}

/** Undefined for a child of ours that stays. Throws as `lookAtChildren` does. */
export function obstacleOf(of: Found): Obstacle | undefined {
  const { type, found, claimant, term, isForged } = of;
  const where = `${type.kind} ${found.metadata.namespace ?? ''}/${found.metadata.name}`;
  const standing = standingOf(found, claimant);
  if (standing !== 'ours') return notOurs(of, standing, where);
  // Terms of another tenant, to which its label says it belongs, are counted apart.
  if (tenantOf(found) === claimant.tenant) assertNotLater(found, term, isForged);
  if (found.metadata.deletionTimestamp === undefined) return undefined;
  const message = `${where} is being deleted; it is recreated afterwards`;
  return { verdict: { state: 'working', reason: 'Stopping', message } };
}

function notOurs({ type, found, claimant }: Found, standing: Exclude<Standing, 'ours'>, where: string): Obstacle {
  switch (standing) {
    case 'foreign': {
      const owner = controllerOf(found);
      const whose = owner ? ` (its controller is ${owner.kind} ${owner.name})` : '';
      const message = `${where} already exists and is not managed by this operator${whose}: rename or delete it`;
      const requeueAfterMs = RECHECK_FOREIGN_MS;
      return { verdict: { state: 'stalled', reason: 'Conflict', message, problem: message, requeueAfterMs } };
    }
    case 'predecessor': {
      const message = `${where} still belongs to a deleted ${claimant.kind} with this name; waiting for its removal`;
      const requeueAfterMs = RECHECK_PREDECESSOR_MS;
      const verdict = { state: 'working', reason: 'WaitingForPredecessor', message, requeueAfterMs } as const;
      return { verdict, more: { predecessor: { type, object: found } } };
    }
    case 'otherTenant': {
      const message = `${where} still belongs to tenant ${tenantOf(found)}; waiting for that tenant to stop it`;
      const requeueAfterMs = RECHECK_TENANT_MS;
      return { verdict: { state: 'working', reason: 'WaitingForTenant', message, requeueAfterMs } };
    }
  }
}
