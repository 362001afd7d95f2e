/**
 * The Kubernetes API as the rest of the code may see it: raw JSON objects in, raw JSON objects out, so that a field
 * that this version does not know survives a read and a write. Every call has a deadline and can be aborted.
 */

import type { Redact } from '../lib/redactor.ts';

/** A resource of the API; `group` is '' for the core group. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Which object of a type. */
export interface ObjectName {
  readonly name: string;
  /** Absent for cluster-scoped resources. */
  readonly namespace?: string;
}

/** An owner of an object; one that controls it has `controller: true`. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** Metadata of any object; times are RFC 3339. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

/** Any object of Kubernetes. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** Limits of one call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds until the call is aborted; default: 10 000. */
  readonly timeoutMs?: number;
  /**
   * Called in the same synchronous step in which the request is handed to the connection; what it throws ends the call
   * before anything was sent. The place for `grant.assertHeld()`.
   */
  readonly beforeSend?: () => void;
}

/** The deadline is that of each page: a list that makes progress is not thrown away. */
export interface ListOptions extends CallOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Page size; the client follows `continue` until the list is whole. Default: 500. */
  readonly pageSize?: number;
  /** Absent: the most recent state (a quorum read); '0': whatever the server has cached. */
  readonly resourceVersion?: string;
}

/** A list, and the version at which a watch can go on. */
export interface ObjectList<T> {
  readonly resourceVersion: string;
  readonly items: readonly T[];
}

/** How something is written. */
export interface WriteOptions extends CallOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  /** A field that the API server does not know is an error (400) instead of being dropped. */
  readonly strict?: boolean;
}

/** How something is applied (server-side apply). */
export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Take fields over from other managers; default: true. */
  readonly force?: boolean;
  readonly subresource?: 'status' | 'scale';
}

/** How something is patched. */
export interface PatchOptions extends WriteOptions {
  readonly type: 'merge' | 'json' | 'strategic';
  readonly subresource?: 'status' | 'scale';
}

/** What is deleted, and how: never an object of another uid. */
export interface DeleteOptions extends CallOptions {
  readonly preconditions: { readonly uid: string; readonly resourceVersion?: string };
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

/** One event of a watch. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/** What is watched, from which version, and for how long. */
export interface WatchOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion: string;
  /** Server-side limit of the watch, seconds; at most 290. */
  readonly timeoutSeconds: number;
  /** Client-side limit on silence, milliseconds: nothing at all received for so long ends the watch with an error. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
  /** The server has answered: the watch stands, though it may have nothing to say for long. */
  readonly onOpen?: () => void;
}

/**
 * Calls to one API server. They reject with `ApiError`, with a network error, or with the reason of the call's signal.
 */
export interface ClusterClient {
  /** Address of the API server, for people. */
  readonly server: string;
  /** For what is written for people to read, in statuses and events: absent, there are no secrets to be left out. */
  readonly redact?: Redact;
  /** `undefined` when the object does not exist; every other failure throws `ApiError` or a network error. */
  get<T extends KubeObject>(type: ResourceType, at: ObjectName, options?: CallOptions): Promise<T | undefined>;
  list<T extends KubeObject>(type: ResourceType, options?: ListOptions): Promise<ObjectList<T>>;
  /** Ends normally when the server closes the watch; throws `ApiError` (410: the version is too old) or a network error. */
  watch<T extends KubeObject>(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  create<T extends KubeObject>(type: ResourceType, body: T, options?: WriteOptions): Promise<T>;
  /** PUT; `body.metadata.resourceVersion` must be set. */
  replace<T extends KubeObject>(type: ResourceType, body: T, options?: WriteOptions): Promise<T>;
  /** Server-side apply of `body`, which names itself in `metadata`. */
  apply<T extends KubeObject>(type: ResourceType, body: T, options: ApplyOptions): Promise<T>;
  patch<T extends KubeObject>(type: ResourceType, at: ObjectName, patch: unknown, options: PatchOptions): Promise<T>;
  /** False when there was nothing to delete (404). A failed precondition throws `ApiError` 409. */
  delete(type: ResourceType, at: ObjectName, options: DeleteOptions): Promise<boolean>;
  close(): Promise<void>;
}

/** An answer of the API server other than success. `message` is the server's own; it never contains request headers. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status, or the `code` of an ERROR event in a watch. */
  readonly code: number;
  /** `Status.reason`, e.g. `AlreadyExists`, `Conflict`, `Invalid`, `Expired`; '' when the server gave none. */
  readonly reason: string;
  /** Milliseconds that the server asked to wait (Retry-After), if it did. */
  readonly retryAfterMs: number | undefined;
  constructor(code: number, reason: string, message: string, retryAfterMs?: number) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Whether the API server answered with this HTTP status. */
export function hasCode(error: unknown, code: number): error is ApiError {
  return error instanceof ApiError && error.code === code;
}

/** Refused because of the object's namespace, which is being deleted, or has been: what is in it goes by itself. */
export function isNamespaceGoing(error: unknown): error is ApiError {
  if (hasCode(error, 403)) return error.message.includes('because it is being terminated');
  return hasCode(error, 404) && /namespaces "[^"]{1,63}" not found/.test(error.message);
}

/** Where the API server has objects of Kubernetes' own. */
export const core = {
  pods: { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true },
  namespaces: { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false },
  nodes: { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false },
  leases: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true },
  events: { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced: true },
} as const satisfies Record<string, ResourceType>;
