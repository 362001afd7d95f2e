/** What the reconciler of a workload that is made of children is given. */
import type { ChildType } from '../api/children.ts';
import type { ClusterClient } from '../cluster/cluster-client.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Workload } from './child-look.ts';
import type { AnyChild } from './child.ts';
import type { NamespaceDefaults } from './namespace-defaults.ts';
import type { Tenancy } from './tenancy.ts';
import type { EventSink, OwnedCache, ReadCache } from './ports.ts';

/** Where the objects of one type are found. */
export interface ChildCache {
  readonly type: ChildType;
  readonly cache: OwnedCache<AnyChild>;
}

export interface ChildSetOptions {
  readonly client: ClusterClient;
  readonly workloads: ReadCache<Workload>;
  /** Of all types that the kind makes or looks at. */
  readonly caches: readonly ChildCache[];
  /** Of another kind, any tenant's: one of the same name and namespace may want the same Service. */
  readonly contenders?: { readonly kind: string; readonly cache: Pick<ReadCache<Workload>, 'get'> } | undefined;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly tenant: string;
  readonly tenancy: Tenancy;
  /** Shown to the pods as HIGHLANDER_CLUSTER. */
  readonly clusterName: string;
  /** Of their pods; what asks for more is not started. */
  readonly maxGraceMs: number;
  /** What pods get that neither the spec nor its podTemplate says; absent: nothing. */
  readonly podDefaults?: NamespaceDefaults | undefined;
  readonly logger: Logger;
}
