/** A cluster with one process, a leader and a kubelet that does what the test says; every status written is held against kstatus. */
import { API_VERSION, DEFAULT_TENANT } from '../../../api/group.ts';
import type { Pod, PodStatus, TerminatedState } from '../../../api/kubernetes.ts';
import type { ProcessStatus, WorkloadProcess } from '../../../api/process.ts';
import { processResource } from '../../../api/process.ts';
import type { KubeObject, ResourceType } from '../../../cluster/cluster-client.ts';
import { core } from '../../../cluster/cluster-client.ts';
import { LeaseLost } from '../../../lib/errors.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { FakeClock } from '../../../lib/testing/fake-clock.ts';
import type { ReadCache } from '../../../reconcile/ports.ts';
import { ProcessLedger } from '../../../ledger/process-ledger.ts';
import { MemoryStore } from '../../../lease/testing/memory-store.ts';
import type { Scope } from '../../../api/scope.ts';
import { Tenancy } from '../../../reconcile/tenancy.ts';
import type { Grant, ObjectKey, Result } from '../../../reconcile/reconciler.ts';
import { timestamp } from '../../../reconcile/status.ts';
import { FakeCluster } from '../../../reconcile/testing/fake-cluster.ts';
import { kstatusViolations } from '../../../reconcile/testing/kstatus.ts';
import { ProcessReconciler } from '../reconciler.ts';

export const KEY = { namespace: 'default', name: 'job' };
const POD = { namespace: 'default', name: 'job-pod' };

export class World {
  readonly cluster = new FakeCluster();
  readonly clock = new FakeClock();
  readonly events: string[] = [];
  readonly notes: string[] = [];
  /** Other worlds may share it. */
  readonly store: MemoryStore;
  scope: Scope = 'single';
  term = 7;
  holder = 'leader-a';
  leaseLost = false;
  isForged?: (stamp: number) => boolean;
  /** Objects that the caches have not heard of the changes of: what they still show instead. */
  readonly staleWorkloads = new Map<string, WorkloadProcess | undefined>();
  readonly stalePods = new Map<string, Pod | undefined>();
  reconciler: ProcessReconciler;

  constructor(spec: Record<string, unknown> | undefined = {}, store = new MemoryStore(new FakeClock())) {
    this.store = store;
    this.cluster.now = () => this.time();
    this.cluster.onWrite = ({ verb }, object) => {
      const violations = verb === 'status' ? kstatusViolations(object) : [];
      if (violations.length > 0) throw new Error(`${violations.join('; ')}\n${JSON.stringify(object, undefined, 2)}`);
    };
    this.reconciler = this.newLeader(this.term, this.holder);
    this.edit(spec);
  }

  time(): string {
    return timestamp(this.clock.wall());
  }

  /** Another process takes over, with caches that are up to date. */
  newLeader(term: number, holder: string): ProcessReconciler {
    this.term = term;
    this.holder = holder;
    this.reconciler = new ProcessReconciler({
      client: this.cluster,
      workloads: this.#cache<WorkloadProcess>(processResource, this.staleWorkloads),
      pods: this.#cache<Pod>(core.pods, this.stalePods),
      events: {
        record: ({ reason, note }) => {
          this.events.push(reason);
          this.notes.push(note);
        },
      },
      clock: this.clock,
      tenant: DEFAULT_TENANT,
      tenancy: new Tenancy({ tenant: DEFAULT_TENANT, watchNamespaces: [] }),
      clusterName: 'east',
      maxGraceMs: 3_600_000,
      pasts: new ProcessLedger(this.store, DEFAULT_TENANT),
      logger: silentLogger,
    });
    return this.reconciler;
  }

  /** As the queue does when nothing else is to be done: again at once when asked for. */
  async reconcile(): Promise<Result> {
    const result = await this.reconcileOnce();
    return result.requeueAfterMs === 0 ? this.reconcile() : result;
  }

  reconcileOnce(): Promise<Result> {
    return this.reconciler.reconcile(KEY, this.grant());
  }

