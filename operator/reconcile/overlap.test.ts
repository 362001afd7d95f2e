import { expect, it } from 'vitest';
import type { Pod } from '../api/kubernetes.ts';
import { OverlapMeter, type Overlap } from './overlap.ts';

const at = (second: number) => Date.parse('2030-01-01T00:00:00Z') + second * 1000;
const time = (second: number) => new Date(at(second)).toISOString();

function pod(uid: string, from: number, to?: number): Pod {
  const ended = to === undefined ? undefined : { exitCode: 0, startedAt: time(from), finishedAt: time(to) };
  const state = ended ? { terminated: ended } : { running: { startedAt: time(from) } };
  return {
    metadata: { name: uid, uid },
    spec: { containers: [] },
    status: { containerStatuses: [{ name: 'main', restartCount: 0, state }] },
  } as never;
}

function secondsOf(overlaps: readonly Overlap[]): number {
  return overlaps.reduce((sum, { seconds }) => sum + seconds, 0);
}

it('one instance after the other is none', () => {
  const meter = new OverlapMeter();
  meter.saw('w', pod('a', 0, 10), at(10), 'one');
  meter.saw('w', pod('b', 10), at(10), 'one');
  meter.saw('v', pod('c', 5), at(10), 'one');
  expect(secondsOf(meter.take(at(20)))).toBe(0);
});

it('counts each second once, while both run and when one has ended', () => {
  const meter = new OverlapMeter();
  meter.saw('w', pod('a', 0), at(0), 'one');
  meter.saw('w', pod('b', 10), at(10), 'one');
  expect(secondsOf(meter.take(at(12)))).toBe(2);
  expect(secondsOf(meter.take(at(12)))).toBe(0);
  meter.saw('w', pod('a', 0, 15), at(16), 'one');
  expect(secondsOf(meter.take(at(60)))).toBe(3);
  expect(secondsOf(meter.take(at(70)))).toBe(0);
});

it('one whose object is gone has ended', () => {
  const meter = new OverlapMeter();
  meter.saw('w', pod('a', 0), at(0), 'one');
  meter.gone('w', pod('a', 0), at(10));
  meter.saw('w', pod('b', 20), at(20), 'one');
  expect(secondsOf(meter.take(at(30)))).toBe(0);
});

it('forgets what has long ended', () => {
  const meter = new OverlapMeter();
  meter.saw('w', pod('a', 0, 100), at(100), 'one');
  meter.take(at(1000));
  meter.saw('w', pod('b', 50), at(1000), 'one');
  expect(secondsOf(meter.take(at(1000)))).toBe(0);
});

it('says which pods of which workload', () => {
  const meter = new OverlapMeter();
  meter.saw('w', pod('a', 0), at(0), 'one');
  meter.saw('w', pod('b', 10), at(10), 'one');
  expect(meter.take(at(12))).toEqual([{ workload: 'w', pods: ['a', 'b'], seconds: 2 }]);
});

it('a pod that ends after its workload was deleted has ended, and one that does not runs on', () => {
  const meter = new OverlapMeter();
  meter.saw('w', pod('a', 0), at(0), 'one');
  meter.saw('w', pod('a', 0, 10), at(10));
  meter.gone('w', pod('a', 0, 10), at(11));
  meter.saw('w', pod('b', 20), at(20), 'one');
  expect(meter.take(at(30))).toEqual([]);
  meter.saw('w', pod('c', 25), at(30), 'one');
  expect(secondsOf(meter.take(at(30)))).toBe(5);
});

it('those that were asked for together may end together, and none may start beside them', () => {
  const meter = new OverlapMeter();
  meter.saw('w', pod('a', 0), at(0), 'several');
  meter.saw('w', pod('b', 0), at(0), 'several');
  meter.saw('w', pod('a', 0), at(50), 'one');
  meter.saw('w', pod('b', 0, 55), at(55), 'one');
  expect(meter.take(at(60))).toEqual([]);
  meter.saw('w', pod('c', 60), at(62), 'one');
  expect(secondsOf(meter.take(at(62)))).toBe(2);
});
