/**
 * For how long two instances of one workload ran at one time in this cluster, by what the kubelets say: whole seconds, so
 * an overlap may be longer by less than two. It should always be 0.
 */
import type { Pod } from '../api/kubernetes.ts';
import { mainStatus } from './ending.ts';

interface Life {
  readonly from: number;
  /** Absent while it runs. */
  readonly to?: number;
  /** When it was looked at last; milliseconds since the epoch. */
  readonly seenAt: number;
}

/** Pods that have gone are remembered for so long. */
const KEPT_MS = 600_000;

export class OverlapMeter {
  /** By workload, by uid. */
  readonly #lives = new Map<string, Map<string, Life>>();
  /** Milliseconds by pair of uids. */
  readonly #counted = new Map<string, number>();

  /** A pod of a workload of which one instance is to run; `now` in milliseconds since the epoch. */
  saw(workload: string, pod: Pod, now: number): void {
    const life = lifeOf(pod);
    if (!life) return;
    const lives = this.#lives.get(workload) ?? new Map<string, Life>();
    this.#lives.set(workload, lives.set(pod.metadata.uid ?? '', { ...life, seenAt: now }));
  }

  /** Its object is gone: nothing more is heard of it. */
  gone(workload: string, { metadata: { uid = '' } }: Pod, now: number): void {
    const life = this.#lives.get(workload)?.get(uid);
    if (life && life.to === undefined) this.#lives.get(workload)?.set(uid, { ...life, to: now, seenAt: now });
  }

  /** Seconds of overlap that were not told before. */
  take(now: number): number {
    let ms = 0;
    for (const [workload, lives] of this.#lives) {
      for (const [uid, { to, seenAt }] of lives) if (to !== undefined && now - seenAt > KEPT_MS) lives.delete(uid);
      if (lives.size === 0) this.#lives.delete(workload);
      if (lives.size > 1) ms += this.#pairs([...lives], now);
    }
    return ms / 1000;
  }

  #pairs(lives: readonly (readonly [string, Life])[], now: number): number {
    let ms = 0;
    for (const [index, [uid, one]] of lives.entries()) {
      for (const [other, another] of lives.slice(index + 1)) {
        const pair = [uid, other].toSorted().join();
        const both = Math.min(one.to ?? now, another.to ?? now) - Math.max(one.from, another.from);
        const before = this.#counted.get(pair) ?? 0;
        if (both <= before) continue;
        this.#counted.set(pair, both);
        ms += both - before;
      }
    }
    return ms;
  }
}

/** Undefined before it has started. */
function lifeOf(pod: Pod): Pick<Life, 'from' | 'to'> | undefined {
  const { running, terminated } = mainStatus(pod)?.state ?? {};
  const from = Date.parse(running?.startedAt ?? terminated?.startedAt ?? '');
  if (Number.isNaN(from)) return undefined;
  const to = Date.parse(terminated?.finishedAt ?? '');
  return Number.isNaN(to) ? { from } : { from, to };
}
