/** Somebody deletes the permit of the cluster that leads, whose controllers do not reach the store. */
import { expect, it } from 'vitest';
import { WideSimulation } from './wide/simulation.ts';

it('what runs there is stopped before it starts elsewhere', { timeout: 120_000 }, async () => {
  const sim = new WideSimulation({ seed: 1, clusters: 2, machines: 4, graceMs: 1000, drift: false });
  for (const machine of sim.machines) sim.startController(machine);
  await sim.run(
    sim.progressBoundMs,
    () => sim.isSettled && sim.clusters.every(({ limitedAt }) => limitedAt < Infinity),
  );
  const { leader } = sim;
  for (const { cluster, toStore } of sim.controllers)
    if (cluster === leader?.cluster)
      toStore.conditions = { ...toStore.conditions, cutRequests: true, cutReplies: true };
  await sim.run(0.6 * sim.timing.renewDeadlineMs);
  leader?.cluster.removePermit();
  await sim.run(2 * sim.progressBoundMs);
  expect(sim.checker.violation).toBeUndefined();
  expect(sim.leader?.cluster).not.toBe(leader?.cluster);
});