  grant(): Grant {
    const assertHeld = () => {
      if (this.leaseLost) throw new LeaseLost('the deadline has passed');
    };
    return {
      term: this.term,
      holder: this.holder,
      scope: this.scope,
      signal: new AbortController().signal,
      assertHeld,
      allowGrace: async () => {},
      ...(this.isForged && { isForged: this.isForged }),
    };
  }

  /** Creates the custom resource, or changes its spec. */
  edit(spec: Record<string, unknown>, metadata: Partial<KubeObject['metadata']> = {}): void {
    const old = this.cluster.peek<WorkloadProcess>(processResource, KEY.namespace, KEY.name);
    const status: ProcessStatus = old?.status ?? { observedGeneration: -1 };
    this.cluster.edit<WorkloadProcess>(processResource, {
      apiVersion: API_VERSION,
      kind: 'WorkloadProcess',
      metadata: { ...(old?.metadata ?? KEY), ...metadata },
      spec: { image: 'busybox', restartPolicy: 'OnFailure', ...spec },
      status,
    });
  }

  deleteWorkload(): void {
    this.cluster.remove(processResource, KEY.namespace, KEY.name);
  }

  get workload(): WorkloadProcess | undefined {
    return this.cluster.peek(processResource, KEY.namespace, KEY.name);
  }

  get status(): ProcessStatus {
    return this.workload?.status ?? {};
  }

  get pod(): Pod | undefined {
    return this.cluster.peek(core.pods, POD.namespace, POD.name);
  }

  /** Type=Status of each condition, and the reason that they share. */
  get summary(): string {
    const { conditions = [] } = this.status;
    return `${conditions.map(({ type, status }) => `${type}=${status}`).join(' ')} ${conditions[0]?.reason ?? ''}`;
  }

  /** Verbs of the writes since the last call. */
  takeWrites(): string[] {
    return this.cluster.writes.splice(0).map(({ verb, kind }) => (verb === 'status' ? 'status' : `${verb} ${kind}`));
  }

  editPod(change: (pod: Pod) => Pod): void {
    const { pod } = this;
    if (pod) this.cluster.edit(core.pods, change(pod));
  }

  /** Scheduler and kubelet: the pod runs and is ready. */
  startPod(restartCount = 0): void {
    this.setPodStatus({
      phase: 'Running',
      conditions: ['ContainersReady', 'Ready'].map((type) => ({ type, status: 'True' })),
      containerStatuses: [{ name: 'main', ready: true, restartCount, state: { running: { startedAt: this.time() } } }],
    });
  }

  setPodStatus(status: PodStatus): void {
    this.editPod((pod) => ({ ...pod, spec: { ...pod.spec, nodeName: 'node1' }, status }));
  }

  /** The kubelet: the process ended, for good as far as this pod goes. */
  endPod(exitCode: number, more: Partial<PodStatus> = {}): void {
    const terminated: TerminatedState = {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
      finishedAt: this.time(),
    };
    const restartCount = this.pod?.status?.containerStatuses?.[0]?.restartCount ?? 0;
    this.setPodStatus({
      phase: exitCode === 0 ? 'Succeeded' : 'Failed',
      containerStatuses: [{ name: 'main', ready: false, restartCount, state: { terminated } }],
      ...more,
    });
  }

  /** As `kubectl delete pod` does. */
  deletePod(): void {
    this.cluster.markDeleted(core.pods, POD);
  }

  /** The kubelet has ended a pod that is being deleted, and wants its object gone. */
  finishPod(exitCode = 143): void {
    this.endPod(exitCode);
    this.cluster.finishDeletion(core.pods, POD);
  }

  advance(seconds: number): Promise<void> {
    return this.clock.advance(seconds * 1000);
  }

  #cache<T extends KubeObject>(type: ResourceType, stale: Map<string, T | undefined>): ReadCache<T> {
    const read = ({ namespace, name }: ObjectKey) =>
      stale.has(name) ? stale.get(name) : this.cluster.peek<T>(type, namespace, name);
    return {
      get: read,
      list: () => [KEY, POD].flatMap((key) => read(key) ?? []),
      observe: (object) => stale.delete(object.metadata.name),
    };
  }
}
