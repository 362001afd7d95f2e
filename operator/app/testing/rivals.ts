/**
 * Several tenants and one workload without a label, with real presence, real reconcilers and caches that lag behind: as
 * two operators see a cluster that they do not know to share.
 */
import { API_VERSION, labels } from '../../api/group.ts';
import type { Pod } from '../../api/kubernetes.ts';
import type { WorkloadProcess } from '../../api/process.ts';
import { processResource } from '../../api/process.ts';
import { core } from '../../cluster/cluster-client.ts';
import { Presence } from '../../leadership/presence.ts';
import { cellKeys } from '../../lease/cell-store.ts';
import { MemoryStore } from '../../lease/testing/memory-store.ts';
import { ProcessLedger } from '../../ledger/process-ledger.ts';
import { silentLogger } from '../../lib/logger.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import { tenantOf } from '../../reconcile/metadata.ts';
import type { Grant } from '../../reconcile/reconciler.ts';
import { timestamp } from '../../reconcile/status.ts';
import { Tenancy } from '../../reconcile/tenancy.ts';
import { FakeCluster } from '../../reconcile/testing/fake-cluster.ts';
import { UnclaimedStatuses } from '../../standby/unclaimed-statuses.ts';
import { LaggingCache } from './lagging-cache.ts';
import { ProcessReconciler } from '../../workloads/process/reconciler.ts';

const KEY = { namespace: 'apps', name: 'job' };
const POD = { namespace: 'apps', name: 'job-pod' };
const CALL = { timeoutMs: 1000 };
export const PERIOD_MS = 5000;

export interface RivalOptions {
  readonly tenant: string;
  readonly claims?: readonly string[];
  /** Tenants with the same number share a store; 0 unless told. */
  readonly store?: number;
}

export class Rivals {
  readonly cluster = new FakeCluster();
  readonly clock = new FakeClock();
  readonly all: readonly Rival[];
  readonly #stores = new Map<number, MemoryStore>();

  constructor(options: readonly RivalOptions[]) {
    this.cluster.now = () => timestamp(this.clock.wall());
    this.all = options.map((each) => new Rival(this, each, this.#store(each.store ?? 0)));
    this.edit((workload) => ({ ...workload, spec: { image: 'busybox', restartPolicy: 'OnFailure' } }));
  }

  get workload(): WorkloadProcess | undefined {
    return this.cluster.peek(processResource, KEY.namespace, KEY.name);
  }

  get pod(): Pod | undefined {
    return this.cluster.peek(core.pods, POD.namespace, POD.name);
  }

  /** Tenant that acts: its pod is there. */
  get acting(): string | undefined {
    return this.pod && tenantOf(this.pod);
  }

  get holder(): string | undefined {
    return this.workload?.status?.controller?.tenant;
  }

  /** Reasons of its conditions by type. */
  get conditions(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.workload?.status?.conditions?.map(({ type, reason }) => [type, reason]) ?? []);
  }

  get message(): string {
    return this.workload?.status?.conditions?.at(-1)?.message ?? '';
  }

  label(tenant: string | undefined): void {
    const own = tenant === undefined ? {} : { [labels.tenant]: tenant };
    this.edit(({ metadata, ...rest }) => ({ ...rest, metadata: { ...metadata, labels: own } }));
  }

  /** Somebody has taken the status out, or restored the object without it. */
  loseStatus(): void {
    this.edit((workload) => ({ ...workload, status: {} }));
  }

  /** Scheduler and kubelet. */
  runPod(): void {
    const { pod } = this;
    if (!pod) return;
    if (pod.metadata.deletionTimestamp !== undefined) return this.#endPod(pod);
    const status = {
      phase: 'Running',
      conditions: ['ContainersReady', 'Ready'].map((type) => ({ type, status: 'True' })),
      containerStatuses: [
        { name: 'main', ready: true, restartCount: 0, state: { running: { startedAt: this.cluster.now() } } },
      ],
    };
    if (pod.status?.phase !== 'Running')
      this.cluster.edit<Pod>(core.pods, { ...pod, spec: { ...pod.spec, nodeName: 'node1' }, status });
  }

  #endPod(pod: Pod): void {
    const state = { terminated: { exitCode: 143, reason: 'Error', finishedAt: this.cluster.now() } };
    const containerStatuses = [{ name: 'main', ready: false, restartCount: 0, state }];
    this.cluster.edit<Pod>(core.pods, { ...pod, status: { phase: 'Failed', containerStatuses } });
    this.cluster.finishDeletion(core.pods, POD);
  }

  edit(change: (workload: WorkloadProcess) => WorkloadProcess): void {
    const blank = { apiVersion: API_VERSION, kind: 'WorkloadProcess', metadata: KEY } as unknown as WorkloadProcess;
    this.cluster.edit<WorkloadProcess>(processResource, change(this.workload ?? blank));
  }

