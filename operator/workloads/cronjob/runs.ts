/**
 * Carries out what `decide.ts` says about the runs of a cron job whose Jobs are made suspended: each is claimed in the
 * ledger, by compare-and-set, before it is let go.
 */
import type { CronJob, Job } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import type { WorkloadCronJob } from '../../api/cronjob.ts';
import { CRON_JOB_KIND } from '../../api/cronjob.ts';
import { annotations, API_VERSION, fieldManagers } from '../../api/group.ts';
import type { Pod } from '../../api/kubernetes.ts';
import { isOpen } from '../../ledger/cron-ledger.ts';
import type { ApiError } from '../../cluster/cluster-client.ts';
import type { Entry, LedgerStore } from '../../ledger/ledger.ts';
import { RetryLater } from '../../lib/errors.ts';
import { Applier, fenced, identity } from '../../reconcile/apply.ts';
import type { ChildSetOptions } from '../../reconcile/child-options.ts';
import { ChildScene } from '../../reconcile/child-scene.ts';
import { controllerOf } from '../../reconcile/metadata.ts';
import { assertNotLater } from '../../reconcile/plan.ts';
import type { Grant, ObjectKey } from '../../reconcile/reconciler.ts';
import type { CatchUp } from './catch-up.ts';
import { decideRuns } from './decide.ts';
import { instantOf, isOf, jobFor, jobName } from './jobs.ts';
import { firstLedger } from './mark.ts';
import type { Note } from './notes.ts';
import type { Move } from './view.ts';

/** What runs are claimed with. */
export interface RunsOptions extends ChildSetOptions {
  readonly ledger: LedgerStore;
  readonly clusterId: string;
}

const MAX_MOVES = 40;
const AGAIN_MS = 200;
/** Until a Job that is being deleted may have gone. */
const GOING_MS = 5000;
const LEDGER_MS = 2000;

/** Takes the runs of one cron job as far as they can be taken now. */
export class CronRuns {
  readonly #options: RunsOptions;
  readonly #applier: Applier<Job>;

  constructor(options: RunsOptions) {
    this.#options = options;
    this.#applier = new Applier(options.client, childTypes.jobs);
  }

  /** Takes all steps that are due now. Throws what the store and the client throw, `HigherTermSeen` and `RetryLater`. */
  async settle(key: ObjectKey, grant: Grant): Promise<void> {
    const { workloads, caches, tenant, tenancy, ledger } = this.#options;
    const workload = workloads.get(key) as WorkloadCronJob | undefined;
    const scene = new ChildScene(caches, key, CRON_JOB_KIND, tenant);
    if (!workload || tenancy.of(workload) !== 'ours') return;
    if (!claimed(scene, workload)) return this.#expect(workload, scene, { key, grant });
    let entry = await ledger.read(key, callOf(grant));
    await this.#recall(entry, scene, { key, grant });
    const taken = new Set<string>();
    for (let moves = 0; moves < MAX_MOVES; moves++) {
      const cronJob = claimed(scene, workload);
      if (!cronJob) return;
      assertNotLater(cronJob, grant.term, grant.isForged);
      const move = this.#next(workload, entry, cronJob, { scene, taken, grant });
      if (!move) return;
      entry = await this.#take(move, { workload, entry, cronJob, scene, taken, grant });
    }
    throw new RetryLater(AGAIN_MS, 'The runs kept changing during the reconcile');
  }

  /** The API server will not have a Job. */
  reportRejection(key: ObjectKey, { message }: ApiError): void {
    const workload = this.#options.workloads.get(key) as WorkloadCronJob | undefined;
    if (workload)
      this.#tell(workload, { type: 'Warning', reason: 'RunRefused', note: `Failed to start a run: ${message}` });
  }

