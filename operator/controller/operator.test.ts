/** The weaknesses of the base class, by their number in the dependency study, each seen to be gone. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dirname } from 'node:path';
import { type ResourceEvent, ResourceEventType, type ResourceMeta } from '@dot-i/k8s-operator';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { KubeObject, ResourceType } from '../cluster/cluster-client.ts';
import { Reflector } from '../cluster/reflector.ts';
import { configFile, type Fixture, fixture, until } from '../cluster/testing/fixture.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { HighlanderOperator, type OperatorDeps } from './operator.ts';
import { openGuard, RecordingReconciler, recordingLogger } from './testing/doubles.ts';

const THINGS = '/apis/example.com/v1/namespaces/a/things';
const things: ResourceType = { group: 'example.com', version: 'v1', plural: 'things', kind: 'Thing', namespaced: true };
const thing = (name: string, metadata: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { name, namespace: 'a', ...metadata },
});

/** Opens the protected members, as a subclass of a user has them. */
class TestOperator extends HighlanderOperator {
  readonly watch = (onEvent: (event: ResourceEvent) => Promise<void>) =>
    this.watchResource('example.com', 'v1', 'things', onEvent, 'a');
  readonly uri = (namespace?: string) => [
    this.getCustomResourceApiUri('example.com', 'v1', 'things', namespace),
    this.getCustomResourceApiUri('', 'v1', 'pods'),
  ];
  readonly finalizer = (event: ResourceEvent, action: () => Promise<void>) =>
    this.handleResourceFinalizer(event, 'example.com/f', action);
  readonly setFinalizers = (meta: ResourceMeta, finalizers: string[]) => this.setResourceFinalizers(meta, finalizers);
  readonly setStatus = (meta: ResourceMeta, status: unknown) => this.setResourceStatus(meta, status);
  readonly patchStatus = (meta: ResourceMeta, status: unknown) => this.patchResourceStatus(meta, status);
  readonly register = (file: string) => this.registerCustomResourceDefinition(file);
  readonly typedApi = () => this.k8sApi;
}

interface Operated extends Fixture {
  readonly clock: FakeClock;
  readonly operator: TestOperator;
  readonly logger: ReturnType<typeof recordingLogger>;
  readonly events: ResourceEvent[];
  readonly seen: () => string[];
}

async function operated(options: { tls?: boolean } = {}): Promise<Operated> {
  const clock = new FakeClock();
  const made = await fixture({ clock, ...options });
  const logger = recordingLogger();
  const deps: OperatorDeps = {
    kubeConfig: made.config,
    client: made.client,
    guard: openGuard,
    dispute() {},
    clock,
    random: () => 1,
    logger,
  };
  const operator = new TestOperator(deps);
  onTestFinished(() => operator.shutdown());
  const events: ResourceEvent[] = [];
  return {
    ...made,
    clock,
    operator,
    logger,
    events,
    seen: () => events.map(({ type, meta }) => `${type} ${meta.name}`),
  };
}

const metaOf = (name: string, resourceVersion = '1'): ResourceMeta => ({
  name,
  namespace: 'a',
  id: 'things.example.com/v1',
  resourceVersion,
  apiVersion: 'example.com/v1',
  kind: 'Thing',
});
const collect =
  (all: Operated) =>
  async (event: ResourceEvent): Promise<void> =>
    void all.events.push(event);
async function passBackoff(clock: FakeClock): Promise<void> {
  await until(() => (clock.nextTimerIn ?? Infinity) < 30_000, 'a back-off');
  await clock.advance(clock.nextTimerIn!);
}

const exit = vi.spyOn(process, 'exit');
beforeEach(() => {
  exit.mockImplementation(() => {
    throw new Error('process.exit was called');
  });
});
afterEach(() => {
  vi.unstubAllEnvs();
  expect(exit).not.toHaveBeenCalled();
});

