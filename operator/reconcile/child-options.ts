/** What the reconciler of a workload that is made of children is given. */
import type { ChildType } from '../api/children.ts';
import type { Workload } from './child-look.ts';
import type { AnyChild } from './child.ts';
import type { OwnedCache, ReadCache } from './ports.ts';
import type { WorkloadReconcilerOptions } from './workload-reconciler.ts';

/** Where the objects of one type are found. */
export interface ChildCache {
  readonly type: ChildType;
  readonly cache: OwnedCache<AnyChild>;
}

/** What such workloads are reconciled with. */
export interface ChildSetOptions extends WorkloadReconcilerOptions<Workload> {
  /** Of all types that the kind makes or looks at. */
  readonly caches: readonly ChildCache[];
  /** Of another kind, any tenant's: one of the same name and namespace may want the same Service. */
  readonly contenders?: { readonly kind: string; readonly cache: Pick<ReadCache<Workload>, 'get'> } | undefined;
}
