/** What another version of this product, or another setting of it, would make of the same spec restarts nothing. */
import { describe, expect, it } from 'vitest';
import type { ChildType } from '../api/children.ts';
import { cronJobSpec } from '../api/cronjob.ts';
import { persistentSpec } from '../api/persistent.ts';
import { processSpec } from '../api/process.ts';
import { serviceSpec } from '../api/service.ts';
import { planDesired } from '../reconcile/child-plan.ts';
import type { Claim, DesiredChild } from '../reconcile/child.ts';
import { planChild } from '../reconcile/plan.ts';
import { claimFor, liveWith } from '../reconcile/testing/claims.ts';
import { desired as cronJob } from './cronjob/desired.ts';
import { desired as persistent } from './persistent/desired.ts';
import { desiredPod } from './process/desired.ts';
import { desired as service } from './service/desired.ts';

const KINDS: Readonly<Record<string, (claim: Claim) => readonly DesiredChild[]>> = {
  WorkloadService: (claim) => service(claim, serviceSpec.parse({ image: 'nginx' })),
  WorkloadPersistent: (claim) => persistent(claim, persistentSpec.parse({ image: 'postgres' })),
  WorkloadCronJob: (claim) => cronJob(claim, cronJobSpec.parse({ image: 'busybox', schedule: '@daily' })),
};

describe.each(Object.entries(KINDS))('%s', (kind, make) => {
  const before = make(claimFor(kind, 'component', { podDefaults: 'restricted' }));
  const live = liveWith(...before.map(({ type, object }): [ChildType, object] => [type, object]));
  const plans = (stamp: { term: number; generation: number }) =>
    make(claimFor(kind, 'component', { live, stamp })).map((child) =>
      planDesired(live.get(child.type, child.object.metadata.name), child, stamp),
    );

  it('is left as it is by the same leader, and only stamped by the next one', () => {
    expect(plans({ term: 7, generation: 1 }).filter(Boolean)).toEqual([]);
    expect(new Set(plans({ term: 8, generation: 1 }).map((action) => action?.type))).toEqual(new Set(['stamp']));
  });

  it('is made anew when its spec changes', () => {
    expect(plans({ term: 8, generation: 2 })[0]).toMatchObject({ type: 'apply', reason: 'SpecChanged' });
  });
});

describe('WorkloadProcess', () => {
  const owner = { name: 'app', namespace: 'default', uid: 'u' };
  const place = { tenant: 'default', clusterName: 'east' };
  const spec = processSpec.parse({ image: 'nginx' });
  const { object: live } = desiredPod(owner, spec, { ...place, podDefaults: 'restricted' }, { term: 7, generation: 1 });
  const plan = (stamp: { term: number; generation: number }) =>
    planChild(live, desiredPod(owner, spec, place, stamp), stamp);

  it('is left as it is by the same leader, and only stamped by the next one', () => {
    expect(plan({ term: 7, generation: 1 })).toBeUndefined();
    expect(plan({ term: 8, generation: 1 })).toMatchObject({ type: 'stamp' });
  });

  it('is replaced when its spec changes', () => {
    expect(plan({ term: 8, generation: 2 })).toMatchObject({ type: 'stop', reason: 'SpecChanged' });
  });
});
