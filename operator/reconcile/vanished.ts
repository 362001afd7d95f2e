/**
 * Pods whose objects went without their kubelet's word: removed by force, or collected because their node object is gone.
 * The node may be cut off and run them on. They count as running until their node has been heard of for so long that it
 * must have ended what has no object any more, or a person says so.
 */
import { podGraceMs } from '../api/grace.ts';
import { labels, POD_FINALIZER } from '../api/group.ts';
import type { ObjectMeta, Pod } from '../api/kubernetes.ts';
import { isMadeByUs } from '../api/ownership.ts';
import { isConfirmedGone, isGone } from './gone.ts';

/** What a kubelet may take to notice, besides the pod's own grace. Milliseconds. */
const NOTICE_MS = 10_000;
/** A kubelet says every 10 s that it lives: a longer silence than this is one in which it may not have known. */
const SILENCE_MS = 25_000;
/** A machine of which nothing has been heard for so long is taken for scrap: two weeks. Milliseconds. */
const SCRAP_MS = 14 * 86_400_000;
/** Of those that have ended, remembered so that an old note of a colleague does not bring them back. */
const KEPT = 10_000;

interface VanishedPod {
  readonly pod: Pod;
  /** When it was first looked for; monotonic. */
  readonly since?: number;
  /** What the node's Lease said at the last look; '' when there was none. */
  readonly renewal?: string;
  /** When that was first seen, and since when it has changed again and again; monotonic. */
  readonly renewedAt?: number;
  readonly aliveSince?: number;
}

/** Knows the pods that vanished, and which of them have ended. */
export class VanishedPods {
  readonly #pods = new Map<string, VanishedPod>();
  readonly #ended = new Set<string>();

  /** Its object is gone; this is how it was seen last. */
  went(pod: Pod): void {
    if (pod.spec.nodeName === undefined || isGone(pod) || isConfirmedGone(pod)) return this.#end(uidOf(pod));
    this.#ended.delete(uidOf(pod));
    this.#pods.set(uidOf(pod), { pod: remnantOf(pod) });
  }

  /**
   * What a colleague, or this controller before it was restarted, has noted: each counts unless it is known better.
   * `live`: those that have an object.
   */
  noted(pods: readonly Pod[], live: readonly Pod[] = []): void {
    const there = new Set(live.map(uidOf));
    for (const pod of pods) {
      const uid = uidOf(pod);
      if (!this.#ended.has(uid) && !this.#pods.has(uid) && !there.has(uid)) this.#pods.set(uid, { pod });
    }
  }

  /** A list shows them: where a cache was behind, some of them were taken for gone. */
  found(live: readonly Pod[]): void {
    for (const pod of live) this.#pods.delete(uidOf(pod));
  }

  /** With no more than is needed to name and to await them. */
  get pods(): readonly Pod[] {
    return [...this.#pods.values()].map(({ pod }) => pod);
  }

  /** Of which something is to be heard. */
  get nodes(): readonly string[] {
    return [...new Set(this.pods.map(({ spec }) => spec.nodeName ?? ''))];
  }

  /** When the node's Lease was renewed, as it says itself; undefined: there is none. `now`: monotonic. */
  heard(node: string, renewal: string | undefined, now: number): void {
    for (const [uid, before] of this.#pods) {
      if (before.pod.spec.nodeName !== node) continue;
      const after = looked({ ...before, since: before.since ?? now }, renewal ?? '', now);
      if (hasEnded(after, now)) this.#end(uid);
      else this.#pods.set(uid, after);
    }
  }

  /** A person says that it has stopped. */
  confirmed(pod: Pod): void {
    this.#end(uidOf(pod));
  }

  #end(uid: string): void {
    this.#pods.delete(uid);
    this.#ended.add(uid);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= KEPT) break;
      this.#ended.delete(oldest);
    }
  }
}

/**
 * Whether it is to be noted while it runs. One with our finalizer keeps its object until a controller lets it go; what
 * Deployments, StatefulSets and Jobs make may vanish while no controller is there.
 */
export function mayVanishUnseen(pod: Pod): boolean {
  const { finalizers = [] } = pod.metadata;
  return pod.spec.nodeName !== undefined && isMadeByUs(pod) && !finalizers.includes(POD_FINALIZER) && !isGone(pod);
}

function remnantOf(pod: Pod): Pod {
  const { name, namespace, uid, labels: all = {}, ownerReferences } = pod.metadata;
  const ours = [labels.tenant, labels.kind, labels.name].flatMap((key) => {
    const value = all[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  const metadata: ObjectMeta = {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    labels: Object.fromEntries(ours),
    ...(ownerReferences && { ownerReferences }),
  };
  const { nodeName } = pod.spec;
  const terminationGracePeriodSeconds = podGraceMs(pod) / 1000;
  return {
    metadata,
    spec: { ...(nodeName !== undefined && { nodeName }), containers: [], terminationGracePeriodSeconds },
  };
}

function looked(before: VanishedPod, renewal: string, now: number): VanishedPod {
  const { renewal: known, renewedAt = -Infinity, aliveSince = now } = before;
  if (known === undefined) return { ...before, renewal };
  if (renewal === known || renewal === '') return before;
  return { ...before, renewal, renewedAt: now, aliveSince: now - renewedAt > SILENCE_MS ? now : aliveSince };
}

function hasEnded({ pod, since = Infinity, renewedAt = 0, aliveSince = Infinity }: VanishedPod, now: number): boolean {
  return renewedAt - aliveSince >= podGraceMs(pod) + NOTICE_MS || now - since >= SCRAP_MS;
}

function uidOf({ metadata: { uid = '' } }: Pod): string {
  return uid;
}
