/** The production interface to an API server, over a simulated one and whatever lies between. */
import type {
  ApplyOptions,
  CallOptions,
  ClusterClient,
  DeleteOptions,
  KubeObject,
  ListOptions,
  ObjectList,
  ObjectName,
  PatchOptions,
  ResourceType,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../../cluster/cluster-client.ts';
import { listAll } from '../../cluster/paged-list.ts';
import type { Sender, SimApiServer } from './server.ts';
import { isAt } from './request.ts';
import type { Change } from './watching.ts';

/** An event of a watch. */
export type Event = WatchEvent<KubeObject>;

/** The way to the server. */
export interface Transport {
  /** `serve` runs at the server, when the request arrives there. */
  call<T>(serve: () => T, options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<T>;
  /** `open` runs at the server and hands on what is to be sent; it returns how to end that. */
  stream(open: (push: (event: Event) => void) => () => void, options: WatchOptions): AsyncIterable<Event>;
}

/** A write that is about to leave. */
export interface Dispatch {
  readonly verb: 'create' | 'replace' | 'patch' | 'apply' | 'delete';
  readonly type: ResourceType;
  readonly name: string;
  readonly isStatus: boolean;
  /** It was checked against a term. */
  readonly isGuarded: boolean;
}

/** Which server, over which way, and who asks. */
export interface SimClientOptions {
  readonly server: SimApiServer;
  readonly transport: Transport;
  /** Who asks. */
  readonly by: string;
  /** In the step in which a write leaves; what it returns wraps the call. */
  readonly onDispatch?: (dispatch: Dispatch) => void;
}

const TIMEOUT_MS = 10_000;

/** A client of a simulated API server. */
export class SimClusterClient implements ClusterClient {
  readonly server = 'https://simulated';
  readonly #options: SimClientOptions;

  constructor(options: SimClientOptions) {
    this.#options = options;
  }

  get<T extends KubeObject>(type: ResourceType, at: ObjectName, options: CallOptions = {}): Promise<T | undefined> {
    const { server, transport } = this.#options;
    options.beforeSend?.();
    return transport.call(() => server.get(type, at) as KubeObject as T | undefined, callOf(options));
  }

  list<T extends KubeObject>(type: ResourceType, options: ListOptions = {}): Promise<ObjectList<T>> {
    const { server, transport } = this.#options;
    return listAll<T>(type, options, (query) => {
      const { limit, continue: after } = query as { limit?: number; continue?: string };
      const page = { ...(limit !== undefined && { limit }), ...(after !== undefined && { after }) };
      return transport.call(
        () => server.list(type, options, page) as unknown as { metadata: { resourceVersion: string }; items: T[] },
        callOf(options),
      );
    });
  }

  watch<T extends KubeObject>(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    const { server, transport } = this.#options;
    const open = (push: (event: Event) => void) => {
      const offer = (change: Change) => {
        const event = eventOf(change, options);
        if (event) push(event);
      };
      for (const change of server.changes.since(Number(options.resourceVersion), type)) offer(change);
      return server.changes.subscribe((change) => {
        if (change.type.plural === type.plural && change.type.group === type.group) offer(change);
      });
    };
    return transport.stream(open, options) as AsyncIterable<WatchEvent<T>>;
  }

  create<T extends KubeObject>(type: ResourceType, body: T, options: WriteOptions = {}): Promise<T> {
    return this.#write({ verb: 'create', type, name: body.metadata.name }, options, (server, sender) =>
      server.create(type, body, sender),
    );
  }

  replace<T extends KubeObject>(type: ResourceType, body: T, options: WriteOptions = {}): Promise<T> {
    return this.#write({ verb: 'replace', type, name: body.metadata.name }, options, (server, sender) =>
      server.replace(type, body, sender),
    );
  }

  apply<T extends KubeObject>(type: ResourceType, body: T, options: ApplyOptions): Promise<T> {
    return this.#write({ verb: 'apply', type, name: body.metadata.name }, options, (server, sender) =>
      server.apply(type, body, options.fieldManager, sender),
    );
  }

  patch<T extends KubeObject>(type: ResourceType, at: ObjectName, patch: unknown, options: PatchOptions): Promise<T> {
    if (options.type !== 'merge') throw new Error(`a ${options.type} patch is not simulated`);
    return this.#write({ verb: 'patch', type, name: at.name }, options, (server, sender) =>
      server.patch(type, at, patch, sender),
    );
  }

  delete(type: ResourceType, at: ObjectName, options: DeleteOptions): Promise<boolean> {
    return this.#write({ verb: 'delete', type, name: at.name }, options, (server, sender) =>
      server.delete(type, at, options, sender),
    );
  }

  async close(): Promise<void> {}

  async #write<T>(
    what: Pick<Dispatch, 'verb' | 'type' | 'name'>,
    options: WriteOptions & { readonly subresource?: string },
    serve: (server: SimApiServer, sender: Sender) => unknown,
  ): Promise<T> {
    const { server, transport, by, onDispatch } = this.#options;
    const { dryRun, subresource, beforeSend, signal } = options;
    signal?.throwIfAborted();
    beforeSend?.();
    const isStatus = subresource === 'status';
    if (!dryRun) onDispatch?.({ ...what, isStatus, isGuarded: beforeSend !== undefined });
    const sender = { by, subresource, ...(dryRun && { dryRun }) };
    return transport.call(() => serve(server, sender) as T, callOf(options));
  }
}

function callOf({ timeoutMs = TIMEOUT_MS, signal }: CallOptions): { timeoutMs: number; signal?: AbortSignal } {
  return signal ? { timeoutMs, signal } : { timeoutMs };
}

/** As a watch with this selector shows it: what comes to fit it is new, what ceases to is gone. */
function eventOf({ before, object, isGone }: Change, where: WatchOptions): Event | undefined {
  const [was, is] = [before !== undefined && isAt(where, before), !isGone && isAt(where, object)];
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object };
  if (!was || !before) return undefined;
  const { resourceVersion } = object.metadata;
  const last = isGone
    ? object
    : { ...before, metadata: { ...before.metadata, ...(resourceVersion && { resourceVersion }) } };
  return { type: 'DELETED', object: last };
}
