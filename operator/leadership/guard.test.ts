import { beforeEach, describe, expect, it } from 'vitest';
import { NotLeader, RetryLater } from '../lib/errors.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import type { Leadership } from './guard.ts';
import { LeadershipGuard } from './guard.ts';
import { Term } from './term.ts';
import { timing } from './testing/contender.ts';

/** Reads are answered when the test says so. */
class Steered implements Leadership {
  term: Term | undefined;
  readonly reads: PromiseWithResolvers<void>[] = [];
  verify(): Promise<void> {
    const read = Promise.withResolvers<void>();
    this.reads.push(read);
    return read.promise;
  }
}

let clock: FakeClock;
let leadership: Steered;
let guard: LeadershipGuard;

function lead(number: number): Term {
  const term = new Term({ number, holder: 'me', timing, clock });
  term.extend(clock.monotonic(), clock.wall(), clock.monotonic() + 13_850);
  leadership.term = term;
  return term;
}

beforeEach(() => {
  clock = new FakeClock();
  leadership = new Steered();
  guard = new LeadershipGuard(leadership, timing.retryPeriodMs);
});

describe('the guard', () => {
  it('refuses a follower without asking the store', async () => {
    await expect(guard.enter()).rejects.toBeInstanceOf(NotLeader);
    expect(leadership.reads).toHaveLength(0);
  });

  it('grants the term once the store has confirmed it', async () => {
    lead(7);
    const grant = guard.enter();
    leadership.reads[0]?.resolve();
    await expect(grant).resolves.toMatchObject({ term: 7, holder: 'me' });
  });

  it('shares one read among callers, but only one that started after they asked', async () => {
    lead(7);
    const first = guard.enter();
    const late = [guard.enter(), guard.enter(), guard.enter()];
    expect(leadership.reads).toHaveLength(1);
    leadership.reads[0]?.resolve();
    await first;
    await clock.settle();
    expect(leadership.reads).toHaveLength(2);
    leadership.reads[1]?.resolve();
    expect(await Promise.all(late)).toHaveLength(3);
    expect(leadership.reads).toHaveLength(2);
  });

  it('lets the next caller read again when a read failed', async () => {
    lead(7);
    const first = guard.enter();
    const second = guard.enter();
    leadership.reads[0]?.reject(new Error('connection refused'));
    await expect(first).rejects.toBeInstanceOf(RetryLater);
    await clock.settle();
    leadership.reads[1]?.resolve();
    await expect(second).resolves.toMatchObject({ term: 7 });
  });

  it('refuses when the read shows that the lease was lost, or another term began meanwhile', async () => {
    lead(7);
    const grant = guard.enter();
    lead(9);
    leadership.reads[0]?.resolve();
    await expect(grant).rejects.toBeInstanceOf(NotLeader);
  });

  it('hands out nothing new once renewals are overdue', async () => {
    lead(7);
    await clock.advance(timing.renewDeadlineMs + 1);
    await expect(guard.enter()).rejects.toBeInstanceOf(RetryLater);
  });

  it('ends what is under way when the term ends', async () => {
    const term = lead(7);
    const entered = guard.enter();
    leadership.reads[0]?.resolve();
    const grant = await entered;
    grant.assertHeld();
    term.end('test');
    expect(grant.signal.aborted).toBe(true);
    expect(() => grant.assertHeld()).toThrow('term 7 ended');
  });
});
