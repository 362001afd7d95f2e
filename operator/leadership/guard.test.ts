import { beforeEach, describe, expect, it } from 'vitest';
import { NotLeader, RetryLater } from '../lib/errors.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import type { Leadership } from './guard.ts';
import { LeadershipGuard } from './guard.ts';
import { Term } from './term.ts';
import { timing } from './testing/contender.ts';

/** Reads are answered when the test says so. */
class Steered implements Leadership {
  readonly heldBack = new Map();
  term: Term | undefined;
  readonly isForged = () => false;
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
let asked = 0;
const cluster = { drainMs: (graceMs: number) => Math.max(30_000, graceMs) };

function renew(term: Term, drainMs = 30_000): void {
  const sentAt = clock.monotonic();
  term.extend({ sentAt, validUntil: sentAt + 13_850, record: { drainMs, scope: 'single' } }, clock.wall());
}

function lead(number: number): Term {
  const term = new Term({
    number,
    candidate: { identity: 'me', timing },
    clock,
    cluster,
    onShared: () => {},
    onGrace: () => asked++,
  });
  renew(term);
  leadership.term = term;
  return term;
}

beforeEach(() => {
  clock = new FakeClock();
  leadership = new Steered();
  asked = 0;
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

  it('lets pods that take longer to stop start only when the store knows it', async () => {
    const term = lead(7);
    const entered = guard.enter();
    leadership.reads[0]?.resolve();
    const grant = await entered;
    await grant.allowGrace(30_000);
    expect(asked).toBe(0);
    const allowed: string[] = [];
    const longer = grant.allowGrace(60_000).then(() => allowed.push('longer'));
    await clock.settle();
    expect({ asked, allowed, graceMs: term.graceMs }).toEqual({ asked: 1, allowed: [], graceMs: 60_000 });
    renew(term, 60_000);
    await longer;
    const refused = grant.allowGrace(80_000, () => Promise.reject(new Error('no such service account')));
    await expect(refused).rejects.toThrow('no such service account');
    expect({ asked, graceMs: term.graceMs }).toEqual({ asked: 1, graceMs: 60_000 });
    const known = grant.allowGrace(50_000, () => Promise.reject(new Error('not tried out: it takes no longer')));
    await expect(known).resolves.toBeUndefined();
    const never = grant.allowGrace(90_000);
    term.end('test');
    await expect(never).rejects.toThrow('term 7 ended');
  });
});
