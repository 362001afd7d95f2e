/**
 * The operator: lifecycle, event and meta types, logger contract and finalizer flow of @dot-i/k8s-operator, on our own
 * transport, watch and queue. The base class ends the process when a watch fails, drops what handlers and HTTP calls
 * throw, and opens a connection per call; every member that does so is overridden here. It never ends the process.
 */
import type { V1CustomResourceDefinitionVersion } from '@kubernetes/client-node';
import dotI, { type ResourceEvent, ResourceEventType, type ResourceMeta, ResourceMetaImpl } from '@dot-i/k8s-operator';
import type { ClusterClient, KubeObject, ObjectName, ResourceType } from '../cluster/cluster-client.ts';
import type { PooledKubeConfig } from '../cluster/kube-config.ts';
import { coreApiOf, readManifest, suspendDefaultKubeConfig } from '../cluster/operator-support.ts';
import { Reflector } from '../cluster/reflector.ts';
import { collectionPath } from '../cluster/resource-path.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Controller, ControllerDeps, Registration, Source } from './controller.ts';
import { Controllers } from './controllers.ts';
import { EventHandlers, type EventType } from './event-handlers.ts';

/** What the operator needs beside the controllers' own needs. */
export interface OperatorDeps extends ControllerDeps {
  readonly kubeConfig: PooledKubeConfig;
  readonly client: ClusterClient;
  /** Owner of the fields that the operator itself applies (CRDs, status); `highlander` unless told. */
  readonly fieldManager?: string;
}

interface CustomResourceDefinition extends KubeObject {
  spec: { group: string; versions: V1CustomResourceDefinitionVersion[]; names: { plural: string } };
}

const crds: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};
const eventTypes: Record<EventType, ResourceEventType> = {
  added: ResourceEventType.Added,
  modified: ResourceEventType.Modified,
  deleted: ResourceEventType.Deleted,
};

/** Node's default import of this CommonJS module is its exports; a bundler or test runner may unwrap them. */
const Base: typeof dotI.default = (dotI as Partial<typeof dotI>).default ?? (dotI as unknown as typeof dotI.default);

/** The base class without what its constructor does to the machine's kubeconfig. It has no fields: `super` may be in a `try`. */
abstract class QuietOperator extends Base {
  constructor(logger: Logger) {
    const restore = suspendDefaultKubeConfig();
    try {
      super(logger);
    } finally {
      restore();
    }
  }
}

/** The framework's operator, on this product's loop. */
export class HighlanderOperator extends QuietOperator {
  readonly #deps: OperatorDeps;
  readonly #log: Logger;
  readonly #kinds: Controllers;
  /** Reflectors of `watchResource`, which are ours alone. */
  readonly #sources = new Set<Source<KubeObject>>();
  readonly #handlers: EventHandlers[] = [];
  #quiet: Promise<void> | undefined;
  #shutdown: Promise<void> | undefined;

  constructor(deps: OperatorDeps) {
    super(deps.logger);
    this.#deps = deps;
    this.#log = deps.logger;
    this.#kinds = new Controllers(deps);
    this.kubeConfig = deps.kubeConfig;
    this.k8sApi = coreApiOf(deps.kubeConfig);
  }

  get controllers(): readonly Controller[] {
    return this.#kinds.all;
  }

  /** Registers a kind; before `start`. */
  manage(registration: Registration): void {
    this.#kinds.manage(registration);
  }

