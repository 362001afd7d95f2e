/** A hand-over while a node is silent: nobody can tell whether its pod has ended, and only that one's workload waits. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Sample } from './support/clusters.ts';
import { Clusters } from './support/clusters.ts';
import { waitFor } from './support/cluster/index.ts';

const onNode = (name: string, node: string): Sample => [
  'WorkloadProcess',
  name,
  `  podTemplate: {spec: {nodeSelector: {kubernetes.io/hostname: ${node}}}}\n`,
];
const STUCK = onNode('p', 'node1');
const OTHER = onNode('q', 'node2');

let clusters: Clusters;

beforeAll(async () => {
  clusters = await Clusters.open({ names: ['stuck-east', 'stuck-west'], samples: [STUCK, OTHER], nodes: 2 });
  const { east, west } = clusters;
  await clusters.startController(east, 'east-1');
  await clusters.active(east);
  await clusters.startController(west, 'west-1');
  await clusters.shared();
}, 600_000);

afterAll(async () => {
  await clusters?.close();
}, 120_000);

it('one pod that does not end holds back its own workload only (schedule 10)', async () => {
  const { east, west } = clusters;
  await east.cluster.stopNode('node1');
  const handedOver = clusters.highlander('handover', '--to-cluster', 'west');
  await clusters.active(west, [OTHER]);
  expect((await handedOver).code).toBe(0);
  const held = await clusters.reason(west, 'HeldBack');
  expect(held?.lastError).toContain('has not ended yet in cluster east');
  expect((await clusters.reason(east, 'Parking'))?.active).toBe(true);
  expect(await west.podsOf('WorkloadProcess', 'p')).toEqual([]);
  await east.cluster.startNode('node1');
  await clusters.active(west, [STUCK]);
  await waitFor('nothing to run in the east', async () => (await clusters.uids(east)).length === 0 || undefined);
  expect(clusters.overlapping()).toEqual([]);
}, 200_000);
