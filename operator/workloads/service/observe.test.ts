import { describe, expect, it } from 'vitest';
import type { ChildType, Deployment } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import type { Condition, Pod } from '../../api/kubernetes.ts';
import { serviceSpec } from '../../api/service.ts';
import { liveWith, sightOf } from '../../reconcile/testing/claims.ts';
import { facts, verdict } from './observe.ts';

const SPEC = serviceSpec.parse({ image: 'api' });

function deployment(status: Deployment['status'], replicas = 1, generation = 1): Deployment {
  const template = { metadata: { labels: {} }, spec: { containers: [] } };
  return {
    metadata: { name: 'web', generation },
    spec: { replicas, selector: {}, template },
    status: { observedGeneration: 1, ...status },
  };
}

const UP = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
const CRASHING: Pod = {
  metadata: { name: 'web-x' },
  spec: { nodeName: 'node1', containers: [] },
  status: {
    phase: 'Running',
    containerStatuses: [{ name: 'main', state: { waiting: { reason: 'CrashLoopBackOff' } } }],
  },
};
const look = (found: Deployment | undefined, pods: readonly Pod[] = [], suspend = false) => {
  const objects: [ChildType, object][] = pods.map((pod) => [childTypes.pods, pod]);
  if (found) objects.push([childTypes.deployments, found]);
  const sight = sightOf(liveWith(...objects));
  const { state, reason } = verdict(sight, { ...SPEC, suspend });
  const { active, healthy } = facts(sight);
  return [state, reason, active, healthy];
};

describe('a service', () => {
  it.each([
    ['is to be created', undefined, [], ['working', 'Creating', false, false]],
    ['was not looked at yet', deployment(UP, 1, 2), [], ['working', 'Progressing', true, true]],
    ['starts', deployment({ replicas: 1 }), [], ['working', 'Progressing', true, false]],
    [
      'crashes',
      deployment({ replicas: 1, updatedReplicas: 1 }),
      [CRASHING],
      ['working', 'CrashLoopBackOff', true, false],
    ],
    ['is up', deployment(UP), [], ['done', 'Running', true, true]],
    ['has an old pod left', deployment({ ...UP, replicas: 2 }), [], ['working', 'Progressing', true, true]],
    ['is scaled to zero', deployment({}, 0), [], ['done', 'ScaledToZero', false, false]],
    [
      'took too long',
      deployment({
        replicas: 1,
        conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
      }),
      [CRASHING],
      ['stalled', 'ReadinessTimeout', true, false],
    ],
    [
      'is refused its pods',
      deployment({ conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'quota' }] }),
      [],
      ['working', 'PodsRefused', false, false],
    ],
  ])('%s', (_sentence, found, pods, expected) => expect(look(found, pods)).toEqual(expected));

  it('is parked when its last pod has ended', () => {
    expect(look(deployment({}, 0), [CRASHING], true)).toEqual(['working', 'Stopping', false, false]);
    expect(look(deployment({}, 0), [], true)).toEqual(['resting', 'Suspended', false, false]);
  });

  it('stays ready while Kubernetes looks at a stamp of ours', () => {
    const ready = { type: 'Ready', status: 'True' } as Condition;
    const sight = sightOf(liveWith([childTypes.deployments, deployment(UP, 1, 2)]), {
      previous: { observedGeneration: 1, conditions: [ready] },
    });
    expect(verdict(sight, SPEC).reason).toBe('Running');
  });
});
