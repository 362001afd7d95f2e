import { beforeEach, expect, it } from 'vitest';
import type { DeclaredWorkload } from '../../api/declared.ts';
import { DECLARED_IN_CONFIG, labels } from '../../api/group.ts';
import { processResource } from '../../api/process.ts';
import type { KubeObject } from '../../cluster/cluster-client.ts';
import { silentLogger } from '../../lib/logger.ts';
import { grant } from '../../controller/testing/doubles.ts';
import { FakeCluster } from '../../reconcile/testing/fake-cluster.ts';
import { DeclaredReconciler } from './reconciler.ts';

const KEY = { namespace: 'default', name: 'web' };
const MARKED = { [labels.tenant]: 'default', [labels.declaredIn]: DECLARED_IN_CONFIG };
const declaration: DeclaredWorkload = {
  apiVersion: 'highlander.plexobject.io/v1',
  kind: 'WorkloadProcess',
  metadata: { ...KEY, labels: MARKED },
  spec: { image: 'busybox' },
  isFallback: false,
};

let cluster: FakeCluster;
let events: string[];

type Found = KubeObject & { spec?: { image?: string; suspend?: boolean } };

const found = (): Found | undefined => cluster.peek<Found>(processResource, KEY.namespace, KEY.name);
const edit = (change: Partial<Found>): void =>
  void cluster.edit<Found>(processResource, { metadata: KEY, ...found(), ...change });

async function reconcile(...declarations: readonly DeclaredWorkload[]): Promise<string[]> {
  const reconciler = new DeclaredReconciler({
    resource: processResource,
    declarations,
    client: cluster,
    workloads: { get: found, list: () => [], observe: () => {} },
    events: { record: ({ reason }) => events.push(reason) },
    tenant: 'default',
    logger: silentLogger,
  });
  await reconciler.reconcile(KEY, grant);
  return cluster.writes.splice(0).map(({ verb }) => verb);
}

beforeEach(() => {
  cluster = new FakeCluster();
  events = [];
});

it('makes what the file declares, marked, and then leaves it alone', async () => {
  expect(await reconcile(declaration)).toEqual(['apply']);
  expect(found()).toMatchObject({ metadata: { labels: MARKED }, spec: { image: 'busybox' } });
  expect(await reconcile(declaration)).toEqual([]);
});

it('puts back what others change of it, and keeps what they add', async () => {
  await reconcile(declaration);
  edit({ spec: { image: 'other', suspend: true } });
  expect(await reconcile(declaration)).toEqual(['apply']);
  expect(found()?.spec).toEqual({ image: 'busybox', suspend: true });
});

it('takes out what has left the entry', async () => {
  await reconcile({ ...declaration, spec: { image: 'busybox', suspend: true } });
  expect(await reconcile(declaration)).toEqual(['apply']);
  expect(found()?.spec).toEqual({ image: 'busybox' });
});

it('removes what has left the file, and nothing else', async () => {
  await reconcile(declaration);
  expect(await reconcile()).toEqual(['delete']);
  edit({ metadata: { ...KEY, uid: 'person' }, spec: { image: 'own' } });
  expect(await reconcile()).toEqual([]);
  edit({ metadata: { ...KEY, uid: 'person', labels: { ...MARKED, [labels.tenant]: 'other' } } });
  expect(await reconcile()).toEqual([]);
});

it('never touches one that a person made, and says so', async () => {
  edit({ spec: { image: 'own' } });
  expect(await reconcile(declaration)).toEqual([]);
  expect(events).toEqual(['ConfigConflict']);
});

it('with workloadCRDRef makes what is missing, and leaves alone what is there', async () => {
  const fallback = { ...declaration, isFallback: true };
  const { spec: _, ...reference } = fallback;
  expect(await reconcile(reference)).toEqual([]);
  expect(await reconcile(fallback)).toEqual(['apply']);
  edit({ spec: { image: 'own' } });
  expect(await reconcile(fallback)).toEqual([]);
});
