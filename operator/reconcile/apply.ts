/**
 * Carries out one action. What starts something needs the grant, checked in the same step as the dispatch. What only
 * stops may go without one, but always names the very object (uid and resourceVersion) that the decision was about.
 */
import { PERMIT_POLICY } from '../api/admission.ts';
import { podGraceMs } from '../api/grace.ts';
import { fieldManagers } from '../api/group.ts';
import type { ClusterClient, KubeObject, ResourceType } from '../cluster/cluster-client.ts';
import type { ApiError } from '../cluster/cluster-client.ts';
import { hasCode } from '../cluster/cluster-client.ts';
import { withoutNulls } from './contains.ts';
import type { Action, Child, MetadataPatch, ParkingPatch } from './plan.ts';
import type { Grant } from './reconciler.ts';
import type { CommonStatus } from './status.ts';
import { occasionOf, statusPatch } from './status.ts';
import type { Tenancy } from './tenancy.ts';

/**
 * What the API server holds now, as far as it said: the object, or `undefined` when there is none.
 * `changed`: the action was not carried out, because the object is not what it was when the decision fell; decide anew.
 */
export interface Outcome<T> {
  readonly live: T | undefined;
  readonly changed: boolean;
}

/** Carries out actions on objects of one type. Calls throw `ApiError`, and what the grant throws once it has ended. */
export class Applier<T extends Child & KubeObject> {
  readonly #client: ClusterClient;
  readonly #type: ResourceType;

  constructor(client: ClusterClient, type: ResourceType) {
    this.#client = client;
    this.#type = type;
  }

  /** Without a grant only `stop`, `park`, `release` and `purge`; what a `stop` left is not said then. Throws what the client throws, but for 404 and 409. */
  async apply(action: Action<T>, grant?: Grant): Promise<Outcome<T>> {
    if (!grant && (startsPods(action) || action.type === 'stamp')) throw new Error(`${action.type} needs a grant`);
    try {
      if (grant && startsPods(action))
        await grant.allowGrace(podGraceMs(action.object), () => this.tryOut(action, grant));
      return { live: await this.#send(action, grant), changed: false };
    } catch (error) {
      if (!hasCode(error, 409) && !hasCode(error, 404)) throw error;
      if (isCreation(action) && hasCode(error, 404)) throw error; // the namespace
      return { live: await this.#read(objectOf(action), grant), changed: true };
    }
  }

  /**
   * Whether the API server would take the object, although there may be one of its name: throws what it says against it.
   * Nothing is made.
   */
  async rehearse(object: T, grant: Grant): Promise<void> {
    try {
      await this.#client.create<T>(this.#type, object, { ...fenced(grant), ...AS_OURS, dryRun: true });
    } catch (error) {
      if (!hasCode(error, 409) && !cannotBeTriedOut(error)) throw error;
    }
  }

  /**
   * What the API server refuses must not make others wait. Throws what it says against the write; nothing is written. An
   * apply that must remove something first cannot be judged in one request, and only has the bound on its grace.
   */
  async tryOut(action: ApplyAction<T> | CreateAction<T>, grant: Grant): Promise<void> {
    if (action.type === 'apply' && action.removals) return;
    const options = { ...fenced(grant), ...AS_OURS, dryRun: true };
    try {
      if (action.type === 'create') await this.#client.create<T>(this.#type, action.object, options);
      else await this.#client.apply<T>(this.#type, bodyOf(action), { ...options, force: true });
    } catch (error) {
      if (!cannotBeTriedOut(error)) throw error;
    }
  }

  async #send(action: Action<T>, grant: Grant | undefined): Promise<T | undefined> {
    const options = fenced(grant);
    switch (action.type) {
      case 'create':
        return this.#client.create<T>(this.#type, action.object, { ...options, ...AS_OURS });
      case 'apply':
        return this.#applyAll(action, options);
      case 'stamp':
        return this.#patch(action.live, action.patch, options);
      case 'park':
        return this.#patch(action.live, action.patch.metadata, options, action.patch.spec);
      case 'release':
        return stillThere(await this.#patch(action.live, withoutFinalizer(action.live, action.finalizer), options));
      case 'stop':
        await this.#client.delete(this.#type, at(action.live), {
          ...options,
          preconditions: identity(action.live),
          ...(action.awaited ? { propagationPolicy: 'Foreground' } : {}),
          ...(action.graceSeconds === undefined ? {} : { gracePeriodSeconds: action.graceSeconds }),
        });
        // Who stops without a grant stops a whole tenant, and looks at all of it afterwards.
        return grant && this.#read(action.live, grant);
      case 'purge':
        await this.#client.delete(this.#type, at(action.live), {
          ...options,
          preconditions: identity(action.live),
          gracePeriodSeconds: 0,
        });
        return undefined;
    }
  }

  async #applyAll({ object, live, removals }: ApplyAction<T>, options: ReturnType<typeof fenced>): Promise<T> {
    const by = { ...options, ...AS_OURS };
    if (!live || !removals) return this.#client.apply<T>(this.#type, bodyOf({ object, live }), { ...by, force: true });
    const patch = { ...removals, metadata: identity(live) };
    const cleared = await this.#client.patch<T>(this.#type, at(live), patch, { ...by, type: 'merge' });
    return this.#client.apply<T>(this.#type, bodyOf({ object, live: cleared }), { ...by, force: true });
  }

  #patch(
    live: T,
    metadata: MetadataPatch | ParkingPatch['metadata'],
    options: ReturnType<typeof fenced>,
    spec?: ParkingPatch['spec'],
  ): Promise<T> {
    const patch = { metadata: { ...metadata, ...identity(live) }, ...(spec && { spec }) };
    return this.#client.patch<T>(this.#type, at(live), patch, {
      ...options,
      type: 'merge',
      fieldManager: fieldManagers.children,
    });
  }

  #read(object: T, grant: Grant | undefined): Promise<T | undefined> {
    return this.#client.get<T>(this.#type, at(object), grant ? { signal: grant.signal } : {});
  }
}

