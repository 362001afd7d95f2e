import { expect, it } from 'vitest';
import type { Pod } from '../api/kubernetes.ts';
import { OverlapMeter } from './overlap.ts';

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

it('one instance after the other is none', () => {
  const meter = new OverlapMeter();
  meter.saw('w', pod('a', 0, 10), at(10));
  meter.saw('w', pod('b', 10), at(10));
  meter.saw('v', pod('c', 5), at(10));
  expect(meter.take(at(20))).toBe(0);
});

it('counts each second once, while both run and when one has ended', () => {
  const meter = new OverlapMeter();
  meter.saw('w', pod('a', 0), at(0));
  meter.saw('w', pod('b', 10), at(10));
  expect(meter.take(at(12))).toBe(2);
  expect(meter.take(at(12))).toBe(0);
  meter.saw('w', pod('a', 0, 15), at(16));
  expect(meter.take(at(60))).toBe(3);
  expect(meter.take(at(70))).toBe(0);
});

it('one whose object is gone has ended', () => {
  const meter = new OverlapMeter();
  meter.saw('w', pod('a', 0), at(0));
  meter.gone('w', pod('a', 0), at(10));
  meter.saw('w', pod('b', 20), at(20));
  expect(meter.take(at(30))).toBe(0);
});

it('forgets what has long ended', () => {
  const meter = new OverlapMeter();
  meter.saw('w', pod('a', 0, 100), at(100));
  meter.take(at(1000));
  meter.saw('w', pod('b', 50), at(1000));
  expect(meter.take(at(1000))).toBe(0);
});
