/** Keeps the CronJob of each WorkloadCronJob, and lets its runs begin where each has to be claimed. */
import { childTypes } from '../../api/children.ts';
import type { CronJobSpec } from '../../api/cronjob.ts';
import { cronJobResource, cronJobSpec } from '../../api/cronjob.ts';
import { ApiError } from '../../cluster/cluster-client.ts';
import { isRefusal, lacksPermit } from '../../reconcile/apply.ts';
import { checkedSpec } from '../../api/spec.ts';
import type { WorkloadKind } from '../../reconcile/child-look.ts';
import { ChildSetReconciler } from '../../reconcile/child-set.ts';
import { RefusedPods } from '../../reconcile/refused-pods.ts';
import type { Grant, ObjectKey, Result } from '../../reconcile/reconciler.ts';
import { desired } from './desired.ts';
import { missingPod, facts, verdict } from './observe.ts';
import type { RunsOptions } from './runs.ts';
import { CronRuns } from './runs.ts';
import { repair } from './stuck.ts';

const cronJob: WorkloadKind<CronJobSpec> = {
  resource: cronJobResource,
  component: 'cronjob',
  children: [childTypes.cronJobs],
  parse: (spec) => checkedSpec(cronJobSpec, spec),
  desired,
  repair,
  facts,
  verdict,
};

/** Reconciles WorkloadCronJobs. */
export class CronJobReconciler extends ChildSetReconciler<CronJobSpec> {
  readonly #runs: CronRuns;

  constructor(options: RunsOptions) {
    super(cronJob, options, [new RefusedPods(options.client, missingPod)]);
    this.#runs = new CronRuns(options);
  }

  /**
   * Runs first: a spec that is wrong says nothing about those of the spec before. A Job that the API server refuses keeps no
   * edit of the spec back, which may be what helps.
   */
  override async reconcile(key: ObjectKey, grant: Grant): Promise<Result> {
    const refusal = await this.#runs.settle(key, grant).then(() => undefined, refusalOf);
    if (refusal) this.#runs.reportRejection(key, refusal);
    const result = await super.reconcile(key, grant);
    if (refusal) throw refusal;
    return result;
  }
}

/** Throws everything else. */
function refusalOf(error: unknown): ApiError {
  if (error instanceof ApiError && isRefusal(error) && !lacksPermit(error)) return error;
  throw error;
}
