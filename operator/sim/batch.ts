/**
 * A model of a cluster's cron job, as the API server keeps it and Kubernetes' own controllers treat it: a Job for each
 * minute, made suspended, and a pod for each Job that is not.
 */
import type { ChildType, CronJob, Job } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import { API_VERSION, DEFAULT_TENANT, labels } from '../api/group.ts';
import type { DeleteOptions, KubeObject } from '../cluster/cluster-client.ts';
import type { AnyChild } from '../reconcile/child.ts';
import { isJobOver } from '../reconcile/ending.ts';
import type { Found } from '../reconcile/parking.ts';
import { mayRun, parkingOf } from '../reconcile/parking.ts';
import type { CatchUp } from '../workloads/cronjob/catch-up.ts';
import { instantOf, jobFor } from '../workloads/cronjob/jobs.ts';
import type { Checker } from './checker.ts';
import type { SimCluster } from './cluster.ts';
import { Objects, termOf } from './objects.ts';
import type { World } from './world.ts';

/** Name of the simulated cron job. */
export const CRON = 'tick';
/** Kind of its custom resource. */
export const CRON_KIND = 'WorkloadCronJob';
const TYPES: Readonly<Record<string, ChildType>> = { CronJob: childTypes.cronJobs, Job: childTypes.jobs };
/** A minute, in milliseconds. */
export const MINUTE_MS = 60_000;
const OWN = { [labels.tenant]: DEFAULT_TENANT, [labels.kind]: CRON_KIND, [labels.name]: CRON };
/** How often Kubernetes' controllers look. */
const LOOK_MS = 1000;
/** Longest that a Job's pod takes to be made, and to end by itself. */
const CREATE_MS = 3000;
const RUN_MS = 20_000;

/** A merge patch of a CronJob or a Job. */
export interface BatchPatch {
  readonly metadata: KubeObject['metadata'];
  readonly spec?: object;
}

/** The cron job of one cluster, with its Jobs. */
export class SimBatch {
  readonly kept: Objects;
  readonly catchUp: CatchUp;
  /** Names of the Jobs that have begun, the latest last. */
  readonly begun: string[] = [];
  readonly #world: World;
  readonly #checker: Checker;
  readonly #cluster: SimCluster;
  /** Longest that a pod takes to end when it is told to. */
  readonly #graceMs: number;
  /** Uids of the Jobs whose pod is on its way. */
  readonly #coming = new Set<string>();

  constructor(world: World, checker: Checker, cluster: SimCluster, catchUp: CatchUp) {
    this.#world = world;
    this.#checker = checker;
    this.#cluster = cluster;
    this.catchUp = catchUp;
    this.kept = new Objects(cluster.id);
    this.#graceMs = cluster.graceMs;
    this.kept.make(suspendedCronJob(cluster.id));
    this.#look();
  }

  get objects(): ReadonlyMap<string, KubeObject> {
    return this.kept.all;
  }

