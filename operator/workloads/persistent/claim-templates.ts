/** What `volumeClaimTemplates` say, below what `persistentVolumes` say of the same claim. Pure. */
import type { ClaimTemplate } from '../../api/children.ts';
import type { PersistentSpec } from '../../api/persistent.ts';
import { strategicMerge } from '../../reconcile/strategic-merge.ts';

/** In the order of their names: a list in another order is no change. */
export function withClaimTemplates(
  own: readonly ClaimTemplate[],
  { volumeClaimTemplates = [] }: PersistentSpec,
): ClaimTemplate[] {
  const claims = new Map(own.map((claim) => [claim.metadata.name, claim]));
  for (const template of volumeClaimTemplates) {
    const { name } = template.metadata;
    claims.set(name, strategicMerge<ClaimTemplate>(template, claims.get(name) ?? (template as ClaimTemplate)));
  }
  return [...claims.values()].toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}