const AS_OURS = { fieldManager: fieldManagers.children, strict: true } as const;

type ApplyAction<T extends Child> = Extract<Action<T>, { type: 'apply' }>;
type CreateAction<T extends Child> = Extract<Action<T>, { type: 'create' }>;

/** No object is at this version any more: an apply that names it conflicts with every object that is there. */
const ONLY_CREATE = { resourceVersion: '1' };

function bodyOf<T extends Child>({ object, live }: { readonly object: T; readonly live?: T | undefined }): T {
  const versions = live ? identity(live) : ONLY_CREATE;
  return withoutNulls({ ...object, metadata: { ...object.metadata, ...versions } });
}

/** A webhook that would do something beside its answer keeps the API server from trying anything out. */
function cannotBeTriedOut(error: unknown): boolean {
  return hasCode(error, 400) && error.message.includes('does not support dry run');
}

function startsPods<T extends Child>(action: Action<T>): action is ApplyAction<T> | CreateAction<T> {
  return action.type === 'create' || action.type === 'apply';
}

function isCreation<T extends Child>(action: Action<T>): boolean {
  return action.type === 'create' || (action.type === 'apply' && !action.live);
}

type WithStatus = KubeObject & { status?: CommonStatus };

/** Writes the status subresource of a custom resource, when it says something new. */
export class StatusWriter<T extends WithStatus> {
  readonly #client: ClusterClient;
  readonly #type: ResourceType;

  constructor(client: ClusterClient, type: ResourceType) {
    this.#client = client;
    this.#type = type;
  }