describe('watchResource', () => {
  it('1, 4: survives HTTP 500 at the start and a dropped connection, and loses no deletion', async () => {
    const all = await operated();
    all.server.failNext(2, 500);
    all.server.put(THINGS, thing('x'));
    await all.operator.watch(collect(all));
    await passBackoff(all.clock);
    await passBackoff(all.clock);
    await until(() => all.server.watches.size === 1);
    all.server.dropWatches();
    all.server.remove(THINGS, 'x');
    all.server.compact();
    await passBackoff(all.clock);
    await passBackoff(all.clock);
    await until(() => all.events.length === 2);
    expect(all.seen()).toEqual(['ADDED x', 'DELETED x']);
  });

  it('2: outlives silence, of a watch and of a connection', async () => {
    const all = await operated();
    await all.operator.watch(collect(all));
    await until(() => all.clock.nextTimerIn === 120_000);
    await all.clock.advance(31_000);
    expect(all.server.watches.size).toBe(1);
    await all.clock.advance(89_000);
    await passBackoff(all.clock);
    await until(() => all.server.requests.length === 3);
  });

  it('3: stop ends watches and timers, not the process, also during a back-off', async () => {
    const all = await operated();
    await all.operator.watch(collect(all));
    await until(() => all.server.watches.size === 1);
    all.server.dropWatches();
    await until(() => (all.clock.nextTimerIn ?? Infinity) < 30_000);
    all.operator.stop();
    await all.operator.shutdown();
    await all.clock.advance(600_000);
    expect([all.server.watches.size, all.server.watchesPeak, all.clock.pendingTimers]).toEqual([0, 1, 0]);
    await expect(all.operator.watch(collect(all))).rejects.toThrow('has been stopped');
  });

  it('5: asks for bookmarks and hands neither them nor ERROR events to the handler', async () => {
    const all = await operated();
    await all.operator.watch(collect(all));
    await until(() => all.server.watches.size === 1);
    expect(all.server.requests[1]!.query.get('allowWatchBookmarks')).toBe('true');
    all.server.bookmark();
    all.server.sendEvent({ type: 'ERROR', object: { code: 410 } });
    await passBackoff(all.clock);
    await until(() => all.server.watches.size === 1);
    all.server.put(THINGS, thing('x'));
    await until(() => all.events.length === 1);
    expect(all.seen()).toEqual(['ADDED x']);
  });

  it('6, 7, 8: runs objects beside each other, retries and logs what a handler throws, joins updates', async () => {
    const all = await operated();
    const slow = Promise.withResolvers<void>();
    let failures = 1;
    await all.operator.watch(async (event) => {
      all.events.push(event);
      if (event.meta.name === 'slow' && event.type === ResourceEventType.Added) await slow.promise;
      if (event.meta.name === 'fails' && failures-- > 0) throw new Error('broken');
    });
    for (const name of ['slow', 'fails', 'other']) all.server.put(THINGS, thing(name));
    await until(() => all.events.length === 3);
    for (let n = 0; n < 5; n++) all.server.put(THINGS, thing('slow', { labels: { n: String(n) } }));
    all.server.put(THINGS, thing('last'));
    await until(() => all.events.length === 4);
    slow.resolve();
    await passBackoff(all.clock);
    await until(() => all.events.length === 6);
    expect(all.seen().slice(4).sort()).toEqual(['ADDED fails', 'MODIFIED slow']);
    expect(all.events.find((event) => event.type === ResourceEventType.Modified)?.object.metadata?.labels).toEqual({
      n: '4',
    });
    expect(all.logger.lines).toContainEqual(
      expect.objectContaining({ level: 'error', message: 'Handler of a resource event failed' }),
    );
  });
});

describe('finalizers and status', () => {
  it('9, 11, 12: the finalizer flow adds, cleans up and removes, on a copy, retried until the cleanup succeeds', async () => {
    const all = await operated();
    let failures = 1;
    const log: string[] = [];
    await all.operator.watch(async (event) => {
      if (
        await all.operator.finalizer(event, async () => {
          if (failures-- > 0) throw new Error('cleanup failed');
          log.push('cleaned');
        })
      )
        return;
      log.push('processed');
    });
    all.server.put(THINGS, thing('x'));
    await until(() => log.includes('processed'));
    const stored = all.server.read(THINGS, 'x')!;
    expect(stored.metadata.finalizers).toEqual(['example.com/f']);
    all.server.put(THINGS, { ...stored, metadata: { ...stored.metadata, deletionTimestamp: '2030-01-01T00:00:00Z' } });
    await passBackoff(all.clock);
    await until(() => log.includes('cleaned'));
    await until(() => all.server.read(THINGS, 'x')!.metadata.finalizers?.length === 0);
  });

  it('9: does not overwrite a finalizer that somebody added meanwhile, and says so', async () => {
    const all = await operated();
    all.server.put(THINGS, thing('x', { finalizers: ['theirs'] }));
    await expect(all.operator.setFinalizers(metaOf('x', '1'), ['mine'])).rejects.toMatchObject({ code: 409 });
    expect(all.server.read(THINGS, 'x')!.metadata.finalizers).toEqual(['theirs']);
    await expect(all.operator.setFinalizers(metaOf('absent'), [])).rejects.toMatchObject({ code: 404 });
  });

  it('10, 12: status is written whatever version the event had, for types never watched, and errors reach the caller', async () => {
    const all = await operated();
    all.server.put(THINGS, thing('x'));
    expect(await all.operator.patchStatus(metaOf('x', '1'), { phase: 'up' })).toMatchObject({
      name: 'x',
      resourceVersion: '102',
    });
    await all.operator.setStatus(metaOf('x', '1'), { phase: 'down' });
    expect(all.server.requests.map(({ method, path, headers }) => [method, path, headers['content-type']])).toEqual([
      ['PATCH', `${THINGS}/x/status`, 'application/merge-patch+json'],
      ['PATCH', `${THINGS}/x/status`, 'application/apply-patch+yaml'],
    ]);
    expect(all.server.read(THINGS, 'x')).toMatchObject({ status: { phase: 'down' } });
    all.server.failNext(2, 500);
    await expect(all.operator.patchStatus(metaOf('x'), {})).rejects.toMatchObject({ code: 500 });
    await expect(all.operator.setStatus(metaOf('x'), {})).rejects.toMatchObject({ code: 500 });
  });

  it('13: helpers and the typed client share connections and ask the server for its certificate', async () => {
    const all = await operated({ tls: true });
    all.server.put(THINGS, thing('x'));
    for (let n = 0; n < 30; n++) await all.operator.patchStatus(metaOf('x'), { n });
    all.server.put('/api/v1/namespaces/a/pods', { ...thing('p'), apiVersion: 'v1', kind: 'Pod' });
    for (let n = 0; n < 30; n++) await all.operator.typedApi().readNamespacedPod({ name: 'p', namespace: 'a' });
    expect(all.server.connections).toBeLessThanOrEqual(2);
  });
});

