/** Which controllers of a tenant live, as its store knows: not every store can say how old a record is. */
import type { Config } from '../config/config.ts';
import { readPeers, type Peer } from '../leadership/presence.ts';
import { atLeast } from '../leadership/timing.ts';
import type { CellStore } from '../lease/cell-store.ts';
import type { Clock } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';

const CALL = { timeoutMs: 10_000 };

type Tenant = Pick<Config, 'tenant' | 'lease'>;

/** Looks twice, a ttl apart, unless all that is known (`before`) is older than that. Throws what the store throws. */
export async function livingPeers(
  store: CellStore,
  { tenant, lease }: Tenant,
  before?: readonly Peer[],
  clock: Clock = systemClock,
): Promise<readonly Peer[]> {
  const first = before ?? (await readPeers(store, tenant, CALL));
  if (first.every(({ ageMs }) => ageMs > atLeast(lease.ttlMs))) return [];
  await clock.sleep(atLeast(lease.ttlMs));
  const beats = new Map(first.map(({ identity, beat }) => [identity, beat]));
  return (await readPeers(store, tenant, CALL)).filter(({ identity, beat }) => beats.get(identity) !== beat);
}
