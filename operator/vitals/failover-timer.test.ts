import { expect, it } from 'vitest';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import type { FailoverTimerOptions } from './failover-timer.ts';
import { timeFailover } from './failover-timer.ts';

type Condition = 'Ready' | 'Stalled';

function world() {
  const clock = new FakeClock();
  const measured: number[] = [];
  const workloads = new Map<string, { term: number; is?: Condition; tenant: string }>();
  let term: number | undefined = 7;
  const statusOf = ({ term: written, is }: { term: number; is?: Condition }) => ({
    controller: { term: written },
    conditions: is ? [{ type: is, status: 'True' }] : [],
  });
  const list = () =>
    [...workloads].map(([name, each]) => ({ metadata: { name }, tenant: each.tenant, status: statusOf(each) }));
  const options = {
    base: { clock, metrics: { lease: { tookOver: (seconds: number) => measured.push(seconds) } } },
    term: () => term,
    tenancy: { of: ({ tenant }: { tenant: string }) => (tenant === 'ours' ? 'ours' : 'others') },
    sources: [{ list }],
  } as unknown as FailoverTimerOptions;
  return {
    clock,
    measured,
    workloads,
    start: (gapMs: number) => timeFailover(options, 7, gapMs),
    end: () => (term = undefined),
  };
}

it('lasts from the last sign of the old leader until the last workload is ready under the new one', async () => {
  const { clock, measured, workloads, start } = world();
  workloads.set('a', { term: 7, is: 'Ready', tenant: 'ours' });
  workloads.set('b', { term: 6, is: 'Ready', tenant: 'ours' });
  const timed = start(12_000);
  await clock.advance(2000);
  expect(measured).toEqual([]);
  workloads.set('b', { term: 7, is: 'Ready', tenant: 'ours' });
  await clock.advance(1000);
  await timed;
  expect(measured).toEqual([expect.closeTo(14.25, 1)]);
});

it('waits neither for what stalls nor for what others run', async () => {
  const { clock, measured, workloads, start } = world();
  workloads.set('stalled', { term: 7, is: 'Stalled', tenant: 'ours' });
  workloads.set('theirs', { term: 1, tenant: 'others' });
  const timed = start(1000);
  await clock.advance(0);
  await timed;
  expect(measured).toEqual([1]);
});

it.each([
  ['its term ends', 5000],
  ['it takes 5 minutes', 400_000],
])('comes to nothing when %s', async (why, ms) => {
  const { clock, measured, workloads, start, end } = world();
  workloads.set('a', { term: 6, tenant: 'ours' });
  const timed = start(0);
  await clock.advance(1000);
  if (why === 'its term ends') end();
  await clock.advance(ms);
  await timed;
  expect(measured).toEqual([]);
});
