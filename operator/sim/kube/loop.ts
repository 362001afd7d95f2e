/** How Kubernetes' own controllers work: what changed is looked at some time later, as it is then, and again when that failed. */
import type { KubeObject, ObjectName, ResourceType } from '../../cluster/cluster-client.ts';
import { ApiError } from '../../cluster/cluster-client.ts';
import type { Json, Stored } from '../api/json.ts';
import type { SimApiServer } from '../api/server.ts';
import { keyOf } from '../api/request.ts';
import type { Change } from '../api/watching.ts';
import type { World } from '../world.ts';

/** What all parts of a simulated cluster work with. */
export interface Ground {
  readonly world: World;
  readonly server: SimApiServer;
  /** The API server answers. */
  readonly isUp: () => boolean;
  /** Milliseconds since the epoch by the API server's clock. */
  readonly time: () => number;
}

/** The sender of all writes of Kubernetes' own controllers. */
export const KUBERNETES = { by: 'kubernetes' } as const;
/** Longest until a change is looked at. */
const DELAY_MS = 400;
const UNREACHABLE_MS = 1000;
const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 60_000;

/** What a controller looks at, and how. */
export interface LoopOptions {
  readonly ground: Ground;
  /** Which object is to be looked at because of a change. */
  readonly concerns: (change: Change) => ObjectName | undefined;
  /** Milliseconds until it is to be looked at again, if so. Throws what the API server answers. */
  readonly sync: (at: ObjectName) => number | void;
}

/** Starts a controller; a look that fails is repeated. */
export function startLoop({ ground, concerns, sync }: LoopOptions): void {
  const { world, server, isUp } = ground;
  const scheduled = new Set<string>();
  const failures = new Map<string, number>();
  const soon = (at: ObjectName, ms: number) => {
    const key = keyOf(at);
    if (scheduled.has(key)) return;
    scheduled.add(key);
    world.after(ms, () => {
      scheduled.delete(key);
      if (!isUp()) return soon(at, UNREACHABLE_MS);
      const again = attempt(at, key);
      if (again !== undefined) soon(at, again);
    });
  };
  const attempt = (at: ObjectName, key: string): number | undefined => {
    try {
      const again = sync(at);
      failures.delete(key);
      return again ?? undefined;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      return Math.min(FIRST_BACKOFF_MS * 2 ** count, MAX_BACKOFF_MS);
    }
  };
  server.changes.subscribe((change) => {
    const at = concerns(change);
    if (!at) return;
    scheduled.delete(keyOf(at)); // a change is looked at whatever back-off there is
    soon(at, world.chance.skewed(1, DELAY_MS));
  });
}

/** The owner that controls the object. */
export function ownerOf({ metadata }: KubeObject) {
  return metadata.ownerReferences?.find(({ controller }) => controller);
}

/** The object itself, or the one of that type that controls it. */
export function ofType(type: ResourceType, { type: changed, object }: Change): ObjectName | undefined {
  if (changed.plural === type.plural) return object.metadata;
  const owner = ownerOf(object);
  const { namespace } = object.metadata;
  return owner?.kind === type.kind ? { name: owner.name, ...(namespace !== undefined && { namespace }) } : undefined;
}

/** The objects of a type that `owner` controls. */
export function dependentsOf(server: SimApiServer, type: ResourceType, { metadata }: KubeObject): readonly Stored[] {
  return server.all(type).filter((each) => ownerOf(each)?.uid === metadata.uid);
}

/** Whether the pod has not ended and stays. */
export function isActive(pod: Stored): boolean {
  return pod.metadata.deletionTimestamp === undefined && !isFinal(pod);
}

/** Whether the pod has ended. */
export function isFinal({ status }: Stored): boolean {
  return status?.['phase'] === 'Succeeded' || status?.['phase'] === 'Failed';
}

/** Whether the pod's condition Ready is True. */
export function isReady({ status }: Stored): boolean {
  const conditions = (status?.['conditions'] ?? []) as readonly Json[];
  return conditions.some((each) => each['type'] === 'Ready' && each['status'] === 'True');
}

/** Owner references of whatever `owner` makes. */
export function controlledBy(owner: KubeObject) {
  const { apiVersion = '', kind = '', metadata } = owner;
  const { name, uid = '' } = metadata;
  return [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }];
}

interface Template {
  readonly metadata?: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> };
  readonly spec?: object;
}

/** A pod of a template; `more`: labels besides those of the template. */
export function podFrom(owner: Stored, template: unknown, name: string, more: Record<string, string> = {}): KubeObject {
  const { metadata = {}, spec = {} } = template as Template;
  const { namespace } = owner.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      labels: { ...metadata.labels, ...more },
      ...(metadata.annotations && { annotations: metadata.annotations }),
      ownerReferences: controlledBy(owner),
    },
    spec,
  } as KubeObject;
}

/** Writes a status when it says something new. */
export function writeStatus(server: SimApiServer, type: ResourceType, object: Stored, status: object): void {
  server.patch(type, object.metadata, { status }, { ...KUBERNETES, subresource: 'status' });
}

/** Deletes exactly this object. */
export function remove(server: SimApiServer, type: ResourceType, { metadata }: Stored): void {
  server.delete(type, metadata, { preconditions: { uid: metadata.uid } }, KUBERNETES);
}
