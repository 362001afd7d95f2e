/**
 * Pods whose objects went without their kubelet's word: removed by force, or collected because their node object is gone.
 * The node may be cut off and run them on. They count as running until their node is heard of again, late enough to have
 * ended what has no object any more, or a person says so.
 */
import type { Pod } from '../api/kubernetes.ts';
import { podGraceMs } from '../api/grace.ts';
import { isConfirmedGone, isGone } from './gone.ts';

/** What a kubelet may take to notice, besides the pod's own grace. Milliseconds. */
const NOTICE_MS = 10_000;

interface VanishedPod {
  /** As it was seen last. */
  readonly pod: Pod;
  /** From then on a sign of its node counts, on the monotonic clock. */
  readonly notBefore: number;
  /** What the node's Lease said at the first look after that; '' when there was none. */
  readonly renewal?: string;
}

export class VanishedPods {
  readonly #pods = new Map<string, VanishedPod>();

  /** Its object is gone; this is how it was seen last. `now`: monotonic. */
  went(pod: Pod, now: number): void {
    if (pod.spec.nodeName === undefined || isGone(pod) || isConfirmedGone(pod)) return;
    this.#pods.set(uidOf(pod), { pod, notBefore: now + podGraceMs(pod) + NOTICE_MS });
  }

  get pods(): readonly Pod[] {
    return [...this.#pods.values()].map(({ pod }) => pod);
  }

  /** Nodes of which it is time to hear. */
  nodes(now: number): readonly string[] {
    const due = [...this.#pods.values()].filter(({ notBefore }) => now >= notBefore);
    return [...new Set(due.map(({ pod }) => pod.spec.nodeName ?? ''))];
  }

  /** When the node's Lease was renewed, as it says itself; undefined: there is none. */
  heard(node: string, renewal: string | undefined, now: number): void {
    for (const [uid, vanished] of this.#pods) {
      if (vanished.pod.spec.nodeName !== node || now < vanished.notBefore) continue;
      if (vanished.renewal === undefined) this.#pods.set(uid, { ...vanished, renewal: renewal ?? '' });
      else if (renewal !== undefined && renewal !== vanished.renewal) this.#pods.delete(uid);
    }
  }

  /** A person says that it has stopped. */
  confirmed(pod: Pod): void {
    this.#pods.delete(uidOf(pod));
  }
}

function uidOf({ metadata: { uid = '' } }: Pod): string {
  return uid;
}
