/** An acquisition whose reply is lost may have been carried out: then the next look shows the own record. */
import { describe, expect, it } from 'vitest';
import { cellKeys } from '../lease/cell-store.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { newElection } from './election.ts';
import type { LeaseRecord } from './lease-record.ts';
import { decodeRecord, encodeRecord } from './lease-record.ts';
import { lostWrites, sawCell, sawNoReply } from './observe.ts';
import { contend, TestCluster, timing } from './testing/contender.ts';
import { validityMs } from './timing.ts';

const candidate = { identity: 'a', cluster: { id: 'east', name: 'east' }, timing };
const SENT_AT = 100_000;
const at = { sentAt: SENT_AT, sentAtWall: 1 };

const tried: LeaseRecord = {
  holder: 'a',
  cluster: candidate.cluster,
  term: 8,
  scope: 'single',
  ttlMs: timing.ttlMs,
  drainMs: 30_000,
  incarnation: 'first',
  release: 'none',
  pending: [],
};

interface Look {
  readonly record?: LeaseRecord;
  readonly incarnation?: string;
  readonly now?: number;
  readonly lossAt?: number;
}

/** What this process holds after the look. */
function heldAfter({ record = tried, incarnation = 'first', now = SENT_AT + 2000, lossAt }: Look) {
  let election = newElection(0);
  if (lossAt !== undefined && lossAt < SENT_AT) election = lostWrites(election, lossAt);
  election = sawNoReply(election, { record: tried }, at);
  if (lossAt !== undefined && lossAt >= SENT_AT) election = lostWrites(election, lossAt);
  const cell = { value: encodeRecord(record), version: 'v9', ageMs: 10 };
  return sawCell(election, candidate, { incarnation, storeTimeMs: 0, cell }, now).held;
}

describe('the look after a lost reply', () => {
  it.each<[string, Look, boolean]>([
    ['shows the own record: it is held', {}, true],
    ['is just in time', { now: SENT_AT + validityMs(timing) - 1 }, true],
    ['comes when the lease would have ended', { now: SENT_AT + validityMs(timing) }, false],
    ['shows somebody else', { record: { ...tried, holder: 'b' } }, false],
    ['shows a release', { record: { ...tried, holder: null, release: 'adopt' } }, false],
    ['shows another term of this process', { record: { ...tried, term: 7 } }, false],
    ['is answered by another incarnation (schedule 16)', { incarnation: 'second' }, false],
    ['shows a record of another incarnation', { record: { ...tried, incarnation: 'zeroth' } }, false],
    ['follows the notice of a loss that came after the try', { lossAt: SENT_AT + 500 }, false],
    ['follows that of a loss before it', { lossAt: SENT_AT - 500 }, true],
  ])('%s', (_sentence, look, isHeld) => {
    expect(heldAfter(look)?.version).toBe(isHeld ? 'v9' : undefined);
  });

  it('counts from before the write was sent, the first of several for one term, and renews at once', () => {
    const first = sawNoReply(newElection(0), { record: tried }, at);
    const again = sawNoReply(first, { record: tried }, { sentAt: SENT_AT + 2000, sentAtWall: 2 });
    const cell = { value: encodeRecord(tried), version: 'v9', ageMs: 10 };
    const reply = { incarnation: 'first', storeTimeMs: 0, cell };
    const taken = sawCell(again, candidate, reply, SENT_AT + 4000);
    expect(taken.held).toMatchObject({ sentAt: SENT_AT, validUntil: SENT_AT + validityMs(timing) });
    expect(taken).toMatchObject({ nextRenewAt: SENT_AT + 4000, tried: undefined, highestTerm: 8 });
  });

  it('of a later term counts from the try for that one', () => {
    const first = sawNoReply(newElection(0), { record: { ...tried, term: 7 } }, at);
    const again = sawNoReply(first, { record: tried }, { sentAt: SENT_AT + 2000, sentAtWall: 2 });
    expect(again.tried).toMatchObject({ term: 8, sentAt: SENT_AT + 2000 });
  });
});

describe('an acquisition whose reply is lost', () => {
  function world() {
    const clock = new FakeClock();
    const store = new MemoryStore(clock);
    const cluster = new TestCluster();
    const start = (identity: string) => contend({ identity, clock, store, cluster });
    const record = () => decodeRecord(store.snapshot().get(cellKeys.lease('default'))?.value ?? '');
    return { clock, store, start, record };
  }

  it('costs no ttl: the term begins when the store answers again', async () => {
    const { clock, store, start, record } = world();
    const first = start('a');
    await clock.advance(10_000);
    const second = start('b');
    await clock.advance(10_000);
    first.elector.leave();
    store.answersWrites = false;
    await clock.advance(5000);
    const { term } = record();
    store.answersWrites = true;
    await clock.advance(3000);
    expect(second.elector.term?.number).toBe(record().term);
    expect(record()).toMatchObject({ holder: 'b', term });
    expect(() => second.elector.term?.assertHeld()).not.toThrow();
    await clock.advance(60_000);
    expect(second.history).toHaveLength(1);
  });

  it('lets nobody act longer than its time, and no two at one time, while no write is answered', async () => {
    const { clock, store, start } = world();
    const all = ['a', 'b'].map(start);
    store.answersWrites = false;
    for (let tenth = 0; tenth < 1200; tenth++) {
      await clock.advance(100);
      const terms = all.flatMap(({ elector }) => elector.term ?? []);
      expect(terms.length).toBeLessThan(2);
      for (const { beganAt } of terms) expect(clock.monotonic() - beganAt).toBeLessThan(validityMs(timing));
    }
    store.answersWrites = true;
    await clock.advance(3 * timing.ttlMs);
    expect(all.filter(({ elector }) => elector.term)).toHaveLength(1);
  });
});
