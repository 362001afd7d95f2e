/**
 * A cluster's permit as Lease `highlander-permit-<tenant>`: until when the tenant's workloads may run here, by the API
 * server's own clock, and the cluster's memory that the tenant has existed.
 */
import { permitName } from '../api/admission.ts';
import { isPlausible, wholeNumber } from '../api/terms.ts';
import { GROUP, labels } from '../api/group.ts';
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

export interface PermitLeaseOptions {
  readonly client: ClusterClient;
  /** Where all controllers of the tenant in this cluster look. */
  readonly namespace: string;
  readonly tenant: string;
  /** The highest term that this process knows by itself, or the time in seconds: a term far above it is forged. 0 unless told. */
  readonly known?: () => number;
}

export class PermitLease {
  readonly #client: ClusterClient;
  readonly #namespace: string;
  readonly #tenant: string;
  readonly #known: () => number;

  constructor({ client, namespace, tenant, known = () => 0 }: PermitLeaseOptions) {
    this.#known = known;
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

  /** Whoever may edit the Lease can write anything there. */
  #permitOf({ metadata: { annotations = {} }, spec }: LeaseObject): PermitFields {
    const term = wholeNumber(annotations[TERM]) ?? 0;
    const triedBy = annotations[TRIED_BY];
    return {
      scope: annotations[SCOPE] === 'multi' ? 'multi' : 'single',
      term: isPlausible(term, this.#known()) ? term : 0,
      clusterId: annotations[CLUSTER] ?? '',
      drainMs: wholeNumber(annotations[DRAIN]) ?? 0,
      renewedAt: finite(Date.parse(spec?.renewTime ?? '')),
      ttlMs: (spec?.leaseDurationSeconds ?? 0) * 1000,
      ...(triedBy !== undefined && { triedBy }),
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

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

/** As Kubernetes' MicroTime wants it. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace(/Z$/, '000Z');
}
