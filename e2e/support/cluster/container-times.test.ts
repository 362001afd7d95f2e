import { expect, test } from 'vitest';
import { overlaps, readPod, readRuntimeEvents, type ContainerTime } from './container-times.ts';

const log = `2026-01-01 12:00:00.123456789 +0000 UTC k8s.io /tasks/start {"container_id":"a","pid":7}
2026-01-01 12:00:01 +0000 UTC k8s.io /tasks/exit {"container_id":"a","id":"exec1","pid":8}
2026-01-01 12:00:02.5 +0000 UTC k8s.io /tasks/exit {"container_id":"a","id":"a","pid":7,"exit_status":137}
2026-01-01 12:00:03 +0000 UTC k8s.io /tasks/start {"container_id":"b","pid":9}
2026-01-01 12:00:04.250 +0000 UTC k8s.io /node/killed {}
2026-01-01 12:00:09 +0000 UTC k8s.io /tasks/exit {"container_id":"b","id":"b"}
{"unfinished`;

test('reads the runtime events, and ends what a killed node ran', () => {
  const at = (time: string): Date => new Date(`2026-01-01T${time}Z`);
  expect(Object.fromEntries(readRuntimeEvents(log))).toEqual({
    a: { startedAt: at('12:00:00.123'), finishedAt: at('12:00:02.500') },
    b: { startedAt: at('12:00:03'), finishedAt: at('12:00:04.250') },
  });
});

test('a restarted container is two runs', () => {
  const run = (start: number, end?: number): object => ({
    startedAt: new Date(start).toISOString(),
    ...(end ? { finishedAt: new Date(end).toISOString() } : {}),
  });
  const status = {
    containerStatuses: [
      {
        name: 'c',
        containerID: 'containerd://2',
        state: { running: run(5000) },
        lastState: { terminated: { ...run(1000, 4000), containerID: 'containerd://1' } },
      },
    ],
  };
  const times = readPod({ metadata: { name: 'p', namespace: 'n', uid: 'u' }, status });
  expect(
    times.map(({ containerId, startedAt, finishedAt }) => [containerId, startedAt.getTime(), finishedAt?.getTime()]),
  ).toEqual([
    ['1', 1000, 4000],
    ['2', 5000, undefined],
  ]);
});

test('finds runs of different pods at the same time', () => {
  const time = (uid: string, start: number, end?: number): ContainerTime => ({
    namespace: 'n',
    pod: uid,
    uid,
    container: 'c',
    containerId: uid,
    startedAt: new Date(start),
    ...(end === undefined ? {} : { finishedAt: new Date(end) }),
  });
  expect(overlaps([time('a', 0, 10), time('b', 10, 20), time('c', 20)])).toEqual([]);
  expect(overlaps([time('b', 9, 20), time('a', 0, 10)]).map((pair) => pair.map(({ uid }) => uid))).toEqual([
    ['a', 'b'],
  ]);
  expect(overlaps([time('a', 0), time('b', 9)])).toHaveLength(1);
});
