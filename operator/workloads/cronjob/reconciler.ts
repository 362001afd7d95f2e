/** Keeps the CronJob of each WorkloadCronJob. */
import { childTypes } from '../../api/children.ts';
import type { CronJobSpec } from '../../api/cronjob.ts';
import { cronJobResource, cronJobSpec } from '../../api/cronjob.ts';
import { checkedSpec } from '../../api/spec.ts';
import type { WorkloadKind } from '../../reconcile/child-look.ts';
import type { ChildSetOptions } from '../../reconcile/child-options.ts';
import { ChildSetReconciler } from '../../reconcile/child-set.ts';
import { desired } from './desired.ts';
import { facts, verdict } from './observe.ts';

const cronJob: WorkloadKind<CronJobSpec> = {
  resource: cronJobResource,
  component: 'cronjob',
  children: [childTypes.cronJobs],
  parse: (spec) => checkedSpec(cronJobSpec, spec),
  desired,
  facts,
  verdict,
};

export class CronJobReconciler extends ChildSetReconciler<CronJobSpec> {
  constructor(options: ChildSetOptions) {
    super(cronJob, options);
  }
}
