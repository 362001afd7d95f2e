/** Jobs as anybody who may write them in the namespace could: no mixture of them spoils the ledger, or begins twice. */
import { expect, it } from 'vitest';
import type { Job } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import { annotations } from '../../api/group.ts';
import { decodeLedger, encodeLedger } from '../../ledger/cron-ledger.ts';
import { cellKeys } from '../../lease/cell-store.ts';
import { MemoryStore } from '../../lease/testing/memory-store.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import { ClaimedWorld, MINUTE_MS } from './testing/claimed-world.ts';

const START_MINUTE = Date.UTC(2030, 0, 1) / MINUTE_MS;
const NAMES = [
  'web-',
  'web-x',
  'web-1',
  'web-NaN',
  'web-1e5',
  `web-${START_MINUTE - 1}`,
  `web-${START_MINUTE + 1}`,
  `web-${START_MINUTE + 9}`,
  'web-99999999',
  'web-999999999',
  'other',
];
const TIMES = [
  undefined,
  '',
  'x',
  '2030-01-01T00:01:00Z',
  '2030-01-01T00:09:00Z',
  '2030-01-01T00:00:30Z',
  '9999-12-31T23:59:00Z',
  '1970-01-01T00:00:00Z',
  '-000001-01-01T00:00:00Z',
];
const TERMS = [undefined, '0', '7', 'abc', '999999999999999'];

/** The same for the same seed (mulberry32). */
function dice(seed: number): <T>(all: readonly T[]) => T {
  let state = seed;
  return (all) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return all[((mixed ^ (mixed >>> 14)) >>> 0) % all.length]!;
  };
}

it.each(Array.from({ length: 25 }, (_, seed) => seed))('mixture %i', async (seed) => {
  const pick = dice(seed);
  const store = new MemoryStore(new FakeClock());
  const world = new ClaimedWorld('east', store, { catchUp: pick(['None', 'Last', 'All']) });
  await world.reconcile();
  await world.reconcile();
  for (let step = 0; step < 6; step++) {
    for (let n = 0; n < 3; n++) {
      const name = pick(NAMES);
      if (world.job(name)) continue;
      world.askFor(name);
      const notes = {
        'cronjob.kubernetes.io/instantiate': pick([undefined, 'manual', 'x']),
        'batch.kubernetes.io/cronjob-scheduled-timestamp': pick(TIMES),
        [annotations.term]: pick(TERMS),
      };
      const given = Object.entries(notes).filter((entry): entry is [string, string] => entry[1] !== undefined);
      const job = world.job(name)!;
      const metadata = { ...job.metadata, annotations: Object.fromEntries(given) };
      world.cluster.edit<Job>(childTypes.jobs, {
        ...job,
        metadata,
        spec: { ...job.spec, suspend: pick([true, true, false]) },
      });
    }
    await world.clock.advance(pick([1000, 20_000, MINUTE_MS]));
    await world.reconcile();
    if (pick([true, false])) world.finish();
    await world.reconcile();
    const { cell } = await store.read(cellKeys.ledger('default', 'default', 'web'), { timeoutMs: 1000 });
    const { ledger } = decodeLedger(cell?.value ?? '');
    expect(ledger.mark).toBeLessThanOrEqual(world.clock.wall() + 10_000);
    expect(decodeLedger(encodeLedger(ledger, ''))).toEqual({ ledger, incarnation: '' });
  }
  world.finish();
  await world.nextMinute();
  await world.clock.advance(11_000);
  await world.reconcile();
  const claimed = world.begun.filter((minute) => minute > 0 && minute < 20);
  expect(new Set(world.begunJobs).size).toBe(world.begunJobs.length);
  expect(new Set(claimed).size).toBe(claimed.length);
});
