import { describe, expect, it } from 'vitest';
import { annotations, API_VERSION, labels, POD_FINALIZER } from '../api/group.ts';
import type { ContainerStatus, Pod } from '../api/kubernetes.ts';
import type { Remains } from './removal.ts';
import { removalsOf, withoutOurFinalizers } from './removal.ts';

const ASKED = '2026-01-01T00:00:30Z';
const ENDED: ContainerStatus = { name: 'main', state: { terminated: { exitCode: 0, finishedAt: ASKED } } };
const RUNNING: ContainerStatus = { name: 'main', state: { running: {} } };

function pod({ status = RUNNING, isDeleting = false, ...metadata }: Record<string, unknown> = {}): Pod {
  const owner = { apiVersion: API_VERSION, kind: 'WorkloadProcess', name: 'p', uid: 'w', controller: true };
  return {
    kind: 'Pod',
    metadata: {
      name: 'p-pod',
      namespace: 'a',
      uid: 'u',
      labels: { [labels.kind]: 'WorkloadProcess', [labels.tenant]: 'default', [labels.name]: 'p' },
      finalizers: [POD_FINALIZER, 'example.com/other'],
      ownerReferences: [owner],
      ...(isDeleting ? { deletionTimestamp: ASKED, deletionGracePeriodSeconds: 30 } : {}),
      ...metadata,
    },
    spec: { nodeName: 'n', containers: [{ name: 'main', image: 'a' }] },
    status: { phase: 'Running', containerStatuses: [status] },
  } as Pod;
}

function of(remains: Partial<Remains>): string | undefined {
  const [step] = removalsOf({ workloads: [], pods: [], terminating: new Set(), keep: false, ...remains });
  return step?.do;
}

describe('a pod', () => {
  it('that runs is asked to end', () => expect(of({ pods: [pod()] })).toBe('delete'));
  it('that runs, and is to run on, is let go', () => expect(of({ pods: [pod()], keep: true })).toBe('release'));
  it('that is being deleted and may run keeps its finalizer', () => {
    expect(of({ pods: [pod({ isDeleting: true })] })).toBe('wait');
    expect(of({ pods: [pod({ isDeleting: true })], keep: true })).toBe('wait');
  });
  it('of which the kubelet says that it has ended is let go', () => {
    expect(of({ pods: [pod({ isDeleting: true, status: ENDED })] })).toBe('release');
  });
  it('of which a person says so is let go', () => {
    expect(of({ pods: [pod({ isDeleting: true, annotations: { [annotations.confirmStopped]: 'u' } })] })).toBe(
      'release',
    );
  });
  it('that ends with its namespace is let go', () => {
    expect(of({ pods: [pod({ isDeleting: true })], terminating: new Set(['a']) })).toBe('release');
  });
  it('that nobody of ours made or holds is none of ours', () => {
    expect(of({ pods: [pod({ finalizers: [], ownerReferences: [] })] })).toBeUndefined();
  });
  it('loses no finalizer of others', () => {
    expect(withoutOurFinalizers(pod().metadata)).toEqual(['example.com/other']);
  });
});

describe('a custom resource', () => {
  const workload = { kind: 'WorkloadProcess', metadata: { name: 'p', namespace: 'a' } };
  const going = { ...workload, metadata: { ...workload.metadata, deletionTimestamp: ASKED } };
  const held = { ...going, metadata: { ...going.metadata, finalizers: ['highlander.plexobject.io/cleanup'] } };
  it('is deleted', () => expect(of({ workloads: [workload] })).toBe('delete'));
  it('is deleted without what it made', () => expect(of({ workloads: [workload], keep: true })).toBe('orphan'));
  it('is awaited', () => expect(of({ workloads: [going] })).toBe('wait'));
  it('that an earlier version holds is let go', () => expect(of({ workloads: [held] })).toBe('release'));
});
