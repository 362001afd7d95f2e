import { describe, expect, it } from 'vitest';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { WorkQueue } from './queue.ts';

const key = (name: string) => ({ namespace: 'a', name });

function queue(observer = {}): { q: WorkQueue; clock: FakeClock; take: () => Promise<string | undefined> } {
  const clock = new FakeClock();
  const q = new WorkQueue({ clock, random: () => 1, observer });
  return { q, clock, take: async () => (await q.take())?.name };
}

describe('WorkQueue', () => {
  it('holds a key once, in order of arrival', async () => {
    const { q, take } = queue();
    for (const name of ['x', 'y', 'x']) q.add(key(name));
    expect([q.depth, await take(), await take(), q.depth]).toEqual([2, 'x', 'y', 0]);
  });

  it('never hands out a key twice at once; 5 updates during a run make one more run', async () => {
    const { q, take } = queue();
    q.add(key('x'));
    await take();
    for (let n = 0; n < 5; n++) q.add(key('x'));
    expect(q.depth).toBe(0);
    q.done(key('x'));
    expect([q.depth, await take()]).toEqual([1, 'x']);
    q.done(key('x'));
    expect(q.depth).toBe(0);
  });

  it('does not let a slow key delay others', async () => {
    const { q, take } = queue();
    q.add(key('slow'));
    await take();
    const waiting = take();
    q.add(key('slow'));
    q.add(key('other'));
    expect(await waiting).toBe('other');
  });

  it('serves follow-ups when it has been quiet for 200 ms, and moves a key up', async () => {
    const { q, clock, take } = queue();
    q.add(key('l1'), 'low');
    q.add(key('l2'), 'low');
    q.add(key('n'));
    q.add(key('l2'), 'normal');
    q.add(key('n'), 'low');
    expect([await take(), await take()]).toEqual(['n', 'l2']);
    let last: string | undefined;
    void take().then((name) => (last = name));
    await clock.advance(199);
    expect(last).toBeUndefined();
    await clock.advance(1);
    expect([last, clock.pendingTimers]).toEqual(['l1', 0]);
  });

  it('lets a follow-up wait no longer than 5 s, and then serves one for each 16 others', async () => {
    const { q, clock, take } = queue();
    q.add(key('low'), 'low');
    q.add(key('low too'), 'low');
    const busy = async (from: number): Promise<(string | undefined)[]> => {
      for (let n = from; n < from + 20; n++) q.add(key(`n${n}`));
      const order: (string | undefined)[] = [];
      for (let n = 0; n < 20; n++) order.push(await take());
      return order;
    };
    for (let n = 0; n < 49; n++) {
      expect(await busy(20 * n)).not.toContain('low');
      await clock.advance(100);
    }
    await clock.advance(100);
    expect((await busy(1000)).indexOf('low')).toBe(16);
  });

  it('keeps the earliest of several delays', async () => {
    const { q, clock } = queue();
    q.addAfter(key('x'), 100);
    q.addAfter(key('x'), 500);
    q.addAfter(key('x'), 50);
    await clock.advance(49);
    expect([q.depth, clock.pendingTimers]).toEqual([0, 1]);
    await clock.advance(1);
    expect([q.depth, clock.pendingTimers]).toEqual([1, 0]);
    q.addAfter(key('y'), 0);
    expect(q.depth).toBe(2);
  });

  it('backs off per key from 50 ms to 60 s, or as long as asked for, until forgotten', async () => {
    const { q, clock, take } = queue();
    const delays: number[] = [];
    for (let n = 0; n < 13; n++) {
      delays.push(q.addRateLimited(key('x')));
      await clock.advance(60_000);
      await take();
      q.done(key('x'));
    }
    expect(delays.slice(0, 3)).toEqual([50, 100, 200]);
    expect(delays.at(-1)).toBe(60_000);
    expect([q.failures(key('x')), q.addRateLimited(key('y'), 7000)]).toEqual([13, 7000]);
    q.forget(key('x'));
    expect([q.failures(key('x')), q.addRateLimited(key('x'))]).toEqual([0, 50]);
  });

  it('is empty after clear, and a key under way does not come again', async () => {
    const { q, clock, take } = queue();
    q.add(key('x'));
    await take();
    q.add(key('x'));
    q.add(key('y'));
    q.addAfter(key('z'), 10);
    q.clear();
    q.done(key('x'));
    await clock.advance(100);
    expect([q.depth, clock.pendingTimers, q.oldestAgeMs]).toEqual([0, 0, 0]);
    q.add(key('x'));
    expect(await take()).toBe('x');
  });

  it('releases waiting workers on shutdown and waits for what is under way', async () => {
    const { q, take, clock } = queue();
    q.add(key('x'));
    await take();
    const idle = take();
    let ended = false;
    const shutdown = q.shutdown().then(() => (ended = true));
    expect(await idle).toBeUndefined();
    q.add(key('y'));
    q.addRateLimited(key('y'));
    expect([q.depth, clock.pendingTimers, ended]).toEqual([0, 0, false]);
    q.done(key('x'));
    await shutdown;
    expect(await take()).toBeUndefined();
  });

  it('reports depth, age, waits, adds and retries', async () => {
    const seen: string[] = [];
    const { q, clock, take } = queue({
      added: () => seen.push('added'),
      retried: () => seen.push('retried'),
      depth: (n: number) => seen.push(`depth ${n}`),
      waited: (ms: number) => seen.push(`waited ${ms}`),
    });
    q.add(key('x'));
    await clock.advance(30);
    expect(q.oldestAgeMs).toBe(30);
    await take();
    q.addRateLimited(key('x'));
    expect(seen).toEqual(['added', 'depth 1', 'waited 30', 'depth 0', 'retried']);
  });
});
