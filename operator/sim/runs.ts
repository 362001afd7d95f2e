/** A controller's work for the cron job: the production code that claims its runs, over what the controller knows of it. */
import type { CronJob } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import { annotations, DEFAULT_TENANT, labels } from '../api/group.ts';
import type { ClusterClient, KubeObject } from '../cluster/cluster-client.ts';
import { hasCode } from '../cluster/cluster-client.ts';
import { clusterTime } from '../cluster/cluster-time.ts';
import type { Grant } from '../leadership/guard.ts';
import type { CellStore } from '../lease/cell-store.ts';
import { LedgerStore } from '../ledger/ledger.ts';
import { silentLogger } from '../lib/logger.ts';
import { fenced, identity } from '../reconcile/apply.ts';
import type { AnyChild } from '../reconcile/child.ts';
import { stampAnnotations } from '../reconcile/metadata.ts';
import { assertNotLater } from '../reconcile/plan.ts';
import { Tenancy } from '../reconcile/tenancy.ts';
import type { CatchUp } from '../workloads/cronjob/catch-up.ts';
import { CronRuns } from '../workloads/cronjob/runs.ts';
import type { SimBatch } from './batch.ts';
import { CRON, CRON_KIND, ownerIn } from './batch.ts';
import type { SimController } from './controller.ts';
import { Informer } from './informer.ts';
import { termOf } from './objects.ts';

const KEY = { namespace: 'default', name: CRON };

/** What runs are claimed with. */
export interface SimRunsOptions {
  readonly controller: SimController;
  readonly client: ClusterClient;
  readonly store: CellStore;
}

/** Claims the runs of a controller's cron job. */
export class SimRuns {
  readonly informer: Informer;
  readonly #options: SimRunsOptions;
  readonly #runs: CronRuns;

  constructor(options: SimRunsOptions, batch: SimBatch) {
    const { controller, client, store } = options;
    const { cluster, process, toCluster, serverClock } = controller;
    this.#options = options;
    this.informer = new Informer(process, batch.kept, toCluster);
    const workload = customResource(cluster.id, batch.catchUp);
    this.#runs = new CronRuns({
      client,
      workloads: { get: () => workload, list: () => [workload], observe: () => {} },
      caches: [childTypes.cronJobs, childTypes.jobs, childTypes.pods].map((type) => ({
        type,
        cache: this.#cache(type.kind),
      })),
      events: { record: ({ reason, note }) => process.machine.world.note(controller.identity, `${reason}: ${note}`) },
      clock: clusterTime(process.clock, serverClock),
      tenant: DEFAULT_TENANT,
      tenancy: new Tenancy({ tenant: DEFAULT_TENANT, watchNamespaces: [] }),
      clusterName: cluster.id,
      maxGraceMs: 3_600_000,
      clusterId: cluster.id,
      ledger: new LedgerStore(store, DEFAULT_TENANT),
      logger: silentLogger,
    });
  }

  /** Whoever was faster is no defect: it is tried again. */
  async reconcile(grant: Grant): Promise<void> {
    if (grant.heldBack.has(CRON)) return;
    try {
      await this.#runs.settle(KEY, grant);
      await this.#activate(grant);
    } catch (error) {
      if (!hasCode(error, 409) && !hasCode(error, 404)) throw error;
    }
  }

  /** After the runs, as the production reconciler has it. */
  async #activate(grant: Grant): Promise<void> {
    const cronJob = this.informer.get(CRON) as CronJob | undefined;
    if (!cronJob) return;
    assertNotLater(cronJob, grant.term);
    if (cronJob.spec.suspend !== true && termOf(cronJob) === grant.term) return;
    const stamp = stampAnnotations({ term: grant.term, generation: 1 });
    const notes = { ...stamp, [annotations.activationTerm]: String(grant.term) };
    const patch = { metadata: { ...identity(cronJob), annotations: notes }, spec: { suspend: false } };
    const options = { ...fenced(grant), type: 'merge' } as const;
    this.informer.observe(await this.#options.client.patch(childTypes.cronJobs, KEY, patch, options));
  }

  #cache(kind: string) {
    const list = () => this.informer.list().filter((object) => (object as AnyChild).kind === kind) as AnyChild[];
    return {
      get: ({ name }: { readonly name: string }) => list().find(({ metadata }) => metadata.name === name),
      list,
      byOwner: list,
      observe: (object: AnyChild) => this.informer.observe(object as KubeObject),
    };
  }
}

/** In scope of one tenant and of age enough. */
function customResource(clusterId: string, catchUp: CatchUp): AnyChild {
  const { uid } = ownerIn(clusterId);
  return {
    kind: CRON_KIND,
    metadata: { ...KEY, uid, labels: { [labels.tenant]: DEFAULT_TENANT } },
    spec: { catchUp },
  } as AnyChild;
}
