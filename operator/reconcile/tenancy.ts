/**
 * Whose a custom resource is, as one tenant sees it. Its label says so; without one whoever has it keeps it; else the
 * namespace decides, else there is the default tenant, else the only one. Tenants learn of each other from presence,
 * which may be late or lost: what decides is what is in the cluster. Of the instances of one workload only one can have its
 * name, and a tenant that takes itself for the only one takes a workload by a write that fails when it has changed.
 */
import { labels } from '../api/group.ts';
import type { Facts, Owner, Tenant } from './owner.ts';
import { ownerOf } from './owner.ts';
import type { Child } from './plan.ts';
import type { CommonStatus, Occasion, Verdict } from './status.ts';
import { composeStatus, conditionsOf } from './status.ts';

interface Workload extends Child {
  status?: CommonStatus;
}

/**
 * claimable: ours once it has been taken. disputed: several tenants claim it, and none has it. others: not ours, or not
 * yet.
 */
export type Ownership = 'ours' | 'claimable' | 'disputed' | 'others';

/** Which tenant this is, and which others there are. */
export interface TenancyOptions {
  readonly tenant: string;
  /** All when there is none. */
  readonly watchNamespaces: readonly string[];
  /** Whose workloads are ours unless a label says otherwise; those that are watched unless told. */
  readonly ownNamespaces?: readonly string[];
  /** The other tenants that have controllers in this cluster, as far as they can be seen; none unless told. */
  readonly others?: () => readonly Tenant[];
  /** Whether others have had the time to be seen, and to see us. */
  readonly isSettled?: () => boolean;
}

/** Tells whose custom resources are. */
export class Tenancy {
  readonly #options: TenancyOptions;
  readonly #self: Tenant;

  constructor(options: TenancyOptions) {
    this.#options = options;
    const { tenant: name, watchNamespaces, ownNamespaces = watchNamespaces } = options;
    const watches = watchNamespaces.length > 0 ? new Set(watchNamespaces) : undefined;
    this.#self = { name, claims: new Set(ownNamespaces), watches, lives: true };
  }

  get tenant(): string {
    return this.#self.name;
  }

  /**
   * A label decides at once. Without one nothing that runs is ever stopped for the sake of another tenant. `runs`: a child
   * of ours is there.
   */
  of(workload: Workload, runs = false): Ownership {
    const owner = this.owner(workload);
    if (runs && owner.by !== 'label') return 'ours';
    if ('tenants' in owner)
      return owner.by === 'several' && owner.tenants.includes(this.#self.name) ? 'disputed' : 'others';
    if (owner.tenant !== this.#self.name) return 'others';
    if (owner.by !== 'alone') return 'ours';
    return (this.#options.isSettled?.() ?? true) ? 'claimable' : 'others';
  }

  owner(workload: Workload): Owner {
    return ownerOf(factsOf(workload), this.tenants);
  }

  /** Those that have controllers in this cluster, this one included. */
  get tenants(): readonly Tenant[] {
    return [this.#self, ...(this.#options.others?.() ?? [])];
  }

  /** Whether there is anything to do about it: what is no longer ours must be let go. */
  concerns(workload: Workload): boolean {
    return this.of(workload) !== 'others' || this.holds(workload);
  }

  /** Its status says that this tenant has it. */
  holds(workload: Workload): boolean {
    return factsOf(workload).holder === this.#self.name;
  }

  /** What its status says from the moment on in which it is taken. */
  claim(workload: Workload, occasion: Occasion): CommonStatus {
    const message =
      `Tenant ${this.#self.name} claims this workload: it has no label ${labels.tenant}, and no other tenant has ` +
      `controllers in this cluster that watch namespace ${workload.metadata.namespace ?? ''}`;
    const facts = { ...workload.status, active: false, healthy: false };
    return composeStatus<CommonStatus>(
      facts,
      { state: 'working', reason: 'Claimed', message },
      occasion,
      workload.status,
    );
  }

  /** The same, whichever of the tenants says it. `now`: RFC 3339. */
  dispute(workload: Workload, now: string): CommonStatus {
    const { namespace = '', generation = 0 } = workload.metadata;
    const owner = this.owner(workload);
    const names = 'tenants' in owner ? owner.tenants.join(' and ') : owner.tenant;
    const message =
      `Tenants ${names} all claim namespace ${namespace}: set the label ${labels.tenant} to one of them, or configure the ` +
      'namespace (watchNamespaces, namespace) for only one of them';
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
}

function factsOf({ metadata, status }: Workload): Facts {
  const { namespace = '', labels: own = {} } = metadata;
  return { label: own[labels.tenant], holder: status?.controller?.tenant, namespace };
}
