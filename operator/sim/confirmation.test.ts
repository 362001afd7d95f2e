/** What a person says of a cluster counts for what was seen of the lease then, and for nothing that comes later. */
import { expect, it } from 'vitest';
import type { ClusterRef } from '../leadership/lease-record.ts';
import { TenantDesk } from '../leadership/tenant-desk.ts';
import { TENANT } from './actor.ts';
import type { SimController } from './controller.ts';
import { Simulation } from './simulation.ts';
import { cut, cutOff, heal, keepIn, ledIn, TIMING } from './steps.ts';

type Takeover = 'bounded' | 'strict';

const shared = { seed: 1, timing: TIMING, ageBy: 'server', clusters: 2, graceMs: 10_000, drift: false } as const;

async function twoClusters(takeover: Takeover, machines = 2) {
  const sim = new Simulation({ ...shared, machines, takeover });
  const leader = await ledIn(sim, 1);
  const other = sim.controllers.find((each) => each.cluster !== leader.cluster);
  if (!other) throw new Error('there is no other cluster');
  return { sim, leader, other };
}

/** What a person at that controller's place is told. */
async function confirm(sim: Simulation, at: SimController, cluster: string): Promise<ClusterRef | Error> {
  const desk = new TenantDesk(sim.store.connect(at.process, at.toStore), TENANT, { timeoutMs: 5000 });
  let told: ClusterRef | Error | undefined;
  void desk.confirmStopped(cluster).then(
    (meant) => (told = meant),
    (error: unknown) => (told = error as Error),
  );
  await sim.run(10_000, () => told !== undefined);
  if (told === undefined) throw new Error('nobody was told anything');
  return told;
}

function violation({ checker }: Simulation): string | undefined {
  return checker.violation && `${checker.violation.property}: ${checker.violation.detail} at ${checker.violation.at}`;
}

it.each<Takeover>(['bounded', 'strict'])(
  'refused for the cluster that leads, it starts nothing when that is cut off from the store later (%s)',
  async (takeover) => {
    const { sim, leader, other } = await twoClusters(takeover);
    expect(await confirm(sim, other, leader.cluster.id)).toMatchObject({ name: 'StillAlive' });
    await sim.run(60_000);
    expect(sim.leader).toBe(leader);
    cutOff(sim, leader.cluster);
    await sim.run(90_000);
    heal(sim);
    await sim.run(30_000);
    expect(violation(sim)).toBeUndefined();
  },
);

it.each<Takeover>(['bounded', 'strict'])(
  'given while all controllers of a cluster were gone, it ends when they lead again (%s)',
  async (takeover) => {
    const { sim, leader, other } = await twoClusters(takeover);
    const { machine } = leader.process;
    keepIn(sim, leader.cluster);
    leader.kill();
    await sim.run(2 * TIMING.ttlMs);
    expect(await confirm(sim, other, leader.cluster.id)).toMatchObject({ id: leader.cluster.id });
    const back = sim.startController(machine);
    await sim.run(60_000, () => sim.leader === back && sim.isSettled);
    expect(sim.leader).toBe(back);
    keepIn(sim, undefined);
    cutOff(sim, back.cluster);
    await sim.run(90_000);
    heal(sim);
    await sim.run(30_000);
    expect(violation(sim)).toBeUndefined();
  },
);

it('ends the wait of the takeover strict for the cluster that it names', async () => {
  const { sim, leader, other } = await twoClusters('strict');
  leader.kill();
  for (const name of leader.cluster.objects.keys()) leader.cluster.delete('user', name, {});
  await sim.run(90_000);
  expect(sim.leader).toBeUndefined();
  expect(await confirm(sim, other, leader.cluster.id)).toMatchObject({ id: leader.cluster.id });
  await sim.run(20_000, () => sim.isSettled);
  expect(sim.leader).toBe(other);
  expect(violation(sim)).toBeUndefined();
});

it('is refused for a cluster that is still stopping, and whose controller is heard from', async () => {
  const { sim, leader, other } = await twoClusters('strict');
  cut(leader);
  await sim.run(60_000, () =>
    sim.controllers.some((each) => each !== leader && each.elector.record?.holder === other.identity),
  );
  heal(sim);
  await sim.run(5000, () =>
    other.presence.peers.some(({ identity, ageMs }) => identity === leader.identity && ageMs < 1000),
  );
  expect(await confirm(sim, other, leader.cluster.id)).toBeInstanceOf(Error);
  await sim.run(60_000, () => sim.isSettled);
  expect(violation(sim)).toBeUndefined();
});
