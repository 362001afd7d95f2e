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
import type { Entry, LedgerStore } from '../../ledger/ledger.ts';
import { RetryLater } from '../../lib/errors.ts';
import { Applier, fenced, identity } from '../../reconcile/apply.ts';
import type { ChildSetOptions } from '../../reconcile/child-options.ts';
import { ChildScene } from '../../reconcile/child-scene.ts';
import { controllerOf } from '../../reconcile/metadata.ts';
import { assertNotLater } from '../../reconcile/plan.ts';
import type { Grant, ObjectKey } from '../../reconcile/reconciler.ts';
import type { CatchUp } from './catch-up.ts';
import type { Move, Note } from './decide.ts';
import { decideRuns } from './decide.ts';
import { isOf, jobFor, jobName } from './jobs.ts';

export interface RunsOptions extends ChildSetOptions {
  readonly ledger: LedgerStore;
  readonly clusterId: string;
}

const MAX_MOVES = 40;
const AGAIN_MS = 200;
const LEDGER_MS = 2000;

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
    if (!workload || tenancy.of(workload) !== 'ours' || !claimed(scene, workload)) return;
    let entry = await ledger.read(key, callOf(grant));
    await this.#recall(entry, scene, { key, grant });
    for (let taken = 0; taken < MAX_MOVES; taken++) {
      const cronJob = claimed(scene, workload);
      if (!cronJob) return;
      assertNotLater(cronJob, grant.term);
      const move = this.#next(workload, entry, cronJob, { scene, grant });
      if (!move) return;
      entry = await this.#take(move, { workload, entry, cronJob, scene, grant });
    }
    throw new RetryLater(AGAIN_MS, 'The runs kept changing while they were worked on');
  }

  /** A claim of another leader of this cluster may be younger than what the caches have heard of its Job. */
  async #recall({ ledger }: Entry, scene: ChildScene, { key, grant }: { key: ObjectKey; grant: Grant }): Promise<void> {
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
    { scene, grant }: Pick<Scene, 'scene' | 'grant'>,
  ): Move | undefined {
    const { clusterId, clock } = this.#options;
    return decideRuns({
      ledger,
      mayBeOld,
      isAlone: grant.scope === 'single',
      cronJob,
      jobs: scene.list<Job>(childTypes.jobs).filter((job) => isOf(job, cronJob)),
      pods: scene.list<Pod>(childTypes.pods),
      createdAt: Date.parse(workload.metadata.creationTimestamp ?? '') || 0,
      clusterId,
      term: grant.term,
      catchUp: (workload.spec as { catchUp?: CatchUp } | undefined)?.catchUp ?? 'Last',
      now: clock.wall(),
    });
  }

  async #take(move: Move, of: Scene): Promise<Entry> {
    const { workload, entry, cronJob, scene, grant } = of;
    switch (move.do) {
      case 'write': {
        grant.assertHeld();
        const key = { namespace: cronJob.metadata.namespace ?? '', name: cronJob.metadata.name };
        const written = await this.#options.ledger.write(key, { entry, ledger: move.ledger }, callOf(grant));
        for (const note of move.notes ?? []) this.#tell(workload, note);
        return written;
      }
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
        if (live) scene.put(childTypes.jobs, live.metadata.name, live);
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
        const { job, reason } = move;
        const { live } = await this.#applier.apply({ type: 'stop', live: job, awaited: true, reason }, grant);
        scene.put(childTypes.jobs, job.metadata.name, live);
        return entry;
      }
    }
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
  readonly workload: WorkloadCronJob;
  readonly entry: Entry;
  readonly cronJob: CronJob;
  readonly scene: ChildScene;
  readonly grant: Grant;
}

/** The workload's CronJob, if the runs of it are claimed: then its Jobs are made suspended. */
function claimed(scene: ChildScene, { metadata }: WorkloadCronJob): CronJob | undefined {
  const found = scene.get<CronJob>(childTypes.cronJobs, metadata.name);
  const isOurs = found && controllerOf(found)?.uid === metadata.uid && found.metadata.deletionTimestamp === undefined;
  return isOurs && found.spec.jobTemplate.spec.suspend === true ? found : undefined;
}

function callOf({ signal }: Grant): { readonly timeoutMs: number; readonly signal: AbortSignal } {
  return { timeoutMs: LEDGER_MS, signal };
}
