import { describe, expect, it, onTestFinished } from 'vitest';
import { ApiError } from '../cluster/cluster-client.ts';
import { HigherTermSeen, LeaseLost, NotLeader, RetryLater, TerminalError } from '../lib/errors.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { WorkQueue } from './queue.ts';
import { grant as open, openGuard, RecordingReconciler, recordingLogger } from './testing/doubles.ts';
import { type Guard, Workers } from './worker.ts';

const key = (name: string) => ({ namespace: 'a', name });

function workers(options: { guard?: Guard; active?: boolean; concurrency?: number } = {}) {
  const clock = new FakeClock();
  const queue = new WorkQueue({ clock, random: () => 1 });
  const reconciler = new RecordingReconciler();
  const logger = recordingLogger();
  const disputed: string[] = [];
  const seen: string[] = [];
  const made = new Workers({
    queue,
    reconciler,
    guard: options.guard ?? openGuard,
    clock,
    logger,
    dispute: ({ message }) => disputed.push(message),
    isActive: () => options.active ?? true,
    newId: () => 'id-1',
    observer: { reconciled: (kind, outcome, ms) => seen.push(`${kind} ${outcome} ${ms}`) },
    ...(options.concurrency && { concurrency: options.concurrency }),
  });
  made.start();
  onTestFinished(() => made.stop());
  const run = async (name = 'x') => {
    queue.add(key(name));
    await clock.settle();
  };
  return { clock, queue, reconciler, logger, disputed, seen, workers: made, run };
}

const failing = (all: ReturnType<typeof workers>, error: unknown): void =>
  void (all.reconciler.act = async () => {
    throw error;
  });

