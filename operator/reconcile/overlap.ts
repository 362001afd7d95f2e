/**
 * For how long two instances of one workload ran at one time in this cluster, by what the kubelets say: whole seconds, so
 * an overlap may be longer by less than two. It should always be 0.
 */
import type { Pod } from '../api/kubernetes.ts';
import { mainStatus } from './ending.ts';

interface Life {
  readonly pod: string;
  /** When its main container started, milliseconds since the epoch. */
  readonly from: number;
  /** Absent while it runs. */
  readonly to?: number;
  /** When it was looked at last; milliseconds since the epoch. */
  readonly seenAt: number;
  /** Several were asked for while it was there: beside others of that time it may run. */
  readonly isOneOfSeveral: boolean;
}

/** Two pods of a workload, and for how many seconds more than was known both ran. */
export interface Overlap {
  readonly workload: string;
  readonly pods: readonly [string, string];
  readonly seconds: number;
}

/** Pods that have gone are remembered for so long. */
const KEPT_MS = 600_000;

/** Measures overlaps, workload by workload. */
export class OverlapMeter {
  /** By workload, by uid. */
  readonly #lives = new Map<string, Map<string, Life>>();
  /** Milliseconds by pair of uids, by workload. */
  readonly #counted = new Map<string, Map<string, number>>();

  /**
   * `asked` says how many instances the workload asks for, and is absent while that is not known: then only pods that were
   * seen before are followed. `now` in milliseconds since the epoch.
   */
  saw(workload: string, pod: Pod, now: number, asked?: 'one' | 'several'): void {
    const { uid = '', name } = pod.metadata;
    const known = this.#lives.get(workload)?.get(uid);
    const life = lifeOf(pod);
    if (!life || (!known && !asked)) return;
    const lives = this.#lives.get(workload) ?? new Map<string, Life>();
    const isOneOfSeveral = asked === 'several' || (known?.isOneOfSeveral ?? false);
    this.#lives.set(workload, lives.set(uid, { ...life, pod: name, seenAt: now, isOneOfSeveral }));
  }

  /** Its object is gone: nothing more is heard of it. */
  gone(workload: string, { metadata: { uid = '' } }: Pod, now: number): void {
    const life = this.#lives.get(workload)?.get(uid);
    if (life && life.to === undefined) this.#lives.get(workload)?.set(uid, { ...life, to: now, seenAt: now });
  }

  /** Overlaps, or parts of them, that were not told before. */
  take(now: number): readonly Overlap[] {
    return [...this.#lives].flatMap(([workload, lives]) => {
      for (const [uid, { to, seenAt }] of lives) if (to !== undefined && now - seenAt > KEPT_MS) lives.delete(uid);
      if (lives.size === 0) this.#forget(workload);
      return lives.size > 1 ? [...this.#pairs(workload, [...lives], now)] : [];
    });
  }

  #forget(workload: string): void {
    this.#lives.delete(workload);
    this.#counted.delete(workload);
  }

  *#pairs(workload: string, lives: readonly (readonly [string, Life])[], now: number): Generator<Overlap> {
    const counted = this.#counted.get(workload) ?? new Map<string, number>();
    for (const [index, [uid, one]] of lives.entries()) {
      const others = one.isOneOfSeveral
        ? []
        : lives.filter(([, { isOneOfSeveral }], at) => isOneOfSeveral || at > index);
      for (const [other, another] of others) {
        const pair = [uid, other].toSorted().join();
        const both = Math.min(one.to ?? now, another.to ?? now) - Math.max(one.from, another.from);
        const before = counted.get(pair) ?? 0;
        if (both <= before) continue;
        this.#counted.set(workload, counted.set(pair, both));
        yield { workload, pods: [one.pod, another.pod], seconds: (both - before) / 1000 };
      }
    }
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
