/**
 * The smallest work that uses the production rules for writing: guard, plan and applier decide what is sent. One object
 * per workload, which stands for a pod.
 */
import { annotations, labels } from '../api/group.ts';
import type {
  CallOptions,
  ClusterClient,
  DeleteOptions,
  KubeObject,
  ObjectName,
  PatchOptions,
  ResourceType,
  WriteOptions,
} from '../cluster/cluster-client.ts';
import { ApiError, core, hasCode } from '../cluster/cluster-client.ts';
import type { Grant } from '../leadership/guard.ts';
import type { Timing } from '../leadership/timing.ts';
import { HigherTermSeen, NotLeader, RetryLater } from '../lib/errors.ts';
import { Applier } from '../reconcile/apply.ts';
import { stampAnnotations } from '../reconcile/metadata.ts';
import type { Action } from '../reconcile/plan.ts';
import { assertNotLater, planChild } from '../reconcile/plan.ts';
import type { Checker } from './checker.ts';
import type { SimCluster } from './cluster.ts';
import type { SimController } from './controller.ts';
import type { SimRuns } from './runs.ts';
import { StoreError } from '../lease/store-error.ts';

const TIMEOUT_MS = 5000;

/** What keeps the objects of a type. */
type Server = Pick<SimCluster, 'objects' | 'create' | 'patch' | 'delete'>;

/** The API server as one process reaches it, as far as the applier asks. */
export class SimClient implements ClusterClient {
  readonly server = 'https://simulated';
  readonly #controller: SimController;
  readonly #cluster: SimCluster;
  readonly #checker: Checker;

  constructor(controller: SimController, cluster: SimCluster, checker: Checker) {
    this.#controller = controller;
    this.#cluster = cluster;
    this.#checker = checker;
  }

  get<T extends KubeObject>(type: ResourceType, { name }: ObjectName, options?: CallOptions): Promise<T | undefined> {
    return this.#controller.toCluster.call(
      () => this.#server(type).objects.get(name) as T | undefined,
      callOf(options),
    );
  }

  create<T extends KubeObject>(type: ResourceType, body: T, options?: WriteOptions): Promise<T> {
    const make = () => this.#server(type).create(this.#controller.identity, body) as T;
    return options?.dryRun
      ? this.#send('dry run', () => this.#tryOut(type, body), options)
      : this.#send('create', make, options);
  }

  /** As the API server would answer, and nothing is made. */
  #tryOut<T extends KubeObject>(type: ResourceType, body: T): T {
    const { name } = body.metadata;
    if (type === core.pods && this.#cluster.refusesPods) throw new ApiError(403, 'Forbidden', 'the permit has ended');
    if (this.#server(type).objects.has(name)) throw new ApiError(409, 'AlreadyExists', `${name} exists`);
    return body;
  }

  patch<T extends KubeObject>(
    type: ResourceType,
    { name }: ObjectName,
    patch: unknown,
    options: PatchOptions,
  ): Promise<T> {
    const merge = patch as Pick<KubeObject, 'metadata'>;
    return this.#send('patch', () => this.#server(type).patch(this.#controller.identity, name, merge) as T, options);
  }

  delete(type: ResourceType, { name }: ObjectName, options: DeleteOptions): Promise<boolean> {
    return this.#send('delete', () => this.#server(type).delete(this.#controller.identity, name, options), options);
  }

  list(): never {
    throw new Error('not simulated');
  }

  watch(): never {
    throw new Error('not simulated');
  }

  replace(): never {
    throw new Error('not simulated');
  }

  apply(): never {
    throw new Error('not simulated');
  }

  async close(): Promise<void> {}

  #server(type: ResourceType): Server {
    return type === core.pods || !this.#cluster.batch ? this.#cluster : this.#cluster.batch;
  }

  async #send<T>(verb: string, serve: () => T, options: CallOptions | undefined): Promise<T> {
    options?.signal?.throwIfAborted();
    options?.beforeSend?.();
    this.#checker.dispatched(this.#controller, verb);
    const { toCluster, heldBack } = this.#controller;
    const { conditions } = toCluster;
    const ms = heldBack.get(verb);
    if (ms !== undefined) toCluster.conditions = { ...conditions, latencyMs: [ms, ms] };
    heldBack.delete(verb);
    const answered = toCluster.call(serve, callOf(options));
    toCluster.conditions = conditions;
    return answered;
  }
}

