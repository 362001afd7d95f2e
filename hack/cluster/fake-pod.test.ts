import { expect, test } from 'vitest';
import { endedStatus, runningStatus, type Pod } from './fake-pod.ts';

const pod: Pod = {
  metadata: { name: 'a', namespace: 'default', uid: 'u' },
  spec: { containers: [{ name: 'c', image: 'busybox' }] },
  status: { phase: 'Pending' },
};
const noon = new Date('2026-01-01T12:00:00.123Z');
const later = new Date('2026-01-01T12:00:05Z');

test('containers run, then have ended with both times', () => {
  const running = runningStatus(pod, '10.9.0.1', noon);
  expect(running.containerStatuses?.[0]?.state).toEqual({ running: { startedAt: '2026-01-01T12:00:00Z' } });
  const ended = endedStatus(pod, running, 3, later);
  expect(ended.phase).toBe('Failed');
  expect(ended.containerStatuses?.[0]?.state.terminated).toEqual({
    exitCode: 3,
    reason: 'Error',
    startedAt: '2026-01-01T12:00:00Z',
    finishedAt: '2026-01-01T12:00:05Z',
  });
});

test('a pod that never ran has ended too', () => {
  const ended = endedStatus(pod, pod.status, 0, noon);
  expect(ended.phase).toBe('Succeeded');
  expect(ended.containerStatuses?.[0]?.ready).toBe(false);
});

test('a container that ran under an earlier kubelet was restarted', () => {
  const before = runningStatus(pod, '10.9.0.1', noon);
  expect(runningStatus({ ...pod, status: before }, '10.9.0.1', later).containerStatuses?.[0]?.restartCount).toBe(1);
});