  get #cronJob(): CronJob {
    return this.kept.find(CRON) as CronJob;
  }

  isActiveIn(term: number): boolean {
    return this.#cronJob.spec.suspend !== true && termOf(this.#cronJob) === term;
  }

  get jobs(): readonly Job[] {
    return this.#all.filter(({ kind }) => kind === 'Job') as Job[];
  }

  /** What a look finds that runs or may start: a pod on its way is not seen. */
  get running(): readonly string[] {
    return this.#found.some(mayRun) ? [CRON] : [];
  }

  /** Of what is to be changed so that all of it ends. */
  get parkings(): readonly { readonly name: string; readonly patch: BatchPatch }[] {
    return this.#found.flatMap((found) => {
      const action = parkingOf(found);
      if (action?.type !== 'park') return [];
      const { name, uid = '', resourceVersion = '' } = found.object.metadata;
      const { metadata, spec } = action.patch;
      return [
        { name, patch: { metadata: { ...metadata, name, uid, resourceVersion } as BatchPatch['metadata'], spec } },
      ];
    });
  }

  create(by: string, object: KubeObject): KubeObject {
    const made = this.kept.make(object);
    this.#world.note(by, `creates Job ${made.metadata.name}`);
    return made;
  }

  patch(by: string, name: string, { metadata, spec }: BatchPatch): KubeObject {
    const old = this.kept.find(name, metadata) as AnyChild;
    const annotations = Object.entries({ ...old.metadata.annotations, ...metadata.annotations });
    const given = Object.fromEntries(annotations.filter(([, value]) => value !== null));
    const changed = this.kept.put({
      ...old,
      metadata: { ...old.metadata, annotations: given },
      ...(spec && { spec: Object.assign({}, old.spec, spec) }),
    } as KubeObject);
    this.#world.note(by, `patches ${name}: term ${termOf(changed)}, ${JSON.stringify(spec ?? {})}`);
    this.#checker.accepted(by, changed, old);
    return changed;
  }

  /** As `kubectl create job NAME --from=cronjob/…` does it. */
  ask(name: string): void {
    const { metadata, ...job } = jobFor(this.#cronJob, 0);
    const notes = { 'cronjob.kubernetes.io/instantiate': 'manual' };
    const creationTimestamp = new Date(this.#cluster.time).toISOString();
    this.create('user', {
      ...job,
      metadata: { ...metadata, name, annotations: notes, creationTimestamp },
    } as KubeObject);
  }

  /** Whether Kubernetes makes Jobs that wait, or lets each run begin by itself. */
  hold(isHeld: boolean): void {
    const { jobTemplate } = this.#cronJob.spec;
    const spec = { jobTemplate: { ...jobTemplate, spec: { ...jobTemplate.spec, suspend: isHeld } } };
    this.patch('user', CRON, { metadata: { name: CRON }, spec });
  }

  delete(by: string, name: string, options: Partial<DeleteOptions>): boolean {
    if (!this.objects.has(name)) return false;
    const job = this.kept.find(name, options.preconditions) as Job;
    this.#world.note(by, `deletes Job ${name}`);
    if (!this.#podOf(job)) this.kept.drop(job);
    else {
      if (by !== 'user' && job.spec.suspend !== true) this.#checker.interrupted(by, name);
      this.kept.put({ ...job, metadata: { ...job.metadata, deletionTimestamp: 'now' } });
    }
    return true;
  }

  get #all(): readonly AnyChild[] {
    return [...this.objects.values()] as AnyChild[];
  }

  get #found(): readonly Found[] {
    return this.#all.map((object) => ({ type: TYPES[object.kind ?? ''] ?? childTypes.pods, object }));
  }

  #look(): void {
    const { down, hangs } = this.#cluster;
    if (!down && !hangs && this.#world.chance.hits(0.7)) {
      this.#schedule();
      for (const job of this.jobs) this.#follow(job);
    }
    this.#world.after(LOOK_MS, () => this.#look());
  }

  /** Of the instants that were missed the last one, unless a Job is in its way. */
  #schedule(): void {
    const cronJob = this.#cronJob;
    if (cronJob.spec.suspend === true) return;
    const instant = Math.floor(this.#cluster.time / MINUTE_MS) * MINUTE_MS;
    const last = Date.parse(cronJob.status?.lastScheduleTime ?? cronJob.metadata.creationTimestamp ?? '');
    if (instant <= last || this.jobs.some((job) => !isJobOver(job))) return;
    this.kept.put({
      ...cronJob,
      status: { ...cronJob.status, lastScheduleTime: new Date(instant).toISOString() },
    } as KubeObject);
    const { metadata, spec, ...job } = jobFor(cronJob, instant);
    const isHeld = cronJob.spec.jobTemplate.spec.suspend === true;
    if (this.objects.has(metadata.name)) return;
    this.create(`${this.#cluster.id}, cron`, { ...job, metadata, spec: { ...spec, suspend: isHeld } } as KubeObject);
  }

  #follow(job: Job): void {
    const { uid = '', deletionTimestamp } = job.metadata;
    if (job.spec.suspend === true || deletionTimestamp !== undefined) return this.#end(job);
    if (this.#coming.has(uid) || this.#podOf(job) || isJobOver(job)) return;
    this.#coming.add(uid);
    // What was decided a moment ago is done, whatever was said of the Job since.
    this.#world.after(this.#world.chance.skewed(10, CREATE_MS), () => this.#start(job));
  }

  #start(job: Job): void {
    const { refusesPods, down, hangs } = this.#cluster;
    this.#coming.delete(job.metadata.uid ?? '');
    if (refusesPods || down || hangs || this.#live(job) === undefined) return;
    const { name } = job.metadata;
    const instant = instantOf(job, this.#cronJob);
    this.kept.make(newPod(job));
    this.#checker.started(this.#cluster, containerOf(job));
    if (instant !== undefined) this.#checker.ran(this.#cluster, instant);
    else if (this.begun.includes(name))
      this.#checker.fail('one run', `${name}, which was asked for once, begins again`);
    this.begun.push(name);
    this.#world.after(this.#world.chance.between(0.1, 1) * RUN_MS, () => this.#complete(job));
  }

  #complete(job: Job): void {
    const pod = this.#podOf(job);
    if (!pod || pod.metadata.deletionTimestamp !== undefined) return;
    this.#ended(job, pod);
    const live = this.#live(job);
    const status = { conditions: [{ type: 'Complete', status: 'True' }] };
    if (live) this.kept.put(Object.assign({}, live, { status }));
  }

  #end(job: Job): void {
    const pod = this.#podOf(job);
    if (!pod || pod.metadata.deletionTimestamp !== undefined || this.#cluster.isStuck) return;
    this.kept.put({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: 'now' } });
    this.#world.after(this.#world.chance.between(0.2, 1) * this.#graceMs, () => this.#ended(job, pod));
  }

  #ended(job: Job, pod: KubeObject): void {
    this.#checker.ended(this.#cluster, containerOf(job));
    this.kept.drop(pod);
    const live = this.#live(job);
    if (live?.metadata.deletionTimestamp !== undefined) this.kept.drop(live);
  }

  /** All of its pods end at once, and their runs with them. */
  die(): void {
    for (const job of this.jobs) {
      const pod = this.#podOf(job);
      if (pod) this.#ended(job, pod);
      const live = this.#live(job);
      const status = { conditions: [{ type: 'Failed', status: 'True' }] };
      if (pod && live) this.kept.put(Object.assign({}, live, { status }));
    }
  }

  #podOf(job: Job): KubeObject | undefined {
    return this.objects.get(nameOfPod(job));
  }

  #live({ metadata: { name, uid } }: Job): KubeObject | undefined {
    const found = this.objects.get(name);
    return found?.metadata.uid === uid ? found : undefined;
  }
}

