/** Runs that are claimed, in the nights in which the clock is set forward or back. */
import { expect, it } from 'vitest';
import { MemoryStore } from '../../lease/testing/memory-store.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import { jobName } from './jobs.ts';
import { ClaimedWorld } from './testing/claimed-world.ts';

/** Goes to that time, makes Jobs as Kubernetes does for those instants, and says which runs have begun since. */
async function runsBetween(from: string, until: string, kubernetes: readonly string[]): Promise<string[]> {
  const spec = { schedule: '30 2 * * *', timeZone: 'Europe/Berlin' };
  const world = new ClaimedWorld('east', new MemoryStore(new FakeClock()), spec);
  const goTo = async (time: string) => {
    await world.clock.advance(Date.parse(time) - world.clock.wall());
    await world.reconcile();
  };
  await world.clock.advance(Date.parse(from) - world.clock.wall());
  await world.reconcile();
  await world.reconcile();
  for (const instant of kubernetes) {
    await goTo(instant);
    world.makeJob(Date.parse(instant));
    await world.reconcile();
    world.finish();
    await world.reconcile();
  }
  await goTo(until);
  expect(world.all().filter(({ spec: { suspend } }) => suspend)).toEqual([]);
  return world.begunJobs;
}

it('runs once in the night whose hour is skipped, as soon as the clock goes on', async () => {
  const began = await runsBetween('2030-03-30T12:00:00Z', '2030-03-31T01:00:11Z', []);
  expect(began).toEqual([jobName('web', Date.parse('2030-03-31T01:00:00Z'))]);
});

it('runs once in the night whose hour is repeated, the first time', async () => {
  const twice = ['2030-10-27T00:30:00Z', '2030-10-27T01:30:00Z'];
  const began = await runsBetween('2030-10-26T12:00:00Z', '2030-10-27T12:00:00Z', twice);
  expect(began).toEqual([jobName('web', Date.parse('2030-10-27T00:30:00Z'))]);
});
