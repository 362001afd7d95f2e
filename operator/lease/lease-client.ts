/** What the Kubernetes driver needs of a cluster client, declared here so that `lease` depends on no other folder. */
import { messageOf } from '../lib/errors.ts';
import type { Call } from './cell-store.ts';
import type { LeaseObject } from './kubernetes-lease.ts';
import { StoreError, type StoreErrorKind } from './store-error.ts';

interface ObjectType {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

interface Named {
  readonly name: string;
  readonly namespace?: string;
}

/** The part of a cluster client that the driver needs; failures carry the HTTP status as `code`. */
export interface LeaseClient {
  get(type: ObjectType, at: Named, options: Call): Promise<LeaseObject | undefined>;
  list(
    type: ObjectType,
    options: ListOptions & Call,
  ): Promise<{ readonly resourceVersion: string; readonly items: readonly LeaseObject[] }>;
  watch(type: ObjectType, options: WatchOptions): AsyncIterable<{ readonly type: string }>;
  create(type: ObjectType, body: LeaseObject, options: Call): Promise<LeaseObject>;
  replace(type: ObjectType, body: LeaseObject, options: Call): Promise<LeaseObject>;
  delete(
    type: ObjectType,
    at: Named,
    options: Call & { readonly preconditions: { readonly uid: string; readonly resourceVersion: string } },
  ): Promise<boolean>;
}

interface ListOptions {
  readonly namespace: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

interface WatchOptions extends ListOptions {
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
  readonly idleMs: number;
  readonly signal: AbortSignal;
}

/** Where the API server has Leases. */
export const leases = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};
/** Where the API server has namespaces; the uid of one is part of the incarnation. */
export const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false };

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** For `catch`: an answer with one of these HTTP statuses means `value`, everything else goes on. */
export function ifCode<T>(codes: readonly number[], value: T): (error: unknown) => T {
  return (error) => {
    if (codes.some((code) => codeOf(error) === code)) return value;
    throw error;
  };
}

/** A `StoreError` for whatever the client threw; 401 and 403 are `unauthorized`, 429 and 5xx `unreachable`. */
export function asStoreError(error: unknown): unknown {
  if (error instanceof StoreError) return error;
  const code = codeOf(error);
  const unreachable = typeof code !== 'number' || code === 429 || code >= 500;
  const kind: StoreErrorKind = code === 401 || code === 403 ? 'unauthorized' : unreachable ? 'unreachable' : 'other';
  return new StoreError(kind, `Kubernetes: ${messageOf(error)}`);
}
