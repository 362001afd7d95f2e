/**
 * Whoever may edit the children of a workload can write anything into our annotations on them. None of it blocks the
 * workload, demotes its leader, starts it again or makes it skip what is asked for.
 */
import { describe, expect, it } from 'vitest';
import type { CronJob, Deployment, StatefulSet } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import { annotations } from '../api/group.ts';
import type { Pod, PodSpec } from '../api/kubernetes.ts';
import { persistentResource } from '../api/persistent.ts';
import { serviceResource } from '../api/service.ts';
import { ForgedStamps } from '../leadership/forged-stamps.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { HigherTermSeen } from '../lib/errors.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { ChildWorld } from '../reconcile/testing/child-world.ts';
import { ClaimedWorld } from './cronjob/testing/claimed-world.ts';
import { PersistentReconciler } from './persistent/reconciler.ts';
import { RESTARTS_BEFORE } from './process/observe.ts';
import { World } from './process/testing/world.ts';
import { ServiceReconciler } from './service/reconciler.ts';

const VALUES = [
  'abc',
  '1e300',
  '9007199254740991',
  '8640000000000000',
  '8640000000000001',
  '4102444800000',
  '18446744073709551616',
  '٣',
  ' 5',
  '-0',
  '0',
  'NaN',
  '-1',
  '',
  'x'.repeat(100_000),
  '99',
];
const KEYS = [...Object.values(annotations), RESTARTS_BEFORE];
const CASES = KEYS.flatMap((key) =>
  VALUES.map((value) => [key.split('/')[1]!, value.slice(0, 20), key, value] as const),
);

interface Bed {
  readonly world: {
    isForged?: (stamp: number) => boolean;
    term: number;
    summary: string;
    events: string[];
    reconcile(): Promise<unknown>;
    edit(spec: Record<string, unknown>): void;
  };
  /** A next leader, one term later. */
  readonly succeed: () => void;
  readonly forge: (key: string, value: string) => void;
  /** Where its pods, or those of the next run, come from. */
  readonly pods: () => PodSpec | undefined;
  /** Kubernetes has followed. */
  readonly follow: () => void;
  /** What must stay the same object. */
  readonly uid: () => string | undefined;
}

const BEDS: Readonly<Record<string, () => Promise<Bed>>> = {
  WorkloadProcess: async () => {
    const world = new World({ maxRestarts: 3 });
    await world.reconcile();
    world.startPod();
    return {
      world,
      succeed: () => void world.newLeader(world.term + 1, 'next'),
      forge: (key, value) => world.editPod((pod) => withNote(pod, key, value)),
      pods: () => world.pod?.spec,
      follow: () => {
        if (world.pod?.metadata.deletionTimestamp) world.finishPod();
        if (world.pod && !world.pod.status) world.startPod();
      },
      uid: () => world.pod?.metadata.uid,
    };
  },
  WorkloadService: async () => {
    const types = [childTypes.deployments, childTypes.services];
    const make = (options: ConstructorParameters<typeof ServiceReconciler>[0]) => new ServiceReconciler(options);
    const world = new ChildWorld({ resource: serviceResource, types, make }, { replicas: 1 });
    return bedOf<Deployment>(world, childTypes.deployments, ({ spec }) => spec.template.spec);
  },
  WorkloadPersistent: async () => {
    const types = [childTypes.statefulSets, childTypes.services];
    const make = (options: ConstructorParameters<typeof PersistentReconciler>[0]) => new PersistentReconciler(options);
    const world = new ChildWorld({ resource: persistentResource, types, make }, { replicas: 1 });
    return bedOf<StatefulSet>(world, childTypes.statefulSets, ({ spec }) => spec.template.spec);
  },
  WorkloadCronJob: async () => {
    const world = new ClaimedWorld('east', new MemoryStore(new FakeClock()));
    return bedOf<CronJob>(world, childTypes.cronJobs, ({ spec }) => spec.jobTemplate.spec.template.spec);
  },
};

type Any = Deployment | StatefulSet | CronJob;