describe('Workers', () => {
  it('asks the guard before each reconcile and hands over its grant', async () => {
    const terms: number[] = [];
    const all = workers();
    all.reconciler.act = async (_, grant) => (terms.push(grant.term), {});
    await all.run();
    expect([terms, all.seen]).toEqual([[7], ['Thing success 0']]);
  });

  it('does not touch the reconciler without leave', async () => {
    const all = workers({
      active: false,
      guard: {
        enter: async () => {
          throw new NotLeader('not leading');
        },
      },
    });
    await all.run();
    await all.clock.advance(600_000);
    expect([all.reconciler.calls, all.seen, all.queue.depth, all.clock.pendingTimers]).toEqual([
      [],
      ['Thing not-leader 0'],
      0,
      0,
    ]);
    expect(all.logger.lines.map((line) => line.level)).toEqual(['debug']);
  });

  it('drops a key quietly when the lease was lost under way', async () => {
    const all = workers({ active: false });
    failing(all, new LeaseLost('the deadline has passed'));
    await all.run();
    await all.clock.advance(600_000);
    expect([all.reconciler.calls.length, all.disputed]).toEqual([1, []]);
  });

  it('tries again after a back-off when it was refused although the term went on', async () => {
    const all = workers({ active: true });
    failing(all, new LeaseLost('a renewal came late'));
    await all.run();
    await all.clock.advance(50);
    expect(all.reconciler.calls).toHaveLength(2);
  });

  it('keeps its hands off what may still run in another cluster, until it is told of it again', async () => {
    const heldBack = new Map([['Thing a/x', {}]]);
    const all = workers({ guard: { enter: async () => ({ ...open, heldBack }) } });
    await all.run();
    await all.run('y');
    expect(all.reconciler.calls).toEqual(['y']);
    await all.clock.advance(600_000);
    heldBack.clear();
    await all.run();
    expect(all.reconciler.calls).toEqual(['y', 'x']);
  });

  it('asks who leads when it sees a later term', async () => {
    const all = workers({ active: false });
    failing(all, new HigherTermSeen(9, 'Pod a/x'));
    await all.run();
    expect(all.disputed).toEqual(["Pod a/x carries term 9, later than this controller's"]);
  });

  it('looks again when the reconciler asks for it, by result or RetryLater, without counting a failure', async () => {
    const all = workers();
    all.reconciler.act = async () => (all.reconciler.calls.length === 1 ? { requeueAfterMs: 700 } : {});
    await all.run();
    await all.clock.advance(699);
    expect(all.reconciler.calls).toHaveLength(1);
    await all.clock.advance(1);
    expect(all.reconciler.calls).toHaveLength(2);
    failing(all, new RetryLater(3000, 'pod still ends'));
    await all.run();
    await all.clock.advance(3000);
    expect([all.reconciler.calls.length, all.queue.failures(key('x'))]).toEqual([4, 0]);
    expect(all.logger.lines.every((line) => line.level === 'debug')).toBe(true);
  });

  it('repeats a terminal failure when it says after how long', async () => {
    const all = workers();
    failing(all, new TerminalError('PodInvalid', 'a webhook says so', { retryAfterMs: 60_000 }));
    await all.run();
    await all.clock.advance(59_000);
    expect(all.reconciler.calls).toHaveLength(1);
    await all.clock.advance(2000);
    expect(all.reconciler.calls).toHaveLength(2);
  });

  it('does not repeat a terminal failure, but logs and counts it', async () => {
    const all = workers();
    failing(all, new TerminalError('InvalidSchedule', 'bad schedule'));
    await all.run();
    await all.clock.advance(600_000);
    expect(all.reconciler.calls).toHaveLength(1);
    expect(all.seen).toEqual(['Thing terminal 0']);
    expect(all.logger.lines).toEqual([
      {
        level: 'error',
        message: 'Reconcile failed, will retry after a change',
        fields: {
          controller: 'Thing',
          namespace: 'a',
          name: 'x',
          reconcileID: 'id-1',
          leaderTerm: 7,
          reason: 'InvalidSchedule',
          error: 'bad schedule',
        },
      },
    ]);
  });

  it('repeats anything else with a growing back-off, logged with its stack, and forgets failures after success', async () => {
    const all = workers();
    failing(all, new TypeError('bug'));
    await all.run();
    await all.clock.advance(50 + 100);
    expect([all.reconciler.calls.length, all.queue.failures(key('x'))]).toEqual([3, 3]);
    expect(all.logger.lines[0]).toMatchObject({
      level: 'error',
      message: 'Reconcile failed',
      fields: { retryInMs: 50, stack: expect.stringContaining('bug') },
    });
    all.reconciler.act = async () => ({});
    await all.clock.advance(200);
    expect([all.reconciler.calls.length, all.queue.failures(key('x'))]).toEqual([4, 0]);
  });

  it('waits as long as the API server asks for', async () => {
    const all = workers();
    failing(all, new ApiError(429, 'TooManyRequests', 'slow down', 9000));
    await all.run();
    await all.clock.advance(8999);
    expect(all.reconciler.calls).toHaveLength(1);
    await all.clock.advance(1);
    expect(all.reconciler.calls).toHaveLength(2);
  });

  it('repeats a conflict soon and without an error line', async () => {
    const all = workers();
    failing(all, new ApiError(409, 'Conflict', 'modified'));
    await all.run();
    await all.clock.advance(50);
    expect(all.reconciler.calls).toHaveLength(2);
    expect([all.seen[0], all.logger.lines[0]?.level]).toEqual(['Thing conflict 0', 'debug']);
  });

  it.each([
    new ApiError(
      403,
      'Forbidden',
      'pods "x" is forbidden: unable to create new content in namespace a because it is being terminated',
    ),
    new ApiError(404, 'NotFound', 'POST /api/v1/namespaces/a/pods: 404 namespaces "a" not found'),
  ])('says once, calmly, that a namespace is being deleted: $code', async (error) => {
    const all = workers();
    failing(all, error);
    await all.run();
    await all.clock.advance(10_000);
    expect(all.reconciler.calls.length).toBeGreaterThan(3);
    expect(all.logger.lines.map(({ level }) => level).filter((level) => level !== 'debug')).toEqual(['info']);
    all.reconciler.act = async () => ({});
    await all.clock.advance(60_000);
    expect(all.queue.failures(key('x'))).toBe(0);
  });

  it('lets no slow key hold up others, and no rejection end a worker', async () => {
    const all = workers({ concurrency: 2 });
    const slow = Promise.withResolvers<Record<string, never>>();
    all.reconciler.act = ({ name }) => (name === 'slow' ? slow.promise : Promise.reject(new Error('broken')));
    for (const name of ['slow', 'p0', 'p1', 'p2']) await all.run(name);
    expect(all.reconciler.calls).toEqual(['slow', 'p0', 'p1', 'p2']);
    slow.resolve({});
  });

  it('stops after what is under way, and does not log what that threw then', async () => {
    const all = workers();
    const under = Promise.withResolvers<Record<string, never>>();
    all.reconciler.act = () => under.promise;
    await all.run();
    let stopped = false;
    const stopping = all.workers.stop().then(() => (stopped = true));
    await all.clock.settle();
    expect(stopped).toBe(false);
    under.reject(new Error('aborted'));
    await stopping;
    expect([all.logger.lines, all.seen, all.clock.pendingTimers]).toEqual([[], ['Thing stopped 0'], 0]);
  });
});
