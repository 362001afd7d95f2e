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

export interface VanishedPod {
  readonly uid: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly node: string;
  /** From then on a sign of its node counts, on the monotonic clock. */
  readonly notBefore: number;
  /** What the node's Lease said at the first look after that; '' when there was none. */
  readonly renewal?: string;
}

export class VanishedPods {
  readonly #pods = new Map<string, VanishedPod>();

  /** Its object is gone; this is how it was seen last. `now`: monotonic. */
  went(pod: Pod, now: number): void {
    const { uid = '', namespace = '', labels = {} } = pod.metadata;
    const { nodeName: node } = pod.spec;
    if (node === undefined || isGone(pod) || isConfirmedGone(pod)) return;
    this.#pods.set(uid, { uid, namespace, labels, node, notBefore: now + podGraceMs(pod) + NOTICE_MS });
  }

  get pods(): readonly VanishedPod[] {
    return [...this.#pods.values()];
  }

  /** Nodes of which it is time to hear. */
  nodes(now: number): readonly string[] {
    return [...new Set(this.pods.filter(({ notBefore }) => now >= notBefore).map(({ node }) => node))];
  }

  /** When the node's Lease was renewed, as it says itself; undefined: there is none. */
  heard(node: string, renewal: string | undefined, now: number): void {
    for (const pod of this.pods) {
      if (pod.node !== node || now < pod.notBefore) continue;
      if (pod.renewal === undefined) this.#pods.set(pod.uid, { ...pod, renewal: renewal ?? '' });
      else if (renewal !== undefined && renewal !== pod.renewal) this.#pods.delete(pod.uid);
    }
  }

  /** A person says that it has stopped. */
  confirmed(uid: string): void {
    this.#pods.delete(uid);
  }
}