async function bedOf<T extends Any>(
  world: ChildWorld,
  type: (typeof childTypes)['deployments' | 'statefulSets' | 'cronJobs'],
  pods: (child: T) => PodSpec,
): Promise<Bed> {
  const counts = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
  const follow = () =>
    world.editChild<T>(type, (child) => ({
      ...child,
      status: { ...counts, observedGeneration: child.metadata.generation ?? 0 },
    }));
  await world.reconcile();
  follow();
  return {
    world,
    succeed: () => void world.newLeader(world.term + 1),
    forge: (key, value) => world.editChild<T>(type, (child) => withNote(child, key, value)),
    pods: () => {
      const child = world.child<T>(type);
      return child && pods(child);
    },
    follow,
    uid: () => world.child<T>(type)?.metadata.uid,
  };
}

function withNote<T extends { metadata: Pod['metadata'] }>(child: T, key: string, value: string): T {
  return { ...child, metadata: { ...child.metadata, annotations: { ...child.metadata.annotations, [key]: value } } };
}

/** As the worker does: a stamp that the leader cannot have written is judged, and does not cost it its term. */
async function settle({ world, follow }: Bed, forged: ForgedStamps): Promise<void> {
  world.isForged = (stamp) => forged.has(stamp);
  for (let round = 0; round < 4; round++) {
    try {
      await world.reconcile();
    } catch (error) {
      if (!(error instanceof HigherTermSeen)) throw error;
      if (forged.judge(error.term, world.term) === 'stepDown') throw error;
    }
    follow();
  }
  await world.reconcile();
}

describe.each(Object.entries(BEDS))('%s', (_kind, make) => {
  it.each(CASES)('%s: %s', async (_key, _value, key, value) => {
    const bed = await make();
    const forged = new ForgedStamps(new FakeClock());
    // The one stamp an hour for which a leader steps down was yesterday's.
    forged.judge(1, 1);
    await settle(bed, forged);
    const before = { summary: bed.world.summary, pods: bed.pods(), uid: bed.uid() };
    bed.world.events.length = 0;
    bed.forge(key, value);
    await settle(bed, forged);
    bed.succeed();
    await settle(bed, forged);
    expect({ summary: bed.world.summary, pods: bed.pods(), uid: bed.uid() }).toEqual(before);
    expect(bed.world.events.filter((reason) => reason === 'StampCorrected').length).toBeLessThanOrEqual(1);
    bed.forge(key, value);
    bed.world.edit({ image: 'busybox:2', schedule: '* * * * *', replicas: 1 });
    await settle(bed, forged);
    expect(bed.pods()?.containers[0]?.image).toBe('busybox:2');
    expect(bed.world.summary).toBe(before.summary);
  });
});

it.each(VALUES.map((value) => [value.slice(0, 20), value]))(
  'what was parked is activated by whoever leads next, whatever hash it carries: %s',
  async (_name, value) => {
    const bed = await BEDS['WorkloadService']!();
    const world = bed.world as ChildWorld;
    world.editChild<Deployment>(childTypes.deployments, (child) => {
      const { [annotations.activationTerm]: _, ...notes } = child.metadata.annotations ?? {};
      return { ...child, metadata: { ...child.metadata, annotations: notes }, spec: { ...child.spec, replicas: 0 } };
    });
    bed.forge(annotations.appliedHash, value!);
    bed.succeed();
    await settle(bed, new ForgedStamps(new FakeClock()));
    expect(world.child<Deployment>(childTypes.deployments)?.spec.replicas).toBe(1);
  },
);

describe.each(['abc', '0123456789abcdef'])('an applied hash of %s keeps no other edit from being put back', (hash) => {
  it.each([
    ['WorkloadService', childTypes.deployments],
    ['WorkloadPersistent', childTypes.statefulSets],
    ['WorkloadCronJob', childTypes.cronJobs],
  ] as const)('%s', async (kind, type) => {
    const bed = await BEDS[kind]!();
    const world = bed.world as ChildWorld;
    const forged = new ForgedStamps(new FakeClock());
    await settle(bed, forged);
    const before = bed.pods();
    const tamper = () => {
      bed.forge(annotations.appliedHash, hash);
      world.editChild<Any>(type, (child) => JSON.parse(JSON.stringify(child).replaceAll('"busybox"', '"miner"')));
    };
    for (const next of [() => {}, bed.succeed]) {
      next();
      await settle(bed, forged);
      tamper();
      expect(bed.pods()?.containers[0]?.image).toBe('miner');
      await settle(bed, forged);
      expect(bed.pods()).toEqual(before);
    }
  });
});
