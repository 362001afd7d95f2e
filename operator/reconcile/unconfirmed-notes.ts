/**
 * Which pods are still awaited although their objects are gone, and which may vanish unseen, on an object that every
 * controller of the tenant in this cluster reads before it reports that nothing runs: one that was restarted, or away,
 * has seen none of them vanish.
 */
import { podGraceMs } from '../api/grace.ts';
import { annotations, GROUP, labels } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';
import type { CallOptions, ClusterClient, KubeObject } from '../cluster/cluster-client.ts';
import { core, hasCode } from '../cluster/cluster-client.ts';
import type { Shape } from '../lib/shape.ts';
import { isDuration, isListOf, isName, isShaped } from '../lib/shape.ts';

const PODS = `${GROUP}/unconfirmed-pods`;
const RUNNING = `${GROUP}/running-pods`;
/** An object's annotations hold 256 KiB: of more pods than fit the first by uid are noted. Bytes of each of the two. */
const MAX_BYTES = 120_000;
const MAX_PODS = 2000;
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

/** Pods that are noted. */
export interface Notes {
  /** Without objects. */
  readonly pods: readonly Pod[];
  /** With objects, when that was written. */
  readonly running: readonly Pod[];
}

/** The notes as they were read. */
export interface Noted extends Notes {
  /** Uids of those of which a person has said that they have stopped. */
  readonly confirmed: ReadonlySet<string>;
  /** Undefined: there is no such object. */
  readonly version: string | undefined;
}

/** Where the notes are. */
export interface UnconfirmedNotesOptions {
  readonly client: Pick<ClusterClient, 'get' | 'create' | 'patch'>;
  /** Where the permit is. */
  readonly namespace: string;
  readonly tenant: string;
}

/** Reads and writes the notes. Calls throw `ApiError`. */
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
    return {
      pods: podsIn(own[PODS]),
      running: podsIn(own[RUNNING]),
      confirmed,
      version: found?.metadata.resourceVersion,
    };
  }

  /** Resolves when exactly these are noted. Throws what the client throws, 409 when somebody else was faster. */
  async write({ version, ...before }: Noted, notes: Notes, call: CallOptions): Promise<void> {
    const own = { [PODS]: textOf(notes.pods), [RUNNING]: textOf(notes.running) };
    if (own[PODS] === textOf(before.pods) && own[RUNNING] === textOf(before.running)) return;
    const { client, namespace, tenant } = this.#options;
    const options = { ...call, fieldManager: FIELD_MANAGER };
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

/** The same for the same pods, in whatever order. */
export function textOf(pods: readonly Pod[]): string {
  return `[${textsOf(pods).join()}]`;
}

/** How many of them do not fit. */
export function leftOut(pods: readonly Pod[]): number {
  return pods.length - textsOf(pods).length;
}

function textsOf(pods: readonly Pod[]): readonly string[] {
  const notes = pods.map(noteOf).toSorted((a, b) => (a.uid < b.uid ? -1 : 1));
  let bytes = 2;
  const texts = notes.slice(0, MAX_PODS).map((note) => JSON.stringify(note));
  return texts.filter((text) => (bytes += Buffer.byteLength(text) + 1) <= MAX_BYTES);
}

function noteOf(pod: Pod): Note {
  const { uid = '', namespace = '', name, labels: own = {} } = pod.metadata;
  const [kind = '', workload = ''] = [own[labels.kind], own[labels.name]];
  return { uid, node: pod.spec.nodeName ?? '', namespace, name, kind, workload, graceMs: podGraceMs(pod) };
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