  /** Whether all caches are complete. */
  async synced(): Promise<void> {
    await Promise.all([this.#kinds.synced(), ...[...this.#sources].map((source) => source.synced)]);
  }

  /** This controller leads now: queues everything once the caches are complete. */
  onElected(): void {
    this.#kinds.onElected();
  }

  /** This controller leads no more: drops all keys. */
  onDemoted(): void {
    this.#kinds.onDemoted();
  }

  /** What belongs to whom may have changed: looks at everything again. */
  reconsider(): void {
    this.#kinds.reconsider();
  }

  /** Begins the shutdown; `shutdown` tells when it has ended. */
  override stop(): void {
    this.shutdown().catch((error: unknown) =>
      this.#log.error('Operator did not stop cleanly', { error: messageOf(error) }),
    );
  }

  /** Ends workers and handlers after what is under way. Caches go on. */
  quiesce(): Promise<void> {
    return (this.#quiet ??= this.#stopWork());
  }

  /** The same, then ends all watches. Leaves no timer and no watch. */
  shutdown(): Promise<void> {
    return (this.#shutdown ??= this.#stopAll());
  }

  /** Starts the caches and workers of all registered kinds. Does not wait for the API server: see `synced`. */
  protected override async init(): Promise<void> {
    await this.#kinds.start();
  }

  /**
   * Calls `onEvent` for each change of a resource, deletions during a cut connection included. Resolves when the watch
   * was set up, not when the first list is there. Independent of leadership: a handler that writes must ask the guard.
   */
  // oxlint-disable-next-line max-params -- the signature is the base class's
  protected override async watchResource(
    group: string,
    version: string,
    plural: string,
    onEvent: (event: ResourceEvent) => Promise<void>,
    namespace?: string,
  ): Promise<void> {
    if (this.#shutdown) throw new Error('The operator has been stopped');
    const { client, clock, random, logger } = this.#deps;
    const type: ResourceType = { group, version, plural, kind: '', namespaced: true };
    const source = new Reflector<KubeObject>({ client, type, clock, random, logger, ...(namespace && { namespace }) });
    const call = async (change: EventType, object: KubeObject): Promise<void> => {
      const meta = ResourceMetaImpl.createWithPlural(plural, asBaseObject(object));
      await onEvent({ meta, type: eventTypes[change], object: asBaseObject(object) });
    };
    const handlers = new EventHandlers({ call, clock, random, logger: logger.child({ resource: plural }) });
    source.subscribe((event) => handlers.offer(event));
    this.#sources.add(source);
    this.#handlers.push(handlers);
    handlers.start();
    source.start();
  }

  protected override getCustomResourceApiUri(
    group: string,
    version: string,
    plural: string,
    namespace?: string,
  ): string {
    const type: ResourceType = { group, version, plural, kind: '', namespaced: true };
    return this.#deps.kubeConfig.server + collectionPath(type, namespace);
  }

  /** Creates the CRD or brings it up to date, every field of the file kept. Throws `ApiError`. */
  protected override async registerCustomResourceDefinition(
    crdFile: string,
  ): Promise<{ group: string; versions: V1CustomResourceDefinitionVersion[]; plural: string }> {
    const crd = await readManifest<CustomResourceDefinition>(crdFile);
    if (!crd.apiVersion?.startsWith('apiextensions.k8s.io/'))
      throw new Error(`${crdFile}: not a CRD of apiextensions.k8s.io`);
    await this.#deps.client.apply(crds, crd, { fieldManager: this.#fieldManager });
    this.#log.info('Registered custom resource definition', { name: crd.metadata.name });
    return { group: crd.spec.group, versions: crd.spec.versions, plural: crd.spec.names.plural };
  }

  /** Applies the whole status: what an earlier call set and this one does not is removed. Throws `ApiError`. */
  protected override async setResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta | null> {
    const { type, at } = addressOf(meta);
    const body = { apiVersion: meta.apiVersion, kind: meta.kind, metadata: { ...at }, status };
    const reply = await this.#deps.client.apply<KubeObject>(type, body, {
      fieldManager: `${this.#fieldManager}-status`,
      subresource: 'status',
    });
    return ResourceMetaImpl.createWithId(meta.id, asBaseObject(reply));
  }

  /** Merges into the status, whatever version the event had. Throws `ApiError`. */
  protected override async patchResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta | null> {
    const { type, at } = addressOf(meta);
    const reply = await this.#deps.client.patch<KubeObject>(
      type,
      at,
      { status },
      { type: 'merge', subresource: 'status', fieldManager: this.#fieldManager },
    );
    return ResourceMetaImpl.createWithId(meta.id, asBaseObject(reply));
  }

  /** Throws `ApiError`: 409 when the object has changed since, so that nobody's finalizer is overwritten. */
  protected override async setResourceFinalizers(meta: ResourceMeta, finalizers: string[]): Promise<void> {
    const { type, at } = addressOf(meta);
    const patch = { metadata: { finalizers, resourceVersion: meta.resourceVersion } };
    await this.#deps.client.patch(type, at, patch, { type: 'merge', fieldManager: this.#fieldManager });
  }

  get #fieldManager(): string {
    return this.#deps.fieldManager ?? 'highlander';
  }

  async #stopWork(): Promise<void> {
    await Promise.all([this.#kinds.quiesce(), ...this.#handlers.map((handlers) => handlers.stop())]);
  }

  async #stopAll(): Promise<void> {
    await this.quiesce();
    await Promise.all([this.#kinds.shutdown(), ...[...this.#sources].map((source) => source.stop())]);
  }
}

/** `meta.id` is `<plural>.<apiVersion>`: that and the meta itself make the address. */
function addressOf(meta: ResourceMeta): { readonly type: ResourceType; readonly at: ObjectName } {
  const [version = '', group = ''] = meta.apiVersion.split('/').reverse();
  const plural = meta.id.slice(0, meta.id.indexOf('.'));
  const type = { group, version, plural, kind: meta.kind, namespaced: meta.namespace !== undefined };
  return { type, at: { name: meta.name, ...(meta.namespace !== undefined && { namespace: meta.namespace }) } };
}

/** The base class types times as `Date`; on the wire, and here, they are strings. */
function asBaseObject(object: KubeObject): ResourceEvent['object'] {
  return object as unknown as ResourceEvent['object'];
}
