import { expect, it } from 'vitest';
import type { PresenceRecord } from '../leadership/presence-record.ts';
import { encodePresence } from '../leadership/presence-record.ts';
import { cellKeys } from '../lease/cell-store.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { livingPeers } from './living-peers.ts';

const TENANT = { tenant: 'default', lease: { ttlMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2000 } };
const CALL = { timeoutMs: 1000 };

function world() {
  const clock = new FakeClock();
  const store = new MemoryStore(clock);
  const announce = async (identity: string, beat: number) => {
    const key = cellKeys.presence(TENANT.tenant, identity);
    const { cell } = await store.read(key, CALL);
    const record: PresenceRecord = { identity, cluster: { id: 'e', name: 'east' }, highestStamp: 0, beat };
    await store.write(key, encodePresence(record), cell?.version, CALL);
  };
  return { clock, store, announce };
}

it('is whoever writes again within a ttl; a record alone is no sign of life', async () => {
  const { clock, store, announce } = world();
  await announce('lives', 1);
  await announce('died', 1);
  const asked = livingPeers(store, TENANT, undefined, clock);
  await clock.advance(5000);
  await announce('lives', 2);
  await clock.advance(60_000);
  expect((await asked).map(({ identity }) => identity)).toEqual(['lives']);
});

it('is known at once where all have been silent for long', async () => {
  const { clock, store, announce } = world();
  await announce('died', 1);
  await clock.advance(60_000);
  expect(await livingPeers(store, TENANT, undefined, clock)).toEqual([]);
});
