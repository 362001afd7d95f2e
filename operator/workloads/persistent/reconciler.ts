/** Keeps the StatefulSet and the Service of each WorkloadPersistent. */
import { childTypes } from '../../api/children.ts';
import type { PersistentSpec } from '../../api/persistent.ts';
import { persistentResource, persistentSpec } from '../../api/persistent.ts';
import { checkedSpec } from '../../api/spec.ts';
import type { WorkloadKind } from '../../reconcile/child-look.ts';
import type { ChildSetOptions } from '../../reconcile/child-options.ts';
import { ChildSetReconciler } from '../../reconcile/child-set.ts';
import { RefusedPods } from '../../reconcile/refused-pods.ts';
import { ClaimKeeper } from './claim-keeper.ts';
import { desired } from './desired.ts';
import { missingPod, facts, repair, verdict } from './observe.ts';

const persistent: WorkloadKind<PersistentSpec> = {
  resource: persistentResource,
  component: 'persistent',
  children: [childTypes.statefulSets, childTypes.services],
  parse: (spec) => checkedSpec(persistentSpec, spec),
  desired,
  repair,
  facts,
  verdict,
};

/** Reconciles WorkloadPersistents. */
export class PersistentReconciler extends ChildSetReconciler<PersistentSpec> {
  constructor(options: ChildSetOptions) {
    super(persistent, options, [new ClaimKeeper(options.client), new RefusedPods(options.client, missingPod)]);
  }
}
