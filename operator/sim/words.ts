/** Why leases end, and what people have said and asked, for the checker: what follows from that is their doing. */
import type { CheckedCluster } from './checker.ts';

/** By how much what began before may be seen later. */
const SLACK_MS = 2500;

/** How a lease ends that no loss of writes explains. */
const EXPECTED_ENDS = [
  /^no renewal was acknowledged/,
  /^the reply came after the deadline/,
  /^stopped$/,
  /^this controller is leaving$/,
  /carries term \d+, later than this controller's$/,
  /^its cluster has not accepted a write for/,
];

/** Whether a lease may end for this reason without a defect. */
export function isExpectedEnd(because: string): boolean {
  return EXPECTED_ENDS.some((expected) => expected.test(because));
}

/** Remembers what people have said. */
export class Words {
  /** Terms that people have ordered to be handed over, and to whom. */
  readonly #ordered = new Set<string>();
  /** By cluster: when people wrongly said that nothing runs there. */
  readonly #deceivedAt = new Map<CheckedCluster, number>();
  /** Whether a controller is to hand over to another one by itself. */
  isToFailBack: (by: string, to: string) => boolean = () => false;

  ordered(term: number, to: string): void {
    this.#ordered.add(`${term} ${to}`);
  }

  isAsked(by: string, term: number, to: string): boolean {
    return this.#ordered.has(`${term} ${to}`) || this.isToFailBack(by, to);
  }

  /** People are believed who say that nothing runs there, and are wrong: what starts elsewhere is their doing. */
  deceived(cluster: CheckedCluster, now: number): void {
    this.#deceivedAt.set(cluster, now);
  }

  /** What was said of it before counts no more. */
  leads(cluster: CheckedCluster): void {
    this.#deceivedAt.delete(cluster);
  }

  /** Whether people denied what had begun then. */
  isDenied(cluster: CheckedCluster, since: number): boolean {
    return since < (this.#deceivedAt.get(cluster) ?? -Infinity) + SLACK_MS;
  }
}
