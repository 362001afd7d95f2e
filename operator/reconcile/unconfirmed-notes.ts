/**
 * Which pods are still awaited although their objects are gone, on an object that every controller of the tenant in this
 * cluster reads before it reports that nothing runs: one that was restarted, or away, has seen none of them vanish.
 */
import { podGraceMs } from '../api/grace.ts';
import { annotations, GROUP, labels } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';
import type { CallOptions, ClusterClient, KubeObject } from '../cluster/cluster-client.ts';
import { core, hasCode } from '../cluster/cluster-client.ts';
import type { Shape } from '../lib/shape.ts';
import { isDuration, isListOf, isName, isShaped } from '../lib/shape.ts';

const PODS = `${GROUP}/unconfirmed-pods`;
/** An object's annotations hold 256 KiB: of more pods than these the first are noted. */
const MAX_PODS = 500;
const FIELD_MANAGER = 'highlander-unconfirmed';

interface Note {
  readonly uid: string;
  readonly node: string;
  readonly namespace: string;
  readonly name: string;
  /** The workload's. */
  readonly kind: string;
  readonly workload: string;
  readonly graceMs: number;
}

const NOTE: Shape<Note> = {
  uid: isName,
  node: isName,
  namespace: isName,
  name: isName,
  kind: isName,
  workload: isName,
  graceMs: isDuration,
};
const isNotes = isListOf(isShaped(NOTE), MAX_PODS);

export interface Noted {
  readonly pods: readonly Pod[];
  /** Uids of those of which a person has said that they have stopped. */
  readonly confirmed: ReadonlySet<string>;
  /** Undefined: there is no such object. */
  readonly version: string | undefined;
}

export interface UnconfirmedNotesOptions {
  readonly client: Pick<ClusterClient, 'get' | 'create' | 'patch'>;
  /** Where the permit is. */
  readonly namespace: string;
  readonly tenant: string;
}

export class UnconfirmedNotes {
  readonly #options: UnconfirmedNotesOptions;

  constructor(options: UnconfirmedNotesOptions) {
    this.#options = options;
  }

  /** Throws what the client throws. What cannot be read counts as no note. */
  async read(call: CallOptions): Promise<Noted> {
    const { client, namespace } = this.#options;
    const found = await client.get<KubeObject>(core.leases, { name: this.#name, namespace }, call);
    const own = found?.metadata.annotations ?? {};
    const confirmed = new Set((own[annotations.confirmStopped] ?? '').split(',').map((uid) => uid.trim()));
    return { pods: podsIn(own[PODS]), confirmed, version: found?.metadata.resourceVersion };
  }

  /** Resolves when exactly these are noted. Throws what the client throws, 409 when somebody else was faster. */
  async write({ pods: before, version }: Noted, pods: readonly Pod[], call: CallOptions): Promise<void> {
    const text = textOf(pods);
    if (text === textOf(before)) return;
    const { client, namespace, tenant } = this.#options;
    const options = { ...call, fieldManager: FIELD_MANAGER };
    const own = { [PODS]: text };
    if (version !== undefined) {
      const patch = { metadata: { resourceVersion: version, annotations: own } };
      await client.patch(core.leases, { name: this.#name, namespace }, patch, { ...options, type: 'merge' });
      return;
    }
    const metadata = { name: this.#name, namespace, labels: { [labels.tenant]: tenant }, annotations: own };
    await client.create(core.leases, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata }, options);
  }

  get #name(): string {
    return unconfirmedName(this.#options.tenant);
  }
}

/** Of the Lease that holds the notes: a person writes there that a pod has stopped when its workload is gone, too. */
export function unconfirmedName(tenant: string): string {
  return `highlander-unconfirmed-${tenant}`;
}

/** Whether somebody else wrote the notes meanwhile: then the next look counts. */
export function isOvertaken(error: unknown): boolean {
  return hasCode(error, 409);
}

function textOf(pods: readonly Pod[]): string {
  const notes = pods.slice(0, MAX_PODS).map(({ metadata, spec, ...pod }): Note => {
    const { uid = '', namespace = '', name, labels: own = {} } = metadata;
    const [kind = '', workload = ''] = [own[labels.kind], own[labels.name]];
    const graceMs = podGraceMs({ ...pod, spec });
    return { uid, node: spec.nodeName ?? '', namespace, name, kind, workload, graceMs };
  });
  return JSON.stringify(notes);
}

function podsIn(text = '[]'): readonly Pod[] {
  try {
    const notes: unknown = JSON.parse(text);
    return isNotes(notes) ? (notes as readonly Note[]).map(podOf) : [];
  } catch {
    return [];
  }
}

function podOf({ uid, node, namespace, name, kind, workload, graceMs }: Note): Pod {
  return {
    metadata: { name, namespace, uid, labels: { [labels.kind]: kind, [labels.name]: workload } },
    spec: { nodeName: node, containers: [], terminationGracePeriodSeconds: graceMs / 1000 },
  };
}
