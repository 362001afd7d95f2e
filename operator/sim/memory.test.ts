/** A controller that lives for long keeps no more than what lives with it. */
import { expect, it } from 'vitest';
import { sizeOf } from './wide/memory.ts';
import { WideSimulation } from './wide/simulation.ts';

/** More than anything that lives here at one time. */
const ENOUGH = 40;
/** Of what has gone the last ones are kept on purpose, up to so many. */
const LIMITS: Readonly<Record<string, number>> = {
  'VanishedPods 2': 10_000,
  'ObjectStore 3': 1000,
  'EventRecorder 1': 1000,
};

it('memory is bounded by what lives, whatever comes and goes', { timeout: 300_000 }, async () => {
  const sim = new WideSimulation({ seed: 1, clusters: 2, machines: 4, graceMs: 1000, drift: false });
  for (const machine of sim.machines) sim.startController(machine);
  const [oldest] = sim.controllers;
  for (let round = 0; round < 150; round += 1) {
    sim.changeSpec();
    sim.evict();
    sim.spoilCell();
    const mortal = sim.controllers.find((each) => each !== oldest && each.cluster === oldest?.cluster);
    if (round % 3 === 0 && mortal) {
      mortal.kill();
      sim.startController(mortal.process.machine);
    }
    await sim.run(3000);
  }
  expect(sim.checker.violation).toBeUndefined();
  const sizes = (oldest?.kept ?? []).map(({ where, collection }) => [where, sizeOf(collection)] as const);
  expect(sizes.length).toBeGreaterThan(50);
  expect(sizes.filter(([where, size]) => size > (LIMITS[where] ?? ENOUGH))).toEqual([]);
});
