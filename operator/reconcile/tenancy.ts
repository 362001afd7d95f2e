/**
 * Whose a custom resource is. Its label says so; without one it belongs to the tenant whose `watchNamespaces` names its
 * namespace, or to the default tenant. Tenants learn of each other's namespaces from presence.
 */
import { DEFAULT_TENANT, labels } from '../api/group.ts';
import type { Child } from './plan.ts';
import type { CommonStatus, Verdict } from './status.ts';
import { conditionsOf } from './status.ts';

interface Workload extends Child {
  status?: CommonStatus;
}

/** disputed: several tenants claim it, and none has it. others: not ours, or not yet. */
export type Ownership = 'ours' | 'disputed' | 'others';

export interface TenancyOptions {
  readonly tenant: string;
  readonly watchNamespaces: readonly string[];
  /** The other tenants that name a namespace, as far as they can be seen. */
  readonly claimedBy?: (namespace: string) => readonly string[];
}

export class Tenancy {
  readonly #options: TenancyOptions;

  constructor(options: TenancyOptions) {
    this.#options = options;
  }

  /** A label decides at once. Without one, whoever has it keeps it until it lets go, so that nobody's mistake stops it. */
  of(workload: Workload): Ownership {
    const { tenant, claimedBy } = this.#options;
    const { namespace = '', labels: own = {} } = workload.metadata;
    const label = own[labels.tenant];
    if (label) return label === tenant ? 'ours' : 'others';
    const isClaimed = (claimedBy?.(namespace) ?? []).length > 0;
    if (!this.#claims(namespace, isClaimed)) return 'others';
    const holder = holderOf(workload);
    if (holder !== undefined) return holder === tenant ? 'ours' : 'others';
    return isClaimed ? 'disputed' : 'ours';
  }

  /** Whether there is anything to do about it: what is no longer ours must be let go. */
  concerns(workload: Workload): boolean {
    return this.of(workload) !== 'others' || this.holds(workload);
  }

  /** Its status says that this tenant has it. */
  holds(workload: Workload): boolean {
    return holderOf(workload) === this.#options.tenant;
  }

  /** The same, whichever of the tenants says it. `now`: RFC 3339. */
  dispute(workload: Workload, now: string): CommonStatus {
    const { tenant, claimedBy } = this.#options;
    const { namespace = '', generation = 0 } = workload.metadata;
    const names = [tenant, ...(claimedBy?.(namespace) ?? [])].toSorted().join(' and ');
    const message =
      `The tenants ${names} all watch namespace ${namespace}: say whose this is by the label ${labels.tenant}, or leave ` +
      'the namespace to one of them in watchNamespaces';
    const verdict: Verdict = { state: 'stalled', reason: 'ClaimedByTwoTenants', message, problem: message };
    return {
      observedGeneration: generation,
      conditions: conditionsOf(verdict, { generation, now }, workload.status?.conditions),
      active: false,
      healthy: false,
      lastError: message,
      lastTransition: workload.status?.lastTransition ?? now,
    };
  }

  #claims(namespace: string, isClaimed: boolean): boolean {
    const { tenant, watchNamespaces } = this.#options;
    return watchNamespaces.includes(namespace) || (tenant === DEFAULT_TENANT && !isClaimed);
  }
}

function holderOf({ status }: Workload): string | undefined {
  return status?.controller?.tenant;
}
