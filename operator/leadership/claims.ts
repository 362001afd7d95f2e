/** Which tenants claim which namespaces, by what their controllers say. Pure. */
import type { ListedCell } from '../lease/cell-store.ts';
import { cellKeys } from '../lease/cell-store.ts';
import { readPresence, FORGOTTEN_MS } from './presence-record.ts';

/** Namespace to tenants, both by name: the same for the same records in any order. */
export function claimsOf(cells: readonly ListedCell[]): ReadonlyMap<string, readonly string[]> {
  const claims = new Map<string, Set<string>>();
  for (const { key, value, ageMs } of cells) {
    const tenant = key.slice(cellKeys.presences.length).split(':')[0] ?? '';
    const names = (ageMs < FORGOTTEN_MS && readPresence(value)?.claims) || [];
    for (const name of names) claims.set(name, (claims.get(name) ?? new Set()).add(tenant));
  }
  const sorted = [...claims].map(([name, tenants]): [string, string[]] => [name, [...tenants].toSorted(byName)]);
  return new Map(sorted.toSorted(([a], [b]) => byName(a, b)));
}

function byName(a: string, b: string): number {
  return a < b ? -1 : 1;
}