function callOf(options: CallOptions = {}): { timeoutMs: number; signal?: AbortSignal } {
  const { timeoutMs = TIMEOUT_MS, signal } = options;
  return signal ? { timeoutMs, signal } : { timeoutMs };
}

interface Surroundings {
  /** Of the cron job, where there is one. */
  readonly runs: SimRuns | undefined;
  readonly checker: Checker;
  readonly timing: Timing;
  readonly cluster: SimCluster;
}

const MAX_STEPS = 5;

/** Keeps one object per workload. */
export class SimReconciler {
  readonly #controller: SimController;
  readonly #client: ClusterClient;
  readonly #applier: Applier<KubeObject>;
  readonly #around: Surroundings;

  constructor(controller: SimController, client: ClusterClient, around: Surroundings) {
    this.#controller = controller;
    this.#client = client;
    this.#applier = new Applier(client, core.pods);
    this.#around = around;
  }

  /** Until the process dies. */
  async run(): Promise<void> {
    const { process } = this.#controller;
    const { retryPeriodMs } = this.#around.timing;
    while (process.alive) {
      await process.clock.sleep(process.machine.world.chance.between(0.2, 1) * retryPeriodMs);
      if (!this.#controller.elector.term) continue;
      const works = [...this.#around.cluster.wanted.keys()].map(
        (name) => (grant: Grant) => this.#reconcile(name, grant),
      );
      const { runs } = this.#around;
      if (runs) works.push((grant) => runs.reconcile(grant));
      await Promise.all(works.map((work) => this.#attempt(work)));
    }
  }

  async #attempt(work: (grant: Grant) => Promise<void>): Promise<void> {
    const { clock, machine } = this.#controller.process;
    await clock.sleep(machine.world.chance.skewed(0, 100));
    try {
      await work(await this.#enter());
    } catch (error) {
      if (error instanceof HigherTermSeen) this.#controller.elector.demote(error.message);
      else if (!(error instanceof NotLeader || error instanceof RetryLater || isExpected(error))) {
        this.#around.checker.fail('no defect', `${this.#controller.identity}: ${String(error)}`);
      }
    }
  }

  async #enter(): Promise<Grant> {
    const { process, guard, identity } = this.#controller;
    const askedAt = process.machine.instant;
    const before = this.#controller.term;
    const grant = await guard.enter();
    this.#around.checker.granted(identity, askedAt, this.#controller.leaseReadSentAt);
    if (before !== undefined && before !== grant.term)
      this.#around.checker.fail(
        'guard reads',
        `${identity} asked in term ${before} and got a grant of term ${grant.term}`,
      );
    return grant;
  }

  async #reconcile(name: string, grant: Grant): Promise<void> {
    if (grant.heldBack.has(name)) return;
    const { informer } = this.#controller;
    const template = this.#around.cluster.wanted.get(name) ?? 1;
    let live = informer.get(name);
    for (let step = 0; step < MAX_STEPS; step++) {
      if (live) assertNotLater(live, grant.term);
      if (!this.#next(name, template, live, grant.term)) return;
      live = await this.#client.get(core.pods, { name }, { signal: grant.signal });
      if (live) assertNotLater(live, grant.term);
      if (live) informer.observe(live);
      const action = this.#next(name, template, live, grant.term);
      if (!action) return;
      const outcome = await this.#applier.apply(action, grant);
      live = outcome.live;
      if (live) informer.observe(live);
    }
  }

  #next(name: string, template: number, live: KubeObject | undefined, term: number): Action<KubeObject> | undefined {
    if (live?.metadata.deletionTimestamp) return undefined;
    const stamp = { term, generation: template };
    const hash = `template ${template}`;
    const object = { ...desired(name, hash, stamp), spec: podSpec(this.#around.cluster) };
    return live ? planChild(live, { object, hash }, stamp) : { type: 'create', object, reason: 'Missing' };
  }
}

function desired(name: string, hash: string, stamp: { term: number; generation: number }): KubeObject {
  return {
    kind: 'Pod',
    metadata: {
      name,
      labels: { [labels.tenant]: 'default', [labels.name]: name },
      annotations: { ...stampAnnotations(stamp), [annotations.templateHash]: hash },
    },
  };
}

function podSpec({ graceMs }: SimCluster): object {
  return { nodeName: 'node', containers: [{ name: 'main' }], terminationGracePeriodSeconds: graceMs / 1000 };
}

/** Of the network, or the permit has ended. */
function isExpected(error: unknown): boolean {
  return error instanceof StoreError || hasCode(error, 403);
}
