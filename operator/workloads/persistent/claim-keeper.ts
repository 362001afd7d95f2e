/** Expands the claims of a StatefulSet up to what the spec says: the StatefulSet itself cannot be told another size. */
import type { PersistentVolumeClaim, StatefulSet } from '../../api/children.ts';
import { childTypes, persistentVolumeClaims } from '../../api/children.ts';
import type { PersistentSpec } from '../../api/persistent.ts';
import { fieldManagers } from '../../api/group.ts';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { ApiError, hasCode } from '../../cluster/cluster-client.ts';
import { forEach } from '../../lib/each.ts';
import { fenced, identity, isRefusal } from '../../reconcile/apply.ts';
import type { Attendant } from '../../reconcile/attendant.ts';
import type { Sight } from '../../reconcile/child-look.ts';
import type { Grant } from '../../reconcile/reconciler.ts';
import type { Report } from '../../reconcile/status.ts';
import { gravest } from '../../reconcile/status.ts';
import type { Wanted } from './claim-growth.ts';
import { begun, lookAtClaim, refusedExpansion, unreadable, wantedSizes } from './claim-growth.ts';

const AT_ONCE = 4;

/** Reads only claims that are to be larger than they were made, by name. */
export class ClaimKeeper implements Attendant<PersistentSpec> {
  readonly #client: ClusterClient;

  constructor(client: ClusterClient) {
    this.#client = client;
  }

  /** Throws what the client throws, but for what refuses. */
  async attend({ owner, live }: Sight, spec: PersistentSpec, report: Report, grant: Grant): Promise<Report> {
    const set = live.get<StatefulSet>(childTypes.statefulSets, owner.name);
    if (!set) return report;
    const reports: Report[] = [];
    await forEach(wantedSizes(set, spec), AT_ONCE, async (wanted) => {
      const found = await this.#keep(wanted, set, grant);
      if (found) reports.push(found);
    });
    return gravest([report, ...reports]);
  }

  async #keep(wanted: Wanted, set: StatefulSet, grant: Grant): Promise<Report | undefined> {
    const at = { namespace: set.metadata.namespace ?? '', name: wanted.name };
    try {
      const { signal } = grant;
      const claim = await this.#client.get<PersistentVolumeClaim>(persistentVolumeClaims, at, { signal });
      if (!claim) return undefined;
      const { expand, report } = lookAtClaim(claim, wanted, set);
      return expand ? await this.#expand(claim, wanted, grant) : report;
    } catch (error) {
      if (!(error instanceof ApiError) || !isRefusal(error)) throw error;
      return unreadable(wanted, error.message);
    }
  }

  async #expand(claim: PersistentVolumeClaim, wanted: Wanted, grant: Grant): Promise<Report> {
    const { name, namespace = '' } = claim.metadata;
    const body = { metadata: identity(claim), spec: { resources: { requests: { storage: wanted.size } } } };
    const options = { ...fenced(grant), type: 'merge', fieldManager: fieldManagers.children } as const;
    try {
      await this.#client.patch(persistentVolumeClaims, { namespace, name }, body, options);
      return begun(wanted);
    } catch (error) {
      if (hasCode(error, 409)) return begun(wanted); // it has changed meanwhile, and is looked at again
      if (!(error instanceof ApiError) || !isRefusal(error)) throw error;
      return refusedExpansion(claim, wanted, error.message);
    }
  }
}