  /**
   * The object as the API server holds it now; `undefined` when there was nothing new to say, or nobody to say it of.
   * Without a grant only where nobody leads.
   */
  async write(workload: T, next: CommonStatus, grant?: Grant): Promise<T | undefined> {
    const patch = statusPatch(workload.status, this.#redacted(next));
    return patch && this.#patch(workload, patch, grant);
  }

  /** The same, and only if the object is what it was: throws an `ApiError` 409 when it has changed since. */
  async writeAsSeen(workload: T, next: CommonStatus, grant?: Grant): Promise<T | undefined> {
    const patch = statusPatch(workload.status, this.#redacted(next));
    return patch && this.#patch(workload, { ...asSeen(workload), ...patch }, grant);
  }

  /** Before it is compared with what is there: else each look would find something new to say. */
  #redacted(next: CommonStatus): CommonStatus {
    const { redact } = this.#client;
    if (!redact) return next;
    const { conditions, lastError } = next;
    const said = conditions?.map((each) => ({ ...each, message: redact(each.message) }));
    return {
      ...next,
      ...(said && { conditions: said }),
      ...(lastError !== undefined && { lastError: redact(lastError) }),
    };
  }

  /** Makes a workload that nobody has this tenant's. `now`: milliseconds since the epoch. Throws as `writeAsSeen`. */
  take(workload: T, tenancy: Tenancy, { now, grant }: { readonly now: number; readonly grant: Grant }) {
    const { tenant } = tenancy;
    return this.writeAsSeen(workload, tenancy.claim(workload, occasionOf(workload, { ...grant, now, tenant })), grant);
  }

  /** For a workload that is not, or no longer, ours, when nothing of ours is left of it. `now`: RFC 3339. */
  async disown(workload: T, tenancy: Tenancy, { now, grant }: { readonly now: string; readonly grant: Grant }) {
    if (tenancy.holds(workload))
      await this.#patch(workload, { ...asSeen(workload), status: { controller: null } }, grant);
    else if (tenancy.of(workload) === 'disputed') await this.write(workload, tenancy.dispute(workload, now), grant);
  }

  async #patch(workload: T, patch: object, grant?: Grant): Promise<T | undefined> {
    const { name, namespace = '' } = workload.metadata;
    const options = {
      ...fenced(grant),
      type: 'merge',
      subresource: 'status',
      fieldManager: fieldManagers.status,
    } as const;
    try {
      return await this.#client.patch<T>(this.#type, { name, namespace }, patch, options);
    } catch (error) {
      if (hasCode(error, 404)) return undefined;
      throw error;
    }
  }
}

function asSeen({ metadata }: KubeObject): { readonly metadata: object } {
  return { metadata: { resourceVersion: metadata.resourceVersion } };
}

/** Answers that the same request would get again; 409 is handled where it arises, 429 asks for patience only. */
export function isRefusal(error: ApiError): boolean {
  const { code } = error;
  return isInvalid(error) || (code >= 400 && code < 500 && code !== 401 && code !== 409 && code !== 429);
}

/**
 * Only another spec can help. A server-side apply says 500 to a field that it does not know. Admission policies say 422 as
 * a rule, but what they go by may change without the spec: our own goes by the permit.
 */
export function isInvalid({ code, message }: ApiError): boolean {
  if (message.includes("ValidatingAdmissionPolicy '")) return false;
  return code === 400 || code === 422 || (code === 500 && message.includes('failed to create typed patch object'));
}

/** Refused because the cluster has no permit at the moment: nothing about the object is wrong. */
export function lacksPermit({ message }: ApiError): boolean {
  return message.includes(`ValidatingAdmissionPolicy '${PERMIT_POLICY}'`);
}

/** Options of a write in a term: checked at the dispatch, aborted when the lease is in doubt. */
export function fenced(grant: Grant | undefined): { signal?: AbortSignal; beforeSend?: () => void } {
  return grant ? { signal: grant.signal, beforeSend: () => grant.assertHeld() } : {};
}

function objectOf<T extends Child>(action: Action<T>): T {
  return startsPods(action) ? action.object : action.live;
}

function at({ metadata: { name, namespace } }: Child): { name: string; namespace?: string } {
  return namespace === undefined ? { name } : { name, namespace };
}

/** Preconditions that name exactly this object, and this version where it is known. */
export function identity({ metadata: { uid = '', resourceVersion } }: Child): {
  uid: string;
  resourceVersion?: string;
} {
  return resourceVersion === undefined ? { uid } : { uid, resourceVersion };
}

/** The list is replaced as a whole; the resourceVersion sees to it that nobody else's finalizer gets lost. */
function withoutFinalizer({ metadata: { finalizers = [] } }: Child, finalizer: string): MetadataPatch {
  return { finalizers: finalizers.filter((other) => other !== finalizer) };
}

/** The reply to the patch that took the last finalizer shows an object that no longer exists. */
function stillThere<T extends Child>(reply: T): T | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = reply.metadata;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && finalizers.length === 0
    ? undefined
    : reply;
}
