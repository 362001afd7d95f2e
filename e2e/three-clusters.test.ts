/** One tenant in three clusters: who waits for a cluster that still stops, when the one that waited first has gone. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Controller } from '../hack/lab/controller.ts';
import { Clusters, STUBBORN } from './support/clusters.ts';
import type { Stage } from './support/stage.ts';
import { waitFor } from './support/cluster/index.ts';

interface Other {
  readonly name: string;
  readonly stage: Stage;
  readonly controller: Controller;
}

let clusters: Clusters;
let others: readonly [Other, Other];

/** Everything runs in the east. */
beforeAll(async () => {
  clusters = await Clusters.open({
    names: ['three-east', 'three-west', 'three-north'],
    samples: [['WorkloadProcess', 'p', '', STUBBORN]],
  });
  const { east, west, stages } = clusters;
  await clusters.startController(east, 'east-1');
  await clusters.active(east);
  others = [await start('west', west), await start('north', stages[2])];
  await clusters.shared();
}, 600_000);

afterAll(async () => {
  await clusters?.close();
}, 120_000);

afterEach(() => expect(clusters.overlapping()).toEqual([]));

it('what one cluster had to wait for, the next one waits for too (schedule 4)', async () => {
  const { east } = clusters;
  clusters.sideOf(east).toStore.blackhole();
  const taker = await waitFor('another cluster to take the lease', holder, { timeoutMs: 30_000, everyMs: 20 });
  const next = others.find((each) => each !== taker) ?? taker;
  // It waits for the east and runs nothing yet, so it may leave at once.
  expect(await taker.controller.end('SIGTERM')).toBe(0);
  expect(await clusters.uids(taker.stage)).toEqual([]);
  await clusters.active(next.stage);
  expect(await clusters.uids(east)).toEqual([]);
  clusters.sideOf(east).toStore.restore();
}, 150_000);

it('a hand-over to one cluster of several goes there', async () => {
  const { east } = clusters;
  // It has been cut off until a moment ago.
  const words = ['handover', '--to-cluster', 'east'];
  await waitFor('the east to take it', async () => (await clusters.highlander(...words)).code === 0 || undefined);
  await clusters.active(east);
  for (const { stage } of others) expect(await clusters.uids(stage)).toEqual([]);
}, 150_000);

async function start(name: string, stage: Stage | undefined): Promise<Other> {
  if (!stage) throw new Error('there are not three clusters');
  return { name, stage, controller: await clusters.startController(stage, `${name}-1`) };
}

async function holder(): Promise<Other | undefined> {
  const record = await clusters.record();
  return others.find(({ name }) => record?.holder?.startsWith(`${name}-1`));
}
