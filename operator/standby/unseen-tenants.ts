/**
 * Tenants of which no controller can be seen: do they act all the same, with another store? It is tried on one workload of
 * each what becomes of saying that nobody acts on it. Pure.
 */

/** A leader that acts writes over it at once, as soon as its watch has told it. Milliseconds. */
const TRIAL_MS = 10_000;
/** Everybody can write any name into a label. */
const MAX_TENANTS = 1000;

/** Remembers what became of each trial. */
export class UnseenTenants {
  readonly #trials = new Map<string, { readonly uid: string; readonly since: number }>();
  readonly #acting = new Set<string>();

  /** What was said of one of its workloads has been written over. */
  acts(tenant: string): void {
    if (this.#acting.size >= MAX_TENANTS) this.#acting.clear();
    this.#acting.add(tenant);
  }

  /** It can be seen now. */
  forget(tenant: string): void {
    this.#acting.delete(tenant);
    this.#trials.delete(tenant);
  }

  /** `never`: it acts. `later`: that is being tried. `uid`: of one of its workloads. `now`: milliseconds, monotonic. */
  maySay(tenant: string, uid: string, now: number): 'now' | 'later' | 'never' {
    if (this.#acting.has(tenant)) return 'never';
    const trial = this.#trials.get(tenant);
    if (trial) return trial.uid === uid || now - trial.since >= TRIAL_MS ? 'now' : 'later';
    if (this.#trials.size >= MAX_TENANTS) this.#trials.clear();
    this.#trials.set(tenant, { uid, since: now });
    return 'now';
  }
}
