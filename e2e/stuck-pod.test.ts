/** A hand-over while a node is silent: nobody can tell whether its pod has ended, and only that one's workload waits. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Controller } from '../hack/lab/controller.ts';
import type { Sample } from './support/clusters.ts';
import { Clusters } from './support/clusters.ts';
import { waitFor } from './support/cluster/index.ts';
import { termOf } from './support/stage.ts';

const onNode = (name: string, node: string): Sample => [
  'WorkloadProcess',
  name,
  `  podTemplate: {spec: {nodeSelector: {kubernetes.io/hostname: ${node}}}}\n`,
];
const STUCK = onNode('p', 'node1');
const OTHER = onNode('q', 'node2');

let clusters: Clusters;
let taker: Controller;

beforeAll(async () => {
  clusters = await Clusters.open({ names: ['stuck-east', 'stuck-west'], samples: [STUCK, OTHER], nodes: 2 });
  const { east, west } = clusters;
  await clusters.startController(east, 'east-1');
  await clusters.active(east);
  taker = await clusters.startController(west, 'west-1');
  await clusters.shared();
}, 600_000);

afterAll(async () => {
  await clusters?.close();
}, 120_000);

it('one pod that does not end holds back its own workload only, also for the next leader (schedule 10)', async () => {
  const { east, west } = clusters;
  await east.cluster.stopNode('node1');
  const handedOver = clusters.highlander('handover', '--to-cluster', 'west');
  await clusters.active(west, [OTHER]);
  expect((await handedOver).code).toBe(0);
  const held = await clusters.reason(west, 'WaitingForCluster');
  expect(held?.lastError).toBe('Waiting for a pod in cluster east to terminate before starting here');
  expect((await clusters.reason(east, 'Stopping'))?.active).toBe(true);
  await clusters.startController(west, 'west-2');
  const before = await west.runningPod('q-pod');
  await taker.end('SIGKILL');
  const after = await waitFor('another one to adopt', async () => {
    const pod = await west.pod('q-pod');
    return termOf(pod) > termOf(before) ? pod : undefined;
  });
  expect(after.metadata.uid).toBe(before.metadata.uid);
  await clusters.reason(west, 'WaitingForCluster');
  expect(await west.podsOf('WorkloadProcess', 'p')).toEqual([]);
  await east.cluster.startNode('node1');
  await clusters.active(west, [STUCK]);
  await waitFor('nothing to run in the east', async () => (await clusters.uids(east)).length === 0 || undefined);
  expect(clusters.overlapping()).toEqual([]);
}, 200_000);