describe('configuration', () => {
  it('builds addresses from the kubeconfig it was given', async () => {
    const all = await operated();
    expect(all.operator.uri('a')).toEqual([`${all.server.url}${THINGS}`, `${all.server.url}/api/v1/pods`]);
  });

  it.each([
    ['is missing', () => '/nowhere/config'],
    ['is broken', () => configFile(': [')],
    ["is somebody else's", () => configFile('{"current-context": "x"}')],
  ])("14: does not read, log or fail when the machine's own kubeconfig %s", async (_, file) => {
    vi.stubEnv('KUBECONFIG', file());
    const all = await operated();
    expect(all.operator.uri()[0]).toContain(all.server.url);
    expect(all.logger.lines).toEqual([]);
  });

  it('14: leaves client-node as it was', async () => {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const before = KubeConfig.prototype.loadFromDefault;
    await operated();
    expect(KubeConfig.prototype.loadFromDefault).toBe(before);
  });

  it('16: creates and updates a CRD with every field of the file', async () => {
    const all = await operated();
    const file = join(dirname(configFile('')), 'crd.yaml');
    const schema = 'openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true, enum: [a]}';
    const crd = (version: string): string =>
      `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\n` +
      `spec: {group: example.com, names: {plural: things}, versions: [{name: ${version}, schema: {${schema}}}]}\n`;
    for (const version of ['v1', 'v2']) {
      writeFileSync(file, crd(version));
      expect(await all.operator.register(file)).toMatchObject({
        group: 'example.com',
        plural: 'things',
        versions: [{ name: version }],
      });
    }
    const stored = all.server.read('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', 'things.example.com');
    expect(stored).toMatchObject({
      spec: {
        versions: [
          { name: 'v2', schema: { openAPIV3Schema: { 'x-kubernetes-preserve-unknown-fields': true, enum: ['a'] } } },
        ],
      },
    });
    expect(all.server.requests[0]!.query.toString()).toBe('fieldManager=highlander&force=true');
    all.server.failNext(1, 403);
    await expect(all.operator.register(file)).rejects.toMatchObject({ code: 403 });
  });
});

describe('manage', () => {
  it('keeps caches warm from start, reconciles after election, not after demotion, and leaves nothing after shutdown', async () => {
    const all = await operated();
    const { client, clock, logger } = all;
    const source = new Reflector({ client, type: things, clock, random: () => 1, logger });
    const reconciler = new RecordingReconciler();
    all.operator.manage({ source, reconciler, children: [] });
    all.server.put(THINGS, thing('x'));
    await all.operator.start();
    await all.operator.synced();
    await all.clock.settle();
    expect(reconciler.calls).toEqual([]);
    all.operator.onElected();
    await until(() => reconciler.calls.length === 1);
    all.server.put(THINGS, thing('y'));
    await until(() => reconciler.calls.length === 2);
    all.operator.onDemoted();
    all.server.put(THINGS, thing('z'));
    await until(() => source.list().length === 3);
    await all.clock.settle();
    expect(reconciler.calls).toEqual(['x', 'y']);
    await all.operator.shutdown();
    await until(() => all.server.watches.size === 0);
    expect(all.clock.pendingTimers).toBe(0);
  });

  it('15: an open watch is renewed within 290 s and survives a 401', async () => {
    const all = await operated();
    await all.operator.watch(collect(all));
    await until(() => all.server.watches.size === 1);
    expect(Number(all.server.requests[1]!.query.get('timeoutSeconds'))).toBeLessThanOrEqual(290);
    all.server.failNext(2, 401);
    all.server.dropWatches();
    await passBackoff(all.clock);
    await passBackoff(all.clock);
    await until(() => all.server.watches.size === 1);
  });
});
