/** What a cluster's permit was and will be, in true time: for the checker, which no controller can read. */
import type { Permit } from '../leadership/permit.ts';
import type { CheckedCluster, Checker } from './checker.ts';
import type { World } from './world.ts';

/** The cluster whose permit it is. */
interface Place extends CheckedCluster {
  /** Milliseconds of its API server's clock per true millisecond. */
  readonly rate: number;
}

/** Follows each write of a permit. */
export class PermitTrace {
  permit: Permit | undefined;
  /** True time at which the permit ends or ended, and since when it was good without a gap. */
  lapsesAt = -Infinity;
  goodSince = Infinity;
  /** Since when it limits anything. */
  limitedAt = Infinity;
  readonly #world: World;
  readonly #checker: Checker;
  readonly #place: Place;

  constructor(world: World, checker: Checker, place: Place) {
    this.#world = world;
    this.#checker = checker;
    this.#place = place;
  }

  /** Somebody has deleted it: whoever had not seen its last renewal goes by the one before. */
  removed(): void {
    this.goodSince = Infinity;
  }

  written(permit: Permit): void {
    const { now } = this.#world;
    const { time, rate, id } = this.#place;
    const last = wholeSeconds(permit.renewedAt + permit.ttlMs) + 1000;
    const ends = now + (last - time) / rate;
    if (this.lapsesAt < now || this.goodSince === Infinity) this.goodSince = now;
    this.lapsesAt = last < time ? Math.min(this.lapsesAt, now) : ends;
    if (permit.scope === 'multi') this.limitedAt = Math.min(this.limitedAt, now);
    this.#world.note(id, `permit: ${permit.scope}, term ${permit.term}, ends at ${Math.round(this.lapsesAt)}`);
    this.permit = permit;
    if (permit.scope === 'multi') {
      const ttlMs = Math.min(permit.ttlMs, this.#checker.lease()?.ttlMs ?? permit.ttlMs);
      this.#checker.permitted(this.#place, ttlMs);
    }
  }
}

/** As an API server sees the time of creation. */
export function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
