/**
 * Reconcilers against a real API server with our custom resources and none of Kubernetes' controllers: what is stored,
 * what its admission says, and whether anything is written twice.
 */
import type { ChildType } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import { API_VERSION, DEFAULT_TENANT, labels } from '../../api/group.ts';
import type { KubeObject, ListOptions, ResourceType } from '../../cluster/cluster-client.ts';
import { core } from '../../cluster/cluster-client.ts';
import type { HttpClusterClient } from '../../cluster/http-client.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { Workload } from '../child-look.ts';
import type { ChildSetOptions } from '../child-options.ts';
import type { AnyChild } from '../child.ts';
import { workloadOf } from '../metadata.ts';
import type { OwnedCache } from '../ports.ts';
import type { Grant, ObjectKey, Reconciler } from '../reconciler.ts';
import { Tenancy } from '../tenancy.ts';
import { CrdServer } from './crd-server.ts';

export interface RealKind {
  readonly resource: ResourceType;
  /** Of the children. */
  readonly types: readonly ChildType[];
  readonly contenders?: ResourceType;
  readonly make: (options: ChildSetOptions) => Reconciler;
}

export class RealWorld implements AsyncDisposable {
  readonly client: HttpClusterClient;
  /** Since the last call of `takeChanges`: `apply Service web: Absent`. */
  readonly #changes: string[] = [];
  readonly events: string[] = [];
  /** By so much the reconcilers' clock is ahead, milliseconds. */
  aheadMs = 0;
  readonly #server: CrdServer;
  readonly #listed = new Map<string, readonly KubeObject[]>();
  readonly #reconcilers = new Map<string, Reconciler>();

  private constructor(server: CrdServer) {
    this.#server = server;
    this.client = server.client;
  }

  static async start(): Promise<RealWorld> {
    return new RealWorld(await CrdServer.start());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]();
  }

  /** With a service account, as a cluster's controllers make it. */
  async namespace(name: string): Promise<void> {
    await this.client.create<KubeObject>(core.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    const accounts = { group: '', version: 'v1', plural: 'serviceaccounts', kind: 'ServiceAccount', namespaced: true };
    const metadata = { name: 'default', namespace: name };
    await this.client.create<KubeObject>(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  }

  /** Makes or changes a workload. */
  async apply(resource: ResourceType, key: ObjectKey, spec: object): Promise<void> {
    const body = { apiVersion: API_VERSION, kind: resource.kind, metadata: { ...key }, spec };
    await this.client.apply<KubeObject>(resource, body, { fieldManager: 'test', strict: true });
  }

  get<T extends KubeObject>(type: ResourceType, { namespace }: ObjectKey, name: string): Promise<T | undefined> {
    return this.client.get<T>(type, { namespace, name });
  }

  async workload(resource: ResourceType, key: ObjectKey): Promise<Workload & { status: Record<string, unknown> }> {
    const found = await this.client.get<Workload>(resource, key);
    if (!found) throw new Error(`${resource.kind} ${key.name} is not there`);
    return { ...found, status: { ...found.status } };
  }

  /** With caches that are up to date; again at once where that is asked for. What it throws is in the status. */
  async reconcile(kind: RealKind, key: ObjectKey, term = 7): Promise<void> {
    const { resource, types, contenders } = kind;
    for (let round = 0; round < 5; round++) {
      for (const type of [resource, ...(contenders ? [contenders] : [])])
        await this.#list(type, key, { fieldSelector: `metadata.name=${key.name}` });
      for (const type of [...types, childTypes.pods])
        await this.#list(type, key, { labelSelector: `${labels.name}=${key.name}` });
      const { requeueAfterMs } = await this.#reconcilerOf(kind)
        .reconcile(key, grantOf(term))
        .catch((): { requeueAfterMs?: number } => ({}));
      if (requeueAfterMs !== 0) return;
    }
    throw new Error(`${resource.kind} ${key.name} asks for another round again and again`);
  }

  takeChanges(): readonly string[] {
    return this.#changes.splice(0);
  }

  /** As Kubernetes' controllers do. */
  async setStatus(type: ResourceType, key: ObjectKey, status: object): Promise<void> {
    await this.client.patch<KubeObject>(type, key, { status }, { type: 'merge', subresource: 'status' });
  }

  async #list(type: ResourceType, { namespace }: ObjectKey, selector: ListOptions): Promise<void> {
    const { items } = await this.client.list<KubeObject>(type, { namespace, ...selector });
    this.#listed.set(type.plural, items);
  }

  #reconcilerOf({ resource, types, contenders, make }: RealKind): Reconciler {
    const known = this.#reconcilers.get(resource.kind);
    if (known) return known;
    const made = make({
      client: this.client,
      workloads: this.#cache<Workload>(resource, resource.kind),
      caches: [...types, childTypes.pods].map((type) => ({ type, cache: this.#cache<AnyChild>(type, resource.kind) })),
      contenders: contenders && { kind: contenders.kind, cache: this.#cache<Workload>(contenders, resource.kind) },
      events: { record: ({ reason, note }) => this.events.push(`${reason}: ${note}`) },
      clock: { ...systemClock, wall: () => systemClock.wall() + this.aheadMs },
      tenant: DEFAULT_TENANT,
      tenancy: new Tenancy({ tenant: DEFAULT_TENANT, watchNamespaces: [] }),
      clusterName: 'east',
      maxGraceMs: 3_600_000,
      logger: {
        ...silentLogger,
        info: (_message, fields = {}) => {
          this.#changes.push(`${String(fields['action'])} ${String(fields['child'])}: ${String(fields['reason'])}`);
        },
        warn: (message, fields = {}) => this.#changes.push(`${message}: ${String(fields['child'])}`),
      },
    });
    this.#reconcilers.set(resource.kind, made);
    return made;
  }

  #cache<T extends KubeObject>({ plural }: ResourceType, kind: string): OwnedCache<T> {
    const all = () => (this.#listed.get(plural) ?? []) as readonly T[];
    const isAt = ({ metadata }: T, { namespace, name }: ObjectKey) =>
      metadata.namespace === namespace && metadata.name === name;
    return {
      get: (key) => all().find((each) => isAt(each, key)),
      list: all,
      byOwner: (key) =>
        all().filter((each) => {
          const owner = workloadOf(each, kind);
          return owner?.name === key.name && owner.namespace === key.namespace;
        }),
      observe: (object) => {
        const others = all().filter((each) => each.metadata.uid !== object.metadata.uid);
        this.#listed.set(plural, [...others, object]);
      },
    };
  }
}

function grantOf(term: number): Grant {
  return {
    term,
    holder: `leader-${term}`,
    scope: 'single',
    signal: new AbortController().signal,
    assertHeld() {},
    allowGrace: async () => {},
  };
}
