import { describe, expect, it } from 'vitest';
import type { Pod } from '../api/kubernetes.ts';
import { VanishedPods } from './vanished.ts';

const pod = (more: object = {}, status: object = { phase: 'Running' }): Pod =>
  ({
    metadata: { name: 'web-1', uid: 'u', namespace: 'default', labels: { a: 'b' } },
    spec: { nodeName: 'node1', containers: [{ name: 'main' }], terminationGracePeriodSeconds: 5, ...more },
    status,
  }) as never;

/** Grace and the time that a kubelet takes to notice. */
const LATER = 15_000;

function gone(of = pod()): VanishedPods {
  const vanished = new VanishedPods();
  vanished.went(of, 0);
  return vanished;
}

describe('a pod whose object is gone', () => {
  it('counts until its node is heard of again, late enough', () => {
    const vanished = gone();
    expect(vanished.nodes(LATER - 1)).toEqual([]);
    vanished.heard('node1', 'early', LATER - 1);
    expect(vanished.nodes(LATER)).toEqual(['node1']);
    vanished.heard('node1', 'first', LATER);
    expect(vanished.pods).toHaveLength(1);
    vanished.heard('node1', 'first', LATER + 10_000);
    vanished.heard('node2', 'second', LATER + 10_000);
    expect(vanished.pods).toHaveLength(1);
    vanished.heard('node1', 'second', LATER + 10_000);
    expect(vanished.pods).toEqual([]);
  });

  it('counts without end when its node is gone too, or until a person says that it has stopped', () => {
    const vanished = gone();
    vanished.heard('node1', undefined, LATER);
    vanished.heard('node1', undefined, LATER * 1000);
    expect(vanished.pods).toEqual([pod()]);
    vanished.confirmed(pod());
    expect(vanished.pods).toEqual([]);
  });

  it('counts no longer when a node of its name is there again', () => {
    const vanished = gone();
    vanished.heard('node1', undefined, LATER);
    vanished.heard('node1', 'anew', LATER + 1);
    expect(vanished.pods).toEqual([]);
  });

  it.each([
    ['was never bound', pod({ nodeName: undefined })],
    ['had ended', pod({}, { phase: 'Succeeded' })],
  ])('does not count when it %s', (_, of) => expect(gone(of).pods).toEqual([]));
});
