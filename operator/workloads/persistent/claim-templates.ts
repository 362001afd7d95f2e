/** What `volumeClaimTemplates` say, below what `persistentVolumes` say of the same claim. Pure. */
import type { ClaimTemplate } from '../../api/children.ts';
import type { PersistentSpec } from '../../api/persistent.ts';
import { strategicMerge } from '../../reconcile/strategic-merge.ts';
import { byName, claimTemplates } from './claims.ts';

/** In the order of their names: a list in another order is no change. */
export function claimsOf(spec: PersistentSpec): readonly ClaimTemplate[] {
  const claims = new Map(byName(claimTemplates(spec)));
  for (const template of spec.volumeClaimTemplates ?? []) {
    const { name } = template.metadata;
    claims.set(name, strategicMerge<ClaimTemplate>(template, claims.get(name) ?? (template as ClaimTemplate)));
  }
  return [...claims.values()].toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}
