import { describe, expect, it } from 'vitest';
import type { Pod } from '../api/kubernetes.ts';
import { VanishedPods } from './vanished.ts';

const pod = (more: object = {}, status: object = { phase: 'Running' }): Pod =>
  ({
    metadata: { name: 'web-1', uid: 'u', namespace: 'default', labels: { a: 'b' } },
    spec: { nodeName: 'node1', containers: [{ name: 'main' }], terminationGracePeriodSeconds: 5, ...more },
    status,
  }) as never;

function gone(of = pod()): VanishedPods {
  const vanished = new VanishedPods();
  vanished.went(of);
  return vanished;
}

/** Looks every second; the node says every 10 s that it lives, between these seconds. */
function heard(
  vanished: VanishedPods,
  { from = 0, to = Infinity, until }: { from?: number; to?: number; until: number },
) {
  for (let second = 0; second <= until; second += 1) {
    const last = Math.min(Math.max(second, from - 10), to);
    vanished.heard('node1', `at ${Math.floor(last / 10)}`, second * 1000);
    if (vanished.pods.length === 0) return second;
  }
  return undefined;
}

describe('a pod whose object is gone', () => {
  it('counts until its node has lived for the grace and what a kubelet may take to notice', () => {
    expect(gone().nodes).toEqual(['node1']);
    expect(heard(gone(), { until: 60 })).toBe(30); // 10 + grace 5 + 10, and the next sign of life
  });

  it('counts as long after the node comes back: its kubelet has to notice first', () => {
    expect(heard(gone(), { from: 100, until: 160 })).toBe(120);
  });

  it('counts anew after a silence', () => {
    const vanished = gone();
    expect(heard(vanished, { to: 15, until: 60 })).toBeUndefined();
    vanished.heard('node1', 'back', 61_000);
    vanished.heard('node1', 'and there', 71_000);
    expect(vanished.pods).toHaveLength(1);
    vanished.heard('node2', 'and there', 81_000);
    expect(vanished.pods).toHaveLength(1);
    vanished.heard('node1', 'still', 81_000);
    expect(vanished.pods).toEqual([]);
  });

  it('counts for long when its node is gone too, or until a person says that it has stopped', () => {
    const vanished = gone();
    for (const at of [0, 10_000, 1e9]) vanished.heard('node1', undefined, at);
    expect(vanished.pods.map(({ metadata }) => metadata.name)).toEqual(['web-1']);
    vanished.confirmed(pod());
    expect(vanished.pods).toEqual([]);
  });

  it('counts no more when nothing has been heard of its node for two weeks', () => {
    const vanished = gone();
    const days = (count: number) => count * 86_400_000;
    for (const day of [0, 7, 13]) vanished.heard('node1', undefined, days(day));
    expect(vanished.pods).toHaveLength(1);
    vanished.heard('node1', undefined, days(14));
    expect(vanished.pods).toEqual([]);
  });

  it('is kept with what names it only', () => {
    const big = pod({ containers: [{ name: 'main', env: [{ name: 'A', value: 'x'.repeat(100_000) }] }] });
    expect(JSON.stringify(gone(big).pods).length).toBeLessThan(500);
  });

  it('counts by the note of a colleague, but not once it is known to have ended', () => {
    const away = new VanishedPods();
    away.noted(gone().pods);
    expect(away.pods).toEqual(gone().pods);
    expect(heard(away, { until: 60 })).toBe(30);
    away.noted(gone().pods);
    expect(away.pods).toEqual([]);
  });

  it.each([
    ['was never bound', pod({ nodeName: undefined })],
    ['had ended', pod({}, { phase: 'Succeeded' })],
  ])('does not count when it %s', (_, of) => expect(gone(of).pods).toEqual([]));
});
