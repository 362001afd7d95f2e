/** Keeps the Deployment and the Service of each WorkloadService. */
import { childTypes } from '../../api/children.ts';
import type { ServiceSpec } from '../../api/service.ts';
import { serviceResource, serviceSpec } from '../../api/service.ts';
import { checkedSpec } from '../../api/spec.ts';
import type { WorkloadKind } from '../../reconcile/child-look.ts';
import type { ChildSetOptions } from '../../reconcile/child-options.ts';
import { ChildSetReconciler } from '../../reconcile/child-set.ts';
import { desired } from './desired.ts';
import { facts, verdict } from './observe.ts';

const service: WorkloadKind<ServiceSpec> = {
  resource: serviceResource,
  component: 'service',
  children: [childTypes.deployments, childTypes.services],
  parse: (spec) => checkedSpec(serviceSpec, spec),
  desired,
  facts,
  verdict,
};

/** Reconciles WorkloadServices. */
export class ServiceReconciler extends ChildSetReconciler<ServiceSpec> {
  constructor(options: ChildSetOptions) {
    super(service, options);
  }
}
