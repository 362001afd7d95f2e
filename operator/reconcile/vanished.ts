/**
 * Pods whose objects went without their kubelet's word: removed by force, or collected because their node object is gone.
 * The node may be cut off and run them on. They count as running until their node has been heard of for so long that it
 * must have ended what has no object any more, or a person says so.
 */
import type { Pod } from '../api/kubernetes.ts';
import { podGraceMs } from '../api/grace.ts';
import { isConfirmedGone, isGone } from './gone.ts';

/** What a kubelet may take to notice, besides the pod's own grace. Milliseconds. */
const NOTICE_MS = 10_000;
/** A kubelet says every 10 s that it lives: a longer silence than this is one in which it may not have known. */
const SILENCE_MS = 25_000;

interface VanishedPod {
  /** As it was seen last. */
  readonly pod: Pod;
  /** What the node's Lease said at the last look; '' when there was none. */
  readonly renewal?: string;
  /** When that was first seen, and since when it has changed again and again; monotonic. */
  readonly renewedAt?: number;
  readonly aliveSince?: number;
}

export class VanishedPods {
  readonly #pods = new Map<string, VanishedPod>();

  /** Its object is gone; this is how it was seen last. */
  went(pod: Pod): void {
    if (pod.spec.nodeName === undefined || isGone(pod) || isConfirmedGone(pod)) return;
    this.#pods.set(uidOf(pod), { pod });
  }

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
      const after = looked(before, renewal ?? '', now);
      if (hasEnded(after)) this.#pods.delete(uid);
      else this.#pods.set(uid, after);
    }
  }

  /** A person says that it has stopped. */
  confirmed(pod: Pod): void {
    this.#pods.delete(uidOf(pod));
  }
}

function looked(before: VanishedPod, renewal: string, now: number): VanishedPod {
  const { renewal: known, renewedAt = -Infinity, aliveSince = now } = before;
  if (known === undefined) return { ...before, renewal };
  if (renewal === known || renewal === '') return before;
  return { ...before, renewal, renewedAt: now, aliveSince: now - renewedAt > SILENCE_MS ? now : aliveSince };
}

function hasEnded({ pod, renewedAt = 0, aliveSince = Infinity }: VanishedPod): boolean {
  return renewedAt - aliveSince >= podGraceMs(pod) + NOTICE_MS;
}

function uidOf({ metadata: { uid = '' } }: Pod): string {
  return uid;
}