  /**
   * Before a CronJob is made whose runs are claimed, the ledger says since when: what is due from now on is not lost when
   * this leader dies before its first claim.
   */
  async #expect(workload: WorkloadCronJob, scene: ChildScene, { key, grant }: Pick<Scene, 'key' | 'grant'>) {
    const { ledger, clusterId, clock } = this.#options;
    const isAlone = grant.scope === 'single';
    if (workload.metadata.deletionTimestamp !== undefined || (isAlone && catchUpOf(workload) !== 'All')) return;
    if (scene.get(childTypes.cronJobs, key.name)) return;
    const entry = await ledger.read(key, callOf(grant));
    if (entry.ledger) return;
    const lastRun = Date.parse(workload.status?.lastScheduleTime ?? '') || 0;
    const first = firstLedger({ isAlone, createdAt: createdAt(workload), lastRun, clusterId, now: clock.wall() });
    grant.assertHeld();
    await ledger.write(key, { entry, ledger: first }, callOf(grant));
  }

  /** A claim of another leader of this cluster may be younger than what the caches have heard of its Job. */
  async #recall({ ledger }: Entry, scene: ChildScene, { key, grant }: Pick<Scene, 'key' | 'grant'>): Promise<void> {
    const { client, clusterId } = this.#options;
    const known = new Set(scene.list<Job>(childTypes.jobs).map(({ metadata: { uid } }) => uid));
    for (const claim of ledger?.claims ?? []) {
      if (!isOpen(claim) || claim.clusterId !== clusterId || known.has(claim.jobUid)) continue;
      const name = jobName(key.name, claim.instant);
      const at = { name, namespace: key.namespace };
      scene.put(childTypes.jobs, name, await client.get<Job>(childTypes.jobs, at, { signal: grant.signal }));
    }
  }

  #next(
    workload: WorkloadCronJob,
    { ledger, mayBeOld }: Entry,
    cronJob: CronJob,
    { scene, taken, grant }: Pick<Scene, 'scene' | 'taken' | 'grant'>,
  ): Move | undefined {
    const { clusterId, clock } = this.#options;
    return decideRuns({
      ledger,
      mayBeOld,
      isAlone: grant.scope === 'single',
      cronJob,
      jobs: scene.list<Job>(childTypes.jobs).filter((job) => isOf(job, cronJob)),
      taken,
      pods: scene.list<Pod>(childTypes.pods),
      createdAt: createdAt(workload),
      clusterId,
      term: grant.term,
      catchUp: catchUpOf(workload),
      now: clock.wall(),
    });
  }

  async #take(move: Move, of: Omit<Scene, 'key'>): Promise<Entry> {
    const { workload, entry, cronJob, scene, grant } = of;
    switch (move.do) {
      case 'write':
        return this.#write(move, of);
      case 'stamp': {
        const lastRun = move.lastRun === undefined ? {} : { [annotations.lastRun]: String(move.lastRun) };
        const notes = { [annotations.lastClaimed]: String(move.mark), ...lastRun };
        scene.put(
          childTypes.cronJobs,
          cronJob.metadata.name,
          await this.#patch(childTypes.cronJobs, cronJob, { notes, grant }),
        );
        return entry;
      }
      case 'create': {
        const object = jobFor(cronJob, move.instant);
        const { live } = await this.#applier.apply({ type: 'create', object, reason: 'Missing' }, grant);
        if (live) this.#found(live, move.instant, of);
        return entry;
      }
      case 'resume': {
        const notes = { [annotations.term]: String(grant.term) };
        const spec = { suspend: false };
        scene.put(
          childTypes.jobs,
          move.job.metadata.name,
          await this.#patch(childTypes.jobs, move.job, { notes, spec, grant }),
        );
        return entry;
      }
      case 'remove': {
        const { job, reason, note } = move;
        const { live, changed } = await this.#applier.apply({ type: 'stop', live: job, awaited: true, reason }, grant);
        if (note && !changed) this.#tell(workload, note);
        scene.put(childTypes.jobs, job.metadata.name, live);
        return entry;
      }
    }
  }

  async #write({ ledger, notes = [] }: Extract<Move, { do: 'write' }>, of: Omit<Scene, 'key'>): Promise<Entry> {
    const { workload, entry, cronJob, grant } = of;
    grant.assertHeld();
    const key = { namespace: cronJob.metadata.namespace ?? '', name: cronJob.metadata.name };
    const written = await this.#options.ledger.write(key, { entry, ledger }, callOf(grant));
    for (const note of notes) this.#tell(workload, note);
    return written;
  }

  /** The Job for that instant, or what has its name. */
  #found(live: Job, instant: number, { cronJob, scene, taken }: Pick<Scene, 'cronJob' | 'scene' | 'taken'>): void {
    const { name, deletionTimestamp } = live.metadata;
    if (deletionTimestamp !== undefined)
      throw new RetryLater(GOING_MS, `Job ${name} is being deleted; the next run waits for its name`);
    scene.put(childTypes.jobs, name, live);
    const isListed = scene.list<Job>(childTypes.jobs).some(({ metadata }) => metadata.uid === live.metadata.uid);
    if (!isListed || !isOf(live, cronJob) || instantOf(live, cronJob) !== instant) taken.add(name);
  }

  #patch<T extends CronJob | Job>(
    type: (typeof childTypes)['cronJobs' | 'jobs'],
    { metadata }: T,
    {
      notes,
      spec,
      grant,
    }: { readonly notes: Readonly<Record<string, string>>; readonly spec?: object; readonly grant: Grant },
  ): Promise<T> {
    const { name, namespace = '' } = metadata;
    const patch = { metadata: { ...identity({ metadata }), annotations: notes }, ...(spec && { spec }) };
    const options = { ...fenced(grant), type: 'merge', fieldManager: fieldManagers.children } as const;
    return this.#options.client.patch<T>(type, { name, namespace }, patch, options);
  }

  #tell({ metadata: { namespace = '', name, uid = '' } }: WorkloadCronJob, { type, reason, note }: Note): void {
    const regarding = { apiVersion: API_VERSION, kind: CRON_JOB_KIND, namespace, name, uid };
    this.#options.events.record({ regarding, type, reason, action: 'Schedule', note });
  }
}

interface Scene {
  readonly key: ObjectKey;
  readonly workload: WorkloadCronJob;
  readonly entry: Entry;
  readonly cronJob: CronJob;
  readonly scene: ChildScene;
  readonly taken: Set<string>;
  readonly grant: Grant;
}

/** The workload's CronJob, if the runs of it are claimed: then its Jobs are made suspended. */
function claimed(scene: ChildScene, { metadata }: WorkloadCronJob): CronJob | undefined {
  const found = scene.get<CronJob>(childTypes.cronJobs, metadata.name);
  const isOurs = found && controllerOf(found)?.uid === metadata.uid && found.metadata.deletionTimestamp === undefined;
  return isOurs && found.spec.jobTemplate.spec.suspend === true ? found : undefined;
}

function catchUpOf({ spec }: WorkloadCronJob): CatchUp {
  return (spec as { catchUp?: CatchUp } | undefined)?.catchUp ?? 'Last';
}

/** Milliseconds since the epoch. */
function createdAt({ metadata }: WorkloadCronJob): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0;
}

function callOf({ signal }: Grant): { readonly timeoutMs: number; readonly signal: AbortSignal } {
  return { timeoutMs: LEDGER_MS, signal };
}