function nameOfPod({ metadata: { uid } }: Job): string {
  return `pod-of-${uid}`;
}

function newPod(job: Job): KubeObject {
  const { name, uid = '' } = job.metadata;
  return {
    kind: 'Pod',
    metadata: {
      name: nameOfPod(job),
      namespace: 'default',
      labels: OWN,
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true }],
    },
    spec: { nodeName: 'node', containers: [{ name: 'main' }] },
    status: { phase: 'Running' },
  } as KubeObject;
}

function containerOf({ metadata: { uid } }: Job): KubeObject {
  return { metadata: { name: CRON, ...(uid !== undefined && { uid }) } };
}

/** As the reconciler leaves it in a cluster that does not lead. */
function suspendedCronJob(clusterId: string): KubeObject {
  const spec: CronJob['spec'] = {
    schedule: '* * * * *',
    timeZone: 'Etc/UTC',
    suspend: true,
    concurrencyPolicy: 'Forbid',
    jobTemplate: { metadata: { labels: OWN }, spec: { suspend: true } as Job['spec'] },
  };
  return {
    kind: 'CronJob',
    metadata: { name: CRON, namespace: 'default', labels: OWN, ownerReferences: [ownerIn(clusterId)] },
    spec,
  } as KubeObject;
}

/** The reference to the custom resource in a cluster. */
export function ownerIn(clusterId: string) {
  return { apiVersion: API_VERSION, kind: CRON_KIND, name: CRON, uid: `cr-${clusterId}`, controller: true };
}