  #store(number: number): MemoryStore {
    const store = this.#stores.get(number) ?? new MemoryStore(this.clock);
    this.#stores.set(number, store);
    return store;
  }
}

/** A tenant with one controller, which leads. */
export class Rival {
  readonly tenant: string;
  readonly #world: Rivals;
  readonly #options: RivalOptions;
  readonly #store: MemoryStore;
  readonly #workloads = new LaggingCache<WorkloadProcess>(processResource);
  readonly #pods = new LaggingCache<Pod>(core.pods);
  #presence: Presence;
  #reconciler: ProcessReconciler;
  #unclaimed: UnclaimedStatuses;
  #starts = 0;
  isUp = false;

  constructor(world: Rivals, options: RivalOptions, store: MemoryStore) {
    this.tenant = options.tenant;
    this.#world = world;
    this.#options = options;
    this.#store = store;
    this.#presence = this.#newPresence();
    const tenancy = this.#newTenancy();
    this.#reconciler = this.#newReconciler(tenancy);
    this.#unclaimed = this.#newUnclaimed(tenancy);
  }

  /** Starts, with what the API server and the store hold now. */
  async join(): Promise<void> {
    this.#starts += 1;
    this.isUp = true;
    this.#presence = this.#newPresence();
    const tenancy = this.#newTenancy();
    this.#reconciler = this.#newReconciler(tenancy);
    this.#unclaimed = this.#newUnclaimed(tenancy);
    this.hear();
    await this.look();
    await this.announce();
  }

  /** Signs off, or is killed. */
  async leave(inGoodOrder: boolean): Promise<void> {
    if (this.isUp && inGoodOrder) await this.loseRecord();
    this.isUp = false;
  }

  async announce(): Promise<void> {
    if (this.isUp) await this.#presence.announce();
  }

  async look(): Promise<void> {
    if (this.isUp) await this.#presence.look(CALL);
  }

  async loseRecord(): Promise<void> {
    const key = cellKeys.presence(this.tenant, this.#identity);
    const { cell } = await this.#store.read(key, CALL);
    if (cell) await this.#store.remove(key, cell.version, CALL);
  }

  /** The watches have caught up. */
  hear(): void {
    this.hearOfWorkload();
    this.#pods.set(this.#world.acting === this.tenant ? this.#world.pod : undefined);
  }

  hearOfWorkload(): void {
    this.#workloads.set(this.#world.workload);
  }

  /** Errors are for the worker: it tries again. */
  async reconcile(): Promise<void> {
    if (this.isUp) await this.#reconciler.reconcile(KEY, this.#grant()).catch(() => {});
  }

  /** Says of what nobody acts on that nobody does. */
  async speak(): Promise<void> {
    if (this.isUp) await this.#unclaimed.report();
  }

  #grant(): Grant {
    return {
      term: this.#starts,
      holder: this.#identity,
      scope: 'single',
      signal: new AbortController().signal,
      assertHeld: () => {},
      allowGrace: async () => {},
    };
  }

  get #identity(): string {
    return `${this.tenant}-${this.#starts}`;
  }

  #newPresence(): Presence {
    const { tenant, claims = [] } = this.#options;
    return new Presence({
      tenant,
      claims,
      identity: this.#identity,
      cluster: { id: 'east', name: 'east' },
      store: this.#store,
      clock: this.#world.clock,
      logger: silentLogger,
      periodMs: PERIOD_MS,
      highestStamp: () => 0,
      mayLead: () => true,
      onLoss: () => {},
    });
  }

  #newTenancy(): Tenancy {
    const { tenant, claims = [] } = this.#options;
    return new Tenancy({
      tenant,
      watchNamespaces: [],
      ownNamespaces: claims,
      others: () => this.#presence.neighbours.others,
      isSettled: () => this.#presence.neighbours.isSettled,
    });
  }

  #newUnclaimed(tenancy: Tenancy): UnclaimedStatuses {
    const { clock, cluster } = this.#world;
    const neighbours = () => this.#presence.neighbours;
    return new UnclaimedStatuses({
      identity: this.#identity,
      client: cluster,
      clock,
      clusterClock: clock,
      logger: silentLogger,
      tenancy,
      neighbours,
      sources: [this.#workloads],
      periodMs: 2000,
    });
  }

  #newReconciler(tenancy: Tenancy): ProcessReconciler {
    const { tenant } = this.#options;
    const { clock, cluster } = this.#world;
    return new ProcessReconciler({
      client: cluster,
      workloads: this.#workloads,
      pods: this.#pods,
      events: { record: () => {} },
      clock,
      tenant,
      tenancy,
      clusterName: 'east',
      maxGraceMs: 3_600_000,
      pasts: new ProcessLedger(this.#store, tenant),
      logger: silentLogger,
    });
  }
}
