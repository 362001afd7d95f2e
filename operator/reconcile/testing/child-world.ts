/** A cluster with one workload that is made of children, and a leader; every status written is held against kstatus. */
import { childTypes } from '../../api/children.ts';
import { API_VERSION, DEFAULT_TENANT } from '../../api/group.ts';
import type { Scope } from '../../api/scope.ts';
import type { Pod, PodStatus } from '../../api/kubernetes.ts';
import type { KubeObject, ResourceType } from '../../cluster/cluster-client.ts';
import { silentLogger } from '../../lib/logger.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import type { Workload } from '../child-look.ts';
import type { ChildSetOptions } from '../child-options.ts';
import type { AnyChild } from '../child.ts';
import { belongsTo, childLabels, workloadOf } from '../metadata.ts';
import type { OwnedCache } from '../ports.ts';
import type { Grant, ObjectKey, Reconciler, Result } from '../reconciler.ts';
import type { CommonStatus } from '../status.ts';
import { timestamp } from '../status.ts';
import { Tenancy } from '../tenancy.ts';
import { FakeCluster } from './fake-cluster.ts';
import { kstatusViolations } from './kstatus.ts';

export const KEY = { namespace: 'default', name: 'web' };

export interface ChildWorldOptions {
  readonly resource: ResourceType;
  /** Of the children, pods not among them. */
  readonly types: readonly ResourceType[];
  readonly make: (options: ChildSetOptions) => Reconciler;
}

export class ChildWorld {
  readonly cluster = new FakeCluster();
  readonly clock = new FakeClock();
  readonly events: string[] = [];
  term = 7;
  tenancy = new Tenancy({ tenant: DEFAULT_TENANT, watchNamespaces: [] });
  scope: Scope = 'single';
  isForged?: (stamp: number) => boolean;
  readonly #options: ChildWorldOptions;
  #reconciler: Reconciler;

  constructor(options: ChildWorldOptions, spec: Record<string, unknown> = {}) {
    this.#options = options;
    this.cluster.now = () => timestamp(this.clock.wall());
    this.cluster.onWrite = ({ verb }, object) => {
      const violations = verb === 'status' ? kstatusViolations(object) : [];
      if (violations.length > 0) throw new Error(`${violations.join('; ')}\n${JSON.stringify(object, undefined, 2)}`);
    };
    this.#reconciler = this.newLeader(this.term);
    this.edit(spec);
  }

  /** Another process takes over, with caches that are up to date. */
  newLeader(term: number): Reconciler {
    this.term = term;
    const { resource, types, make } = this.#options;
    return (this.#reconciler = make({
      client: this.cluster,
      workloads: this.#cache<Workload>(resource),
      caches: [...types, childTypes.pods].map((type) => ({ type, cache: this.#cache<AnyChild>(type) })),
      events: { record: ({ reason }) => this.events.push(reason) },
      clock: this.clock,
      tenant: DEFAULT_TENANT,
      tenancy: this.tenancy,
      clusterName: 'east',
      maxGraceMs: 3_600_000,
      logger: silentLogger,
    }));
  }

  /** As the queue does when nothing else is to be done: again at once when asked for. */
  async reconcile(): Promise<Result> {
    const result = await this.reconcileOnce();
    return result.requeueAfterMs === 0 ? this.reconcile() : result;
  }

  reconcileOnce(): Promise<Result> {
    const grant: Grant = {
      term: this.term,
      holder: `leader-${this.term}`,
      scope: this.scope,
      signal: new AbortController().signal,
      assertHeld: () => {},
      allowGrace: async () => {},
      ...(this.isForged && { isForged: this.isForged }),
    };
    return this.#reconciler.reconcile(KEY, grant);
  }

  /** Creates the custom resource, or changes its spec. */
  edit(spec: Record<string, unknown>, metadata: Partial<KubeObject['metadata']> = {}): void {
    const { resource } = this.#options;
    const old = this.workload;
    this.cluster.edit<Workload>(resource, {
      apiVersion: API_VERSION,
      kind: resource.kind,
      metadata: { ...(old?.metadata ?? KEY), ...metadata },
      spec: { image: 'busybox', ...spec },
      status: old?.status ?? { observedGeneration: -1 },
    });
  }

  deleteWorkload(): void {
    this.cluster.remove(this.#options.resource, KEY.namespace, KEY.name);
  }

  get workload(): Workload | undefined {
    return this.cluster.peek(this.#options.resource, KEY.namespace, KEY.name);
  }

  status<S extends CommonStatus = CommonStatus>(): S {
    return (this.workload?.status ?? {}) as S;
  }

  child<T extends KubeObject>(type: ResourceType, name = KEY.name): T | undefined {
    return this.cluster.peek<T>(type, KEY.namespace, name);
  }

  /** Changes a child as somebody else would. */
  editChild<T extends KubeObject>(type: ResourceType, change: (child: T) => T, name = KEY.name): void {
    const found = this.child<T>(type, name);
    if (found) this.cluster.edit(type, change(found));
  }

  /** A pod as Kubernetes makes them for the workload. */
  addPod(name: string, status: PodStatus, metadata: Partial<KubeObject['metadata']> = {}): void {
    const { kind } = this.#options.resource;
    this.cluster.edit<Pod>(childTypes.pods, {
      metadata: {
        ...KEY,
        name,
        labels: childLabels({ tenant: DEFAULT_TENANT, kind, name: KEY.name, component: 'x' }),
        ...metadata,
      },
      spec: { nodeName: 'node1', containers: [{ name: 'main', image: 'busybox' }] },
      status,
    });
  }

  /** Type=Status of each condition, and the reason that they share. */
  get summary(): string {
    const { conditions = [] } = this.status();
    return `${conditions.map(({ type, status }) => `${type}=${status}`).join(' ')} ${conditions[0]?.reason ?? ''}`;
  }

  /** Verbs of the writes since the last call. */
  takeWrites(): string[] {
    return this.cluster.writes.splice(0).map(({ verb, kind }) => (verb === 'status' ? 'status' : `${verb} ${kind}`));
  }

  #cache<T extends KubeObject>(type: ResourceType): OwnedCache<T> {
    const all = (): T[] => this.cluster.all<T>(type);
    return {
      get: ({ namespace, name }: ObjectKey) => {
        const found = this.cluster.peek<T>(type, namespace, name);
        // Caches of children see only what is labelled as theirs.
        return type.plural === this.#options.resource.plural || (found && this.#isLabelled(found)) ? found : undefined;
      },
      list: all,
      byOwner: ({ name }) => all().filter((each) => workloadOf(each, this.#options.resource.kind)?.name === name),
      observe: () => {},
    };
  }

  #isLabelled(object: KubeObject): boolean {
    return workloadOf(object, this.#options.resource.kind) !== undefined && belongsTo(object, DEFAULT_TENANT);
  }
}
