/** One cluster becomes many: what the holder does before its record says so for good. */
import { expect, it } from 'vitest';
import { silentLogger } from '../lib/logger.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import type { Held } from './election.ts';
import type { LeaseRecord } from './lease-record.ts';
import { PermitKeeper } from './permit-keeper.ts';
import { Tenure } from './tenure.ts';
import { TestCluster, timing } from './testing/contender.ts';

const east = { id: 'east', name: 'east' };
const record: LeaseRecord = {
  holder: 'e1',
  cluster: east,
  term: 7,
  scope: 'single',
  ttlMs: 15_000,
  drainMs: 13_000,
  incarnation: 'i',
  release: 'none',
  pending: [],
};

function world() {
  const clock = new FakeClock();
  const cluster = new TestCluster('east');
  const permit = new PermitKeeper(cluster.permitStore);
  const asked: (string | undefined)[] = [];
  const fence = { isSilent: true };
  const tenure = new Tenure({
    candidate: { identity: 'e1', cluster: east, timing, takeover: 'bounded' },
    permit,
    presence: { peers: [{ identity: 'w1', cluster: { id: 'west', name: 'west' } }] } as never,
    cluster: {
      ready: () => true,
      highestStamp: () => 0,
      drainMs: () => 13_000,
      silentMs: () => 0,
      serverTime: () => clock.wall(),
    },
    workloads: {
      park: async () => {},
      running: async () => [],
      hasChanged: () => false,
      change: (ms) => clock.sleep(ms),
      probe: async () => {
        asked.push(cluster.permit?.scope);
        if (fence.isSilent) throw new Error('the API server does not answer');
      },
    },
    clock,
    logger: silentLogger,
    onHigherTerm: () => {},
    onHeldBack: () => {},
  });
  const renewed = async (scope: LeaseRecord['scope']) => {
    const times = { sentAt: clock.monotonic(), validUntil: clock.monotonic() + 10_000 };
    tenure.renewed({ record: { ...record, scope }, version: '1', incarnation: 'i', ...times } satisfies Held);
    await clock.advance(2000);
  };
  return { cluster, asked, fence, renewed };
}

it('the API server is asked whether it enforces permits before there is one to go by', async () => {
  const { cluster, asked, fence, renewed } = world();
  await renewed('single');
  expect({ asked, scope: cluster.permit?.scope }).toEqual({ asked: [undefined], scope: undefined });
  fence.isSilent = false;
  await renewed('single');
  expect({ asked, scope: cluster.permit?.scope }).toEqual({ asked: [undefined, undefined], scope: 'multi' });
  await renewed('multi');
  expect(asked).toHaveLength(2);
});
