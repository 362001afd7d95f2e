/** One tenant in three clusters: who waits for a cluster that still stops, when the one that waited first has gone. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Controller } from '../hack/lab/controller.ts';
import { Clusters, STUBBORN } from './support/clusters.ts';
import { waitFor } from './support/cluster/index.ts';

let clusters: Clusters;
let leader: Controller;
let second: Controller;

beforeAll(async () => {
  clusters = await Clusters.open({
    names: ['three-east', 'three-west', 'three-north'],
    samples: [['WorkloadProcess', 'p', '', STUBBORN]],
  });
  const [east, west, north] = clusters.stages;
  if (!east || !west || !north) throw new Error('not three clusters');
  leader = await clusters.startController(east, 'east-1');
  await clusters.active(east);
  second = await clusters.startController(west, 'west-1');
  await clusters.startController(north, 'north-1');
  await clusters.shared();
}, 600_000);

afterAll(async () => {
  await clusters?.close();
}, 120_000);

afterEach(() => expect(clusters.overlapping()).toEqual([]));

it('what one cluster had to wait for, the next one waits for too (schedule 4)', async () => {
  const { east, west, stages } = clusters;
  clusters.sideOf(east).toStore.blackhole();
  await waitFor('the west to lead', () => leads(second), { timeoutMs: 30_000, everyMs: 20 });
  // It has nothing yet, so it leaves at once, and everything as stopped.
  expect(await second.end('SIGTERM')).toBe(0);
  expect(await clusters.uids(west)).toEqual([]);
  const north = stages[2] ?? east;
  await clusters.active(north);
  expect(await clusters.uids(east)).toEqual([]);
  clusters.sideOf(east).toStore.restore();
  expect(await leads(leader)).toBeUndefined();
}, 150_000);

it('a hand-over to a cluster goes to that one of several', async () => {
  const { east, west } = clusters;
  await clusters.startController(west, 'west-2');
  await clusters.highlander('handover', '--to-cluster', 'east');
  await clusters.active(east);
  expect(await clusters.uids(west)).toEqual([]);
}, 150_000);

async function leads(controller: Controller): Promise<true | undefined> {
  return (await controller.metric('k8_highlander_is_leader')) === 1 || undefined;
}
