/** A cluster in which each run of one cron job is claimed, with the part of Kubernetes that makes its Jobs. */
import type { CronJob, Job } from '../../../api/children.ts';
import { childTypes } from '../../../api/children.ts';
import { cronJobResource } from '../../../api/cronjob.ts';
import { LedgerStore } from '../../../ledger/ledger.ts';
import type { CellStore } from '../../../lease/cell-store.ts';
import type { ChildCache } from '../../../reconcile/child-options.ts';
import type { AnyChild } from '../../../reconcile/child.ts';
import { ChildWorld, KEY } from '../../../reconcile/testing/child-world.ts';
import { isJobOver } from '../../../reconcile/ending.ts';
import { hasBegun, jobFor } from '../jobs.ts';
import { CronJobReconciler } from '../reconciler.ts';

const { cronJobs, jobs } = childTypes;
export const MINUTE_MS = 60_000;

export class ClaimedWorld extends ChildWorld {
  /** Instants of the Jobs that were let go, in that order: each `suspend: false` counts. */
  readonly begun: number[] = [];
  /** Their names. */
  readonly begunJobs: string[] = [];
  /** Names of Jobs of which the cache has not heard. */
  readonly unseen: Set<string>;
  readonly #start: number;

  constructor(clusterId: string, store: CellStore, spec: Record<string, unknown> = {}) {
    const ledger = new LedgerStore(store, 'default');
    const unseen = new Set<string>();
    const make = (options: ConstructorParameters<typeof CronJobReconciler>[0]) => new CronJobReconciler(options);
    super(
      {
        resource: cronJobResource,
        types: [cronJobs, jobs],
        make: (options) =>
          make({ ...options, caches: options.caches.map((each) => lagging(each, unseen)), ledger, clusterId }),
      },
      { schedule: '* * * * *', ...spec },
    );
    this.unseen = unseen;
    this.scope = 'multi';
    this.#start = this.clock.wall();
    const check = this.cluster.onWrite;
    this.cluster.onWrite = (write, object) => {
      check(write, object);
      const job = object as Job;
      if (write.kind !== 'Job' || write.verb !== 'patch' || job.spec.suspend !== false) return;
      this.begunJobs.push(job.metadata.name);
      const minute = this.minuteOf(job);
      if (!Number.isNaN(minute)) this.begun.push(minute);
    };
  }

  /** Minutes since the start, for a Job that the schedule asked for. */
  minuteOf({ metadata: { name } }: Job): number {
    const minutes = name.slice(KEY.name.length + 1);
    return /^\d{8}$/.test(minutes) ? Number(minutes) - this.#start / MINUTE_MS : NaN;
  }

  /** Lets a minute come round; Kubernetes makes its Job, as it would under `Forbid`. */
  async nextMinute(): Promise<void> {
    await this.clock.advance(MINUTE_MS);
    this.makeJob(this.clock.wall());
    await this.reconcile();
  }

  makeJob(instant: number): void {
    const cronJob = this.child<CronJob>(cronJobs);
    if (!cronJob || cronJob.spec.suspend || this.all().some((job) => !isJobOver(job))) return;
    this.cluster.edit(jobs, jobFor(cronJob, instant));
  }

  /** As `kubectl create job NAME --from=cronjob/…` does it. */
  askFor(name: string): void {
    const cronJob = this.child<CronJob>(cronJobs);
    if (!cronJob) throw new Error('there is no CronJob yet');
    const { name: _, ownerReferences = [], ...metadata } = jobFor(cronJob, 0).metadata;
    const [owner] = ownerReferences;
    const annotations = {
      'cronjob.kubernetes.io/instantiate': 'manual',
      ...cronJob.spec.jobTemplate.metadata?.annotations,
    };
    this.cluster.edit<Job>(jobs, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { ...metadata, name, annotations, ownerReferences: owner ? [owner] : [] },
      spec: structuredClone(cronJob.spec.jobTemplate.spec),
    });
  }

  job(name: string): Job | undefined {
    return this.child<Job>(jobs, name);
  }

  all(): readonly Job[] {
    return this.cluster.all<Job>(jobs).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** The run under way comes to its end. */
  finish(): void {
    for (const job of this.all()) {
      if (!hasBegun(job) || isJobOver(job)) continue;
      this.editJob(job, { status: { conditions: [{ type: 'Complete', status: 'True' }] } });
    }
  }

  editJob(job: Job, change: Partial<Job>): void {
    this.editChild<Job>(jobs, (found) => ({ ...found, ...change }), job.metadata.name);
  }
}

function lagging({ type, cache }: ChildCache, unseen: Set<string>): ChildCache {
  const isSeen = ({ metadata: { name } }: AnyChild): boolean => type !== jobs || !unseen.has(name);
  return {
    type,
    cache: {
      get: (key) => [cache.get(key)].find((each) => each && isSeen(each)),
      list: () => cache.list().filter(isSeen),
      byOwner: (key) => cache.byOwner(key).filter(isSeen),
      observe: (object) => {
        unseen.delete(object.metadata.name);
        cache.observe(object);
      },
    },
  };
}
