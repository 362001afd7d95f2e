/**
 * The cluster's memory that a tenant has existed: Lease `highlander-permit-<tenant>`. It carries the last
 * term that was begun here, so that terms never go back; in scope `single` it limits nothing.
 */
import { GROUP, labels } from '../api/group.ts';
import type { CallOptions, ClusterClient, KubeObject } from './cluster-client.ts';
import { core } from './cluster-client.ts';

const DRAIN = `${GROUP}/drain-ms`;
const SCOPE = `${GROUP}/scope`;
const TERM = `${GROUP}/term`;

interface LeaseObject extends KubeObject {
  spec?: { holderIdentity?: string; leaseDurationSeconds?: number };
}

/** What of a lease record the cluster remembers. */
export interface Remembered {
  readonly term: number;
  readonly scope: string;
  readonly drainMs: number;
  readonly ttlMs: number;
}

export interface MarkerLeaseOptions {
  readonly client: ClusterClient;
  /** Where all controllers of the tenant in this cluster look. */
  readonly namespace: string;
  readonly tenant: string;
}

export class MarkerLease {
  readonly #client: ClusterClient;
  readonly #namespace: string;
  readonly #tenant: string;

  constructor({ client, namespace, tenant }: MarkerLeaseOptions) {
    this.#client = client;
    this.#namespace = namespace;
    this.#tenant = tenant;
  }

  get #name(): string {
    return `highlander-permit-${this.#tenant}`;
  }

  async read(call: CallOptions): Promise<{ readonly drainMs: number; readonly term: number } | undefined> {
    const found = await this.#client.get<LeaseObject>(
      core.leases,
      { name: this.#name, namespace: this.#namespace },
      call,
    );
    if (!found) return undefined;
    return { drainMs: numberOf(found, DRAIN), term: numberOf(found, TERM) };
  }

  async write(record: Remembered, call: CallOptions): Promise<void> {
    const lease: LeaseObject = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: this.#name,
        namespace: this.#namespace,
        labels: { [labels.tenant]: this.#tenant },
        annotations: { [TERM]: String(record.term), [SCOPE]: record.scope, [DRAIN]: String(Math.ceil(record.drainMs)) },
      },
      spec: { leaseDurationSeconds: Math.ceil(record.ttlMs / 1000) },
    };
    await this.#client.apply(core.leases, lease, { ...call, fieldManager: 'highlander-permit' });
  }
}

function numberOf({ metadata }: LeaseObject, key: string): number {
  const value = Number(metadata.annotations?.[key]);
  return Number.isFinite(value) ? value : 0;
}
