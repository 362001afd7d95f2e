/** Two controllers of one cluster say different things: the one that has seen the pods is right. */
import { expect, it } from 'vitest';
import { Simulation } from './simulation.ts';
import { ledIn, TIMING } from './steps.ts';

it.each(['bounded', 'strict'] as const)(
  'a colleague that was restarted after the pods had vanished does not overrule who named them (%s)',
  async (takeover) => {
    const options = { seed: 1, timing: TIMING, ageBy: 'server', machines: 4, clusters: 2, graceMs: 1000 } as const;
    const sim = new Simulation({ ...options, drift: false, takeover });
    const leader = await ledIn(sim, 1);
    const other = sim.controllers.find(({ cluster }) => cluster !== leader.cluster);
    const colleague = sim.controllers.find((each) => each.cluster === leader.cluster && each !== leader);
    leader.cluster.isStuck = true;
    leader.handOver(other?.identity ?? '');
    await sim.run(2000);
    colleague?.kill();
    leader.cluster.collect();
    await sim.run(500);
    if (colleague) sim.startController(colleague.process.machine);
    await sim.run(30_000);
    expect(sim.checker.violation).toBeUndefined();
  },
);
