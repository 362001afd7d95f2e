/**
 * A cluster's permit as Lease `highlander-permit-<tenant>`: until when the tenant's workloads may run here, by the API
 * server's own clock, and the cluster's memory that the tenant has existed.
 */
import { permitName } from '../api/admission.ts';
import { isPlausible, wholeNumber } from '../api/terms.ts';
import { GROUP, labels } from '../api/group.ts';
import { isName } from '../lib/shape.ts';
import type { CallOptions, ClusterClient, KubeObject } from './cluster-client.ts';
import { core, hasCode } from './cluster-client.ts';

const CLUSTER = `${GROUP}/cluster-id`;
const DRAIN = `${GROUP}/drain-ms`;
const SCOPE = `${GROUP}/scope`;
const TERM = `${GROUP}/term`;
const TRIED_BY = `${GROUP}/tried-by`;
const FIELD_MANAGER = 'highlander-permit';

interface LeaseObject extends KubeObject {
  spec?: { leaseDurationSeconds?: number; renewTime?: string };
}

/** What the object says; times in milliseconds. */
export interface PermitFields {
  readonly scope: 'single' | 'multi';
  readonly term: number;
  readonly clusterId: string;
  readonly drainMs: number;
  /** Since the epoch; 0: ended. */
  readonly renewedAt: number;
  readonly ttlMs: number;
  readonly triedBy?: string;
}

/** What the object may say at most: whoever may edit it can write anything there. Milliseconds. */
export interface PermitBounds {
  readonly drainMs: number;
  readonly ttlMs: number;
  /** By the API server, since the epoch; undefined while that is not known. */
  readonly now: number | undefined;
}

/** So far may the clocks of API servers, and what is known of them, be apart: a renewal after that has not been. */
const AHEAD_MS = 600_000;
const NO_BOUNDS: PermitBounds = { drainMs: Infinity, ttlMs: Infinity, now: undefined };

/** Which permit, and by whom it is reached. */
export interface PermitLeaseOptions {
  readonly client: ClusterClient;
  /** Where all controllers of the tenant in this cluster look. */
  readonly namespace: string;
  readonly tenant: string;
  /** The highest term that this process knows by itself, or the time in seconds: a term far above it is forged. Default: 0. */
  readonly known?: () => number;
  /** Default: none. */
  readonly bounds?: () => PermitBounds;
}

/** Reads and writes a cluster's permit. */
export class PermitLease {
  readonly #client: ClusterClient;
  readonly #namespace: string;
  readonly #tenant: string;
  readonly #known: () => number;
  readonly #bounds: () => PermitBounds;

  constructor({ client, namespace, tenant, known = () => 0, bounds = () => NO_BOUNDS }: PermitLeaseOptions) {
    this.#known = known;
    this.#bounds = bounds;
    this.#client = client;
    this.#namespace = namespace;
    this.#tenant = tenant;
  }

  get #name(): string {
    return permitName(this.#tenant);
  }

  async read(call: CallOptions): Promise<{ readonly permit: PermitFields; readonly version: string } | undefined> {
    const found = await this.#client.get<LeaseObject>(
      core.leases,
      { name: this.#name, namespace: this.#namespace },
      call,
    );
    return found && { permit: this.#permitOf(found), version: found.metadata.resourceVersion ?? '' };
  }

  async write(permit: PermitFields, expected: string | undefined, call: CallOptions): Promise<string | undefined> {
    try {
      const lease = this.#lease(permit, expected);
      const options = { ...call, fieldManager: FIELD_MANAGER };
      const written = await (expected === undefined
        ? this.#client.create(core.leases, lease, options)
        : this.#client.apply(core.leases, lease, options));
      return written.metadata.resourceVersion;
    } catch (error) {
      if (hasCode(error, 409) || hasCode(error, 404)) return undefined;
      throw error;
    }
  }

  #permitOf({ metadata: { annotations = {} }, spec = {} }: LeaseObject): PermitFields {
    const triedBy = annotations[TRIED_BY];
    return {
      scope: annotations[SCOPE] === 'multi' ? 'multi' : 'single',
      clusterId: nameIn(annotations[CLUSTER]),
      ...this.#numbersOf(annotations, spec),
      ...(triedBy !== undefined && { triedBy }),
    };
  }

  #numbersOf(notes: Readonly<Record<string, string>>, spec: NonNullable<LeaseObject['spec']>) {
    const { drainMs, ttlMs, now = Infinity } = this.#bounds();
    const term = wholeNumber(notes[TERM]) ?? 0;
    const renewedAt = finite(Date.parse(spec.renewTime ?? ''));
    return {
      term: isPlausible(term, this.#known()) ? term : 0,
      drainMs: Math.min(wholeNumber(notes[DRAIN]) ?? 0, drainMs),
      renewedAt: renewedAt > now + AHEAD_MS ? 0 : renewedAt,
      ttlMs: Math.min((spec.leaseDurationSeconds ?? 0) * 1000, ttlMs),
    };
  }

  #lease(permit: PermitFields, resourceVersion: string | undefined): LeaseObject {
    const { scope, term, clusterId, drainMs, renewedAt, ttlMs, triedBy } = permit;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: this.#name,
        namespace: this.#namespace,
        ...(resourceVersion !== undefined && { resourceVersion }),
        labels: { [labels.tenant]: this.#tenant },
        annotations: {
          [TERM]: String(term),
          [SCOPE]: scope,
          [CLUSTER]: clusterId,
          [DRAIN]: String(Math.ceil(drainMs)),
          ...(triedBy !== undefined && { [TRIED_BY]: triedBy }),
        },
      },
      // Whole seconds, and never longer than meant.
      spec: {
        leaseDurationSeconds: Math.max(1, Math.floor(ttlMs / 1000)),
        ...(scope === 'multi' && { renewTime: microTime(renewedAt) }),
      },
    };
  }
}

function nameIn(text = ''): string {
  return isName(text) ? text : '';
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

/** As Kubernetes' MicroTime wants it. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace(/Z$/, '000Z');
}
