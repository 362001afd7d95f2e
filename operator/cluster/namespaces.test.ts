import { expect, it } from 'vitest';
import { silentLogger } from '../lib/logger.ts';
import { systemClock } from '../lib/clock.ts';
import type { ClusterClient, KubeObject, ListOptions } from './cluster-client.ts';
import { core } from './cluster-client.ts';
import { watched } from './namespaces.ts';

const object = (namespace: string, name: string): KubeObject => ({
  metadata: { namespace, name, uid: `${namespace}/${name}`, resourceVersion: '5' },
});

/** Two pods in each namespace that is asked for; watches end when they are stopped. */
function open(asked: (string | undefined)[]) {
  const client = {
    async list(_type: unknown, { namespace }: ListOptions = {}) {
      asked.push(namespace);
      return { resourceVersion: '9', items: ['a', 'b'].map((name) => object(namespace ?? 'all', name)) };
    },
    async *watch(_type: unknown, { signal }: { readonly signal?: AbortSignal }) {
      if (!signal?.aborted) await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      yield* [];
    },
  } as unknown as Pick<ClusterClient, 'list' | 'watch'>;
  return { client, type: core.pods, clock: systemClock, random: () => 0.5, logger: silentLogger };
}

it('asks for the namespaces that are named and for nothing else', async () => {
  const asked: (string | undefined)[] = [];
  const pods = watched(open(asked), ['x', 'y']);
  const heard: string[] = [];
  pods.subscribe(({ object: { metadata } }) => heard.push(`${metadata.namespace ?? ''}/${metadata.name}`));
  expect(pods.hasSynced).toBe(false);
  pods.start();
  await pods.synced;
  expect(asked.toSorted((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual(['x', 'y']);
  expect(new Set(heard)).toEqual(new Set(['x/a', 'x/b', 'y/a', 'y/b']));
  expect(pods.hasSynced).toBe(true);
  expect(pods.list()).toHaveLength(4);
  expect(pods.get({ namespace: 'y', name: 'a' })?.metadata.uid).toBe('y/a');
  expect(pods.get({ namespace: 'z', name: 'a' })).toBeUndefined();
  const view = pods.view(({ metadata }) => ({ namespace: metadata.namespace ?? '', name: 'owner' }));
  expect(view.byOwner({ namespace: 'x', name: 'owner' })).toHaveLength(2);
  pods.observe({ metadata: { ...object('x', 'c').metadata, resourceVersion: '10' } });
  expect(view.get({ namespace: 'x', name: 'c' })).toBeDefined();
  await pods.stop();
});

it('asks once for all when none is named', async () => {
  const asked: (string | undefined)[] = [];
  const pods = watched(open(asked), []);
  pods.start();
  await pods.synced;
  expect(asked).toEqual([undefined]);
  await pods.stop();
});
