import { describe, expect, it } from 'vitest';
import type { ChildType, StatefulSet } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import type { Pod } from '../../api/kubernetes.ts';
import type { PersistentStatus } from '../../api/persistent.ts';
import { persistentSpec } from '../../api/persistent.ts';
import { liveWith, sightOf } from '../../reconcile/testing/claims.ts';
import { facts, repair, verdict } from './observe.ts';

const SPEC = persistentSpec.parse({ image: 'mq', readinessTimeout: '1m' });
const UP = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };

function set(status: StatefulSet['status'], replicas = 1): StatefulSet {
  const template = { metadata: { labels: {} }, spec: { containers: [] } };
  return {
    metadata: { name: 'web', uid: 's1', generation: 1 },
    spec: { replicas, selector: {}, template },
    status: { observedGeneration: 1, ...status },
  };
}

function pod(revision: string, ready: boolean): Pod {
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 's1', controller: true };
  return {
    metadata: { name: 'web-0', labels: { 'controller-revision-hash': revision }, ownerReferences: [owner] },
    spec: { nodeName: 'node1', containers: [] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

function sight(objects: [ChildType, object][], previous?: PersistentStatus, now = 0) {
  return sightOf(liveWith(...objects), { previous, now });
}

describe('a persistent workload', () => {
  it.each([
    ['is up', set(UP), 'done', 'Running'],
    ['starts', set({ replicas: 1 }), 'working', 'Progressing'],
    ['is scaled to zero', set({}, 0), 'done', 'ScaledToZero'],
  ])('%s', (_sentence, found, state, reason) => {
    expect(verdict(sight([[childTypes.statefulSets, found]]), SPEC)).toMatchObject({ state, reason });
  });

  it.each([{ type: 'OnDelete' }, { rollingUpdate: { partition: 1 } }])(
    'is up, and left alone, while a person has yet to replace its pods (%j)',
    (updateStrategy) => {
      const found = set({ ...UP, updatedReplicas: 0, updateRevision: 'new' });
      const byHand = { ...found, spec: { ...found.spec, updateStrategy } };
      const before = sight([
        [childTypes.statefulSets, byHand],
        [childTypes.pods, pod('old', false)],
      ]);
      expect(verdict(before, SPEC)).toMatchObject({ state: 'done', reason: 'Running' });
      expect(repair(before)).toBeUndefined();
    },
  );

  it('is stalled when it is not ready in time, counted from when this spec was first brought up', () => {
    const objects: [ChildType, object][] = [[childTypes.statefulSets, set({ replicas: 1 })]];
    const first = facts(sight(objects));
    expect(first.progressingSince).toBe('1970-01-01T00:00:00Z');
    const since = { observedGeneration: 1, progressingSince: first.progressingSince };
    expect(verdict(sight(objects, since, 20_000), SPEC)).toMatchObject({ state: 'working', requeueAfterMs: 40_000 });
    expect(verdict(sight(objects, since, 60_000), SPEC)).toMatchObject({
      state: 'stalled',
      reason: 'ReadinessTimeout',
    });
    const edited = { ...since, observedGeneration: 0 };
    expect(verdict(sight(objects, edited, 60_000), SPEC)).toMatchObject({ state: 'working' });
    expect(facts(sight([[childTypes.statefulSets, set(UP)]], since)).progressingSince).toBeUndefined();
  });
});

describe('repair', () => {
  const found = (revision: string, ready: boolean) =>
    repair(
      sight([
        [childTypes.statefulSets, set({ ...UP, updateRevision: 'new' })],
        [childTypes.pods, pod(revision, ready)],
      ]),
    )?.action.type;

  it('stops a pod that is of an earlier spec and not ready, for which Kubernetes would wait', () =>
    expect(found('old', false)).toBe('stop'));
  it('leaves a ready one to Kubernetes', () => expect(found('old', true)).toBeUndefined());
  it('leaves one of this spec alone', () => expect(found('new', false)).toBeUndefined());
});
