/** What cannot be stopped, because the API server refuses it, leaves nobody in a state in which the lease is kept and nobody acts. */
import { expect, it } from 'vitest';
import { silentLogger } from '../lib/logger.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import type { Exit } from './departure.ts';
import { Departure } from './departure.ts';
import type { Election } from './election.ts';
import type { LeaseRecord } from './lease-record.ts';
import { PermitKeeper } from './permit-keeper.ts';
import type { ParkingReport } from './activation.ts';
import type { Workloads } from './ports.ts';
import { Tenure } from './tenure.ts';
import { TestCluster, timing } from './testing/contender.ts';
import { Warden } from './warden.ts';

const REFUSED = 'admission webhook "policy.example.com" denied the request: replicas must be at least 1';
const DRAIN_MS = 13_000;
const east = { id: 'east', name: 'east' };
const candidate = { identity: 'e1', cluster: east, timing, takeover: 'bounded' } as const;
const record: LeaseRecord = {
  holder: 'e1',
  cluster: east,
  term: 7,
  scope: 'multi',
  ttlMs: 15_000,
  drainMs: DRAIN_MS,
  incarnation: 'i',
  release: 'none',
  pending: [],
};
const heir = {
  identity: 'w1',
  cluster: { id: 'west', name: 'west' },
  highestStamp: 0,
  beat: 1,
  mayLead: true,
  ageMs: 0,
};

type Stopping = Pick<Workloads, 'park' | 'running'>;

const refuses: Stopping = {
  park: async () => {
    throw new Error(REFUSED);
  },
  running: async () => ['WorkloadService default/web'],
};

/** What a tenure and a warden share; whatever was reported last. */
function world({ park, running }: Stopping) {
  const clock = new FakeClock();
  const cluster = new TestCluster('east');
  const said: (ParkingReport | undefined)[] = [];
  const presence = {
    peers: [heir],
    look: async () => {},
    announce: async () => {},
    setLeaving() {},
    setReport: (report: ParkingReport | undefined) => said.push(report),
  };
  const parts = {
    candidate,
    permit: new PermitKeeper(cluster.permitStore),
    presence: presence as never,
    cluster: {
      ready: () => true,
      highestStamp: () => 0,
      drainMs: () => DRAIN_MS,
      silentMs: () => 0,
      serverTime: () => clock.wall(),
    },
    workloads: { park, running, hasChanged: () => false, change: (ms: number) => clock.sleep(ms) },
    clock,
    logger: silentLogger,
  };
  // The lease is renewed all the while.
  const held = () => ({
    record,
    version: '1',
    incarnation: 'i',
    sentAt: clock.monotonic(),
    validUntil: clock.monotonic() + 10_000,
  });
  return { clock, cluster, said, parts, held };
}

const hangs: Stopping = { park: async () => {}, running: refuses.running };

it.each<[string, Stopping, boolean]>([
  ['refused', refuses, false],
  ['refused, when the process ends', refuses, true],
  ['not ending', hangs, false],
  ['not ending, when the process ends', hangs, true],
])('the lease is given up after the drain when something is %s', async (_, stopping, isFinal) => {
  const { clock, parts, held } = world(stopping);
  const tenure = new Tenure({ ...parts, onHigherTerm: () => {}, onHeldBack: () => {} });
  let exit: Exit | undefined;
  const leaving = isFinal ? { isFinal, wasLeftAlone: false } : { isFinal, to: 'w1', wasLeftAlone: false };
  void tenure.leave(leaving, held).then((done) => (exit = done));
  await clock.advance(DRAIN_MS);
  expect(exit).toBeUndefined();
  await clock.advance(1000);
  expect(exit).toEqual(isFinal ? { release: 'parked' } : { release: 'parked', successor: 'w1' });
});

it('a report names what could not be asked to stop', async () => {
  const { clock, cluster, said, parts } = world(refuses);
  cluster.permit = { scope: 'multi', term: 7, clusterId: 'east', drainMs: 0, renewedAt: 0, ttlMs: 15_000 };
  const seen = { ...record, holder: 'w1', cluster: heir.cluster, term: 8 };
  const warden = new Warden({ ...parts, lease: { seen, doubtfulTerm: undefined } });
  void warden.run();
  await clock.advance(2000);
  warden.stop();
  expect(said.at(-1)).toEqual({ term: 8, notGone: ['WorkloadService default/web'] });
});

it('a process that ends although something runs stays to say so, until nothing does', async () => {
  const clock = new FakeClock();
  let isSeenTo = false;
  let held: Election['held'] = world(hangs).held();
  const departure = new Departure({
    isFinal: true,
    prepare: async () => ({ release: 'parked' }),
    election: () => ({ held, sighting: undefined }) as Election,
    identity: 'e1',
    ttlMs: 15_000,
    isSeenTo: () => isSeenTo,
    clock,
    onReady: () => {},
  });
  await clock.settle();
  expect(departure.exit).toEqual({ release: 'parked' });
  departure.released({ release: 'parked' });
  held = undefined;
  await clock.advance(3_600_000);
  expect(departure.isOver).toBe(false);
  expect(departure.mayReturn).toBe(false);
  isSeenTo = true;
  expect(departure.isOver).toBe(true);
});
