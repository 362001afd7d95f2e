/** What whoever may edit the permit writes there lasts no longer than until its cluster's leader looks at it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_NUMBER } from '../api/terms.ts';
import { cellKeys } from '../lease/cell-store.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import type { LeaseRecord } from './lease-record.ts';
import { decodeRecord } from './lease-record.ts';
import { encodePresence } from './presence-record.ts';
import type { Contender } from './testing/contender.ts';
import { contend, TestCluster } from './testing/contender.ts';

const CALL = { timeoutMs: 1000 };

let clock: FakeClock;
let store: MemoryStore;
let cluster: TestCluster;

beforeEach(() => {
  clock = new FakeClock();
  store = new MemoryStore(clock);
  cluster = new TestCluster();
});

function start(identity: string): Contender {
  return contend({ identity, clock, store, cluster, takeover: 'bounded' });
}

async function lease(): Promise<LeaseRecord> {
  const { cell } = await store.read(cellKeys.lease('default'), CALL);
  return decodeRecord(cell?.value ?? '');
}

async function hearOfAnotherCluster(): Promise<void> {
  const west = { identity: 'w', cluster: { id: 'west', name: 'west' }, highestStamp: 0, beat: 1 };
  await store.write(cellKeys.presence('default', 'w'), encodePresence(west), undefined, CALL);
}

describe('a term', () => {
  it('costs a leader its own once, however often somebody writes one', async () => {
    await hearOfAnotherCluster();
    const leader = start('first');
    await clock.advance(60_000);
    expect((await lease()).scope).toBe('multi');
    leader.history.length = 0;
    for (let round = 0; round < 20; round++) {
      cluster.editPermit({ term: (cluster.permit?.term ?? 0) + 10 });
      await clock.advance(20_000);
    }
    expect(leader.history).toHaveLength(2);
    expect(cluster.permit).toMatchObject({ term: (await lease()).term });
  });

  it('keeps nobody from beginning one, however often somebody writes it', async () => {
    await hearOfAnotherCluster();
    const first = start('first');
    await clock.advance(60_000);
    first.kill();
    const next = start('next');
    for (let round = 0; round < 200; round++) {
      cluster.editPermit({ term: (cluster.permit?.term ?? 0) + 10 });
      await clock.advance(500);
    }
    expect(next.elector.term).toBeDefined();
  });

  it.each([MAX_NUMBER, 0])('of %d is put right', async (term) => {
    await hearOfAnotherCluster();
    const leader = start('first');
    await clock.advance(60_000);
    cluster.editPermit({ term });
    await clock.advance(60_000);
    expect(leader.history).toHaveLength(1);
    expect(cluster.permit).toMatchObject({ term: (await lease()).term });
  });
});

describe('scope multi', () => {
  it('shares no tenant of one cluster', async () => {
    const leader = start('first');
    await clock.advance(60_000);
    cluster.editPermit({ scope: 'multi', renewedAt: 0 });
    await clock.advance(60_000);
    expect(cluster.permit).toMatchObject({ scope: 'single' });
    expect(await lease()).toMatchObject({ scope: 'single' });
    expect(leader.history).toHaveLength(1);
    leader.kill();
    start('second');
    await clock.advance(60_000);
    expect(await lease()).toMatchObject({ scope: 'single' });
  });

  it('stays once another cluster has been heard of', async () => {
    await hearOfAnotherCluster();
    start('first');
    await clock.advance(60_000);
    cluster.editPermit({ scope: 'single' });
    await clock.advance(60_000);
    expect(cluster.permit).toMatchObject({ scope: 'multi' });
    expect(await lease()).toMatchObject({ scope: 'multi' });
  });
});
