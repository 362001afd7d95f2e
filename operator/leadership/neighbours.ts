/** Which tenants have controllers in this cluster, and which namespaces are theirs, by what these say of themselves. Pure. */
import type { ListedCell } from '../lease/cell-store.ts';
import { cellKeys } from '../lease/cell-store.ts';
import { FORGOTTEN_MS, readPresence } from './presence-record.ts';

/** A tenant is not gone while its only controller is started again. Milliseconds. */
export const RETURN_MS = 60_000;

/** A controller of another tenant in this cluster. */
export interface NeighbouringController {
  readonly tenant: string;
  readonly identity: string;
  /** It was heard of within the last minute. */
  readonly lives: boolean;
  /** Its record is in the store. */
  readonly isHere: boolean;
  readonly claims: readonly string[];
  /** The only namespaces that it looks at; undefined: all. */
  readonly watches: readonly string[] | undefined;
}

/** All its controllers in this cluster as one. */
export interface NeighbouringTenant {
  readonly name: string;
  readonly lives: boolean;
  readonly claims: ReadonlySet<string>;
  readonly watches: ReadonlySet<string> | undefined;
}

const TENANT = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

interface Sighting {
  readonly controller: Omit<NeighbouringController, 'lives' | 'isHere'>;
  /** On the clock of `note`: the last time its record was in the store, and its last sign of life. */
  readonly seenAt: number;
  readonly aliveAt: number;
}

/** Remembers the other tenants' controllers between two listings of the store. */
export class Neighbours {
  readonly #tenant: string;
  readonly #clusterId: string;
  #sightings: ReadonlyMap<string, Sighting> = new Map();
  #controllers: readonly NeighbouringController[] = [];
  #others: readonly NeighbouringTenant[] = [];
  #isSettled = false;

  /** `tenant`: the own one. */
  constructor(tenant: string, clusterId: string) {
    this.#tenant = tenant;
    this.#clusterId = clusterId;
  }

  /** Of all tenants, this one included, by tenant and identity. */
  get controllers(): readonly NeighbouringController[] {
    return this.#controllers;
  }

  /** The other tenants, by name. */
  get others(): readonly NeighbouringTenant[] {
    return this.#others;
  }

  /** Each controller that can be seen has had the time to see this one, and the reverse. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** True when it was not yet. */
  settle(): boolean {
    const wasSettled = this.#isSettled;
    this.#isSettled = true;
    return !wasSettled;
  }

  /** The own record was lost: others may have forgotten this controller. */
  unsettle(): void {
    this.#isSettled = false;
  }

  /** `cells`: all presence records, in any order. `now`: milliseconds, monotonic. True when the other tenants changed. */
  note(cells: readonly ListedCell[], now: number): boolean {
    const found = new Map(cells.map((cell) => this.#sightingOf(cell, now)).filter((each) => each !== undefined));
    const kept = [...this.#sightings].filter(([, { seenAt }]) => now - seenAt < RETURN_MS);
    this.#sightings = new Map([...kept, ...found]);
    this.#controllers = [...this.#sightings]
      .map(([key, { controller, aliveAt }]) => ({
        ...controller,
        lives: now - aliveAt < RETURN_MS,
        isHere: found.has(key),
      }))
      .toSorted((a, b) => byName(a.tenant, b.tenant) || byName(a.identity, b.identity));
    const before = textOf(this.#others);
    this.#others = tenantsOf(this.#controllers.filter(({ tenant }) => tenant !== this.#tenant));
    return textOf(this.#others) !== before;
  }

  #sightingOf({ key, value, ageMs }: ListedCell, now: number): [string, Sighting] | undefined {
    const [tenant = ''] = key.slice(cellKeys.presences.length).split(':');
    if (!TENANT.test(tenant)) return undefined;
    const record = ageMs < FORGOTTEN_MS ? readPresence(value) : undefined;
    if (record?.cluster.id !== this.#clusterId || key !== cellKeys.presence(tenant, record.identity)) return undefined;
    const { identity, claims = [], watches } = record;
    return [key, { controller: { tenant, identity, claims, watches }, seenAt: now, aliveAt: now - ageMs }];
  }
}

function tenantsOf(controllers: readonly NeighbouringController[]): readonly NeighbouringTenant[] {
  const names = [...new Set(controllers.map(({ tenant }) => tenant))];
  return names.map((name) => {
    const own = controllers.filter(({ tenant }) => tenant === name);
    const watches = own.some((each) => each.watches === undefined)
      ? undefined
      : new Set(own.flatMap((each) => each.watches ?? []));
    const claims = new Set(own.flatMap((each) => each.claims));
    return { name, lives: own.some(({ lives }) => lives), claims, watches };
  });
}

function textOf(tenants: readonly NeighbouringTenant[]): string {
  const sorted = (names: ReadonlySet<string> | undefined) => names && [...names].toSorted(byName);
  return JSON.stringify(tenants.map(({ claims, watches, ...rest }) => [rest, sorted(claims), sorted(watches)]));
}

function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
