import { describe, expect, it } from 'vitest';
import type { ContainerState, Pod, PodStatus } from '../api/kubernetes.ts';
import { isGone, isLost } from './gone.ts';

const DELETED = { deletionTimestamp: '2030-01-01T00:00:40Z', deletionGracePeriodSeconds: 30 };
const AFTER: ContainerState = { terminated: { exitCode: 143, finishedAt: '2030-01-01T00:00:12Z' } };
const BEFORE: ContainerState = { terminated: { exitCode: 1, finishedAt: '2030-01-01T00:00:09Z' } };
const RUNNING: ContainerState = { running: { startedAt: '2030-01-01T00:00:00Z' } };
const GC = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC' };

function main(state: ContainerState): PodStatus['containerStatuses'] {
  return [{ name: 'main', state }];
}

function pod(metadata: object, status: object, spec: object = { nodeName: 'n' }): Pod {
  return {
    metadata: { name: 'p', ...metadata },
    spec: { containers: [{ name: 'main', image: 'i' }], ...spec },
    status,
  } as Pod;
}

const native = { nodeName: 'n', initContainers: [{ name: 'log', image: 'i', restartPolicy: 'Always' }] };

describe('isGone', () => {
  it.each<[string, Pod, boolean]>([
    ['a pod that was never bound and is being deleted', pod(DELETED, {}, {}), true],
    ['a pod that is not bound yet', pod({}, { phase: 'Pending' }, {}), false],
    ['a running pod', pod({}, { phase: 'Running', containerStatuses: main(RUNNING) }), false],
    [
      'a running pod that is being deleted',
      pod(DELETED, { phase: 'Running', containerStatuses: main(RUNNING) }),
      false,
    ],
    ['a bound pod of which no kubelet has said anything', pod(DELETED, { phase: 'Pending' }), false],
    [
      'a pod whose container ended after the deletion',
      pod(DELETED, { phase: 'Running', containerStatuses: main(AFTER) }),
      true,
    ],
    [
      'a pod whose container ended before it and may have been restarted',
      pod(DELETED, { phase: 'Running', containerStatuses: main(BEFORE) }),
      false,
    ],
    [
      'a container that is terminated without a deletion',
      pod({}, { phase: 'Running', containerStatuses: main(AFTER) }),
      false,
    ],
    [
      'a native sidecar that still runs',
      pod(
        DELETED,
        { phase: 'Running', containerStatuses: main(AFTER), initContainerStatuses: [{ name: 'log', state: RUNNING }] },
        native,
      ),
      false,
    ],
    [
      'a native sidecar that has ended too',
      pod(
        DELETED,
        { phase: 'Running', containerStatuses: main(AFTER), initContainerStatuses: [{ name: 'log', state: AFTER }] },
        native,
      ),
      true,
    ],
    ['a final phase', pod({}, { phase: 'Failed', containerStatuses: main(BEFORE) }), true],
    ['a pod that the kubelet refused to start', pod({}, { phase: 'Failed', reason: 'OutOfcpu' }), true],
    [
      'a final phase that contradicts a running container',
      pod(DELETED, { phase: 'Failed', containerStatuses: main(RUNNING) }),
      false,
    ],
    [
      'phase Failed by the garbage collector, nothing reported',
      pod(DELETED, { phase: 'Failed', conditions: [GC] }),
      false,
    ],
    [
      'phase Failed by the garbage collector, container seen to wait',
      pod(DELETED, { phase: 'Failed', conditions: [GC], containerStatuses: main({ waiting: {} }) }),
      false,
    ],
    [
      'phase Failed by the garbage collector, but the kubelet came back',
      pod(DELETED, { phase: 'Failed', conditions: [GC], containerStatuses: main(AFTER) }),
      true,
    ],
    [
      'a kubelet that came back and found nothing',
      pod(DELETED, {
        phase: 'Running',
        containerStatuses: main({ terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } }),
      }),
      true,
    ],
    [
      'force-deleted while it ran',
      pod({ ...DELETED, deletionGracePeriodSeconds: 0 }, { phase: 'Running', containerStatuses: main(RUNNING) }),
      false,
    ],
  ])('%s', (_sentence, subject, expected) => expect(isGone(subject)).toBe(expected));
});

describe('isLost', () => {
  const end = Date.parse(DELETED.deletionTimestamp);
  it.each<[string, Pod, number, boolean]>([
    ['within its grace', pod(DELETED, { phase: 'Running' }), end, false],
    ['long after its grace', pod(DELETED, { phase: 'Running' }), end + 15_001, true],
    ['gone long ago', pod(DELETED, { phase: 'Failed' }), end + 99_999, false],
    ['never bound', pod(DELETED, {}, {}), end + 99_999, false],
    ['named lost by Kubernetes', pod({}, { phase: 'Running', reason: 'NodeLost' }), 0, true],
  ])('%s', (_sentence, subject, now, expected) => expect(isLost(subject, now)).toBe(expected));
});
