import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLogger } from '../lib/logger.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { core, type KubeObject } from './cluster-client.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import { TenantObjects } from './tenant-objects.ts';
import { type Fixture, fixture, pod, PODS, until } from './testing/fixture.ts';

interface Reflected extends Fixture {
  readonly clock: FakeClock;
  readonly reflector: Reflector<KubeObject>;
  readonly seen: string[];
}

async function reflected(options: Partial<ReflectorOptions> = {}, start = true): Promise<Reflected> {
  const clock = new FakeClock();
  const made = await fixture({ clock });
  const reflector = new Reflector({
    client: made.client,
    type: core.pods,
    clock,
    random: () => 0.5,
    logger: silentLogger,
    ...options,
  });
  const seen: string[] = [];
  reflector.subscribe(({ type, object }) => seen.push(`${type} ${object.metadata.name}`));
  onTestFinished(() => reflector.stop());
  if (start) reflector.start();
  return { ...made, clock, reflector, seen };
}

/** Waits for the back-off to be under way, and passes it. */
async function passBackoff({ clock }: Reflected): Promise<number> {
  await until(() => (clock.nextTimerIn ?? Infinity) < 30_000 && clock.pendingTimers === 1, 'a back-off');
  const delay = clock.nextTimerIn!;
  await clock.advance(delay);
  return delay;
}

const lists = ({ server }: Reflected): number =>
  server.requests.filter((request) => !request.query.has('watch')).length;
const watching = (all: Reflected): Promise<void> => until(() => all.server.watches.size === 1, 'a watch');

describe('Reflector', () => {
  it('lists, then watches from there with bookmarks and a time limit of 232 to 290 s', async () => {
    const all = await reflected({ labelSelector: 'tenant=x' });
    all.server.put(PODS, pod('first'));
    await all.reflector.synced;
    await watching(all);
    all.server.put(PODS, pod('second'));
    await until(() => all.seen.length === 2);
    expect(all.seen).toEqual(['added first', 'added second']);
    const query = all.server.requests[1]!.query;
    expect(query.toString()).toBe(
      'watch=true&allowWatchBookmarks=true&labelSelector=tenant%3Dx&resourceVersion=101&timeoutSeconds=261',
    );
    expect(all.reflector.get({ namespace: 'a', name: 'second' })).toMatchObject({ kind: 'Pod' });
  });

  it('goes on from the last version, bookmarks included, after the server ended the watch', async () => {
    const all = await reflected();
    await watching(all);
    all.server.put('/api/v1/namespaces/a/secrets', pod('unrelated'));
    all.server.bookmark();
    await until(() => all.reflector.lastContact !== undefined);
    await all.clock.advance(5000);
    all.server.endWatches();
    await until(() => all.server.requests.length === 3);
    expect(all.server.requests[2]!.query.get('resourceVersion')).toBe('101');
    expect(lists(all)).toBe(1);
  });

  it('survives a dropped connection without losing a deletion in the gap', async () => {
    const all = await reflected();
    all.server.put(PODS, pod('p'));
    await watching(all);
    await until(() => all.seen.length === 1);
    all.server.dropWatches();
    all.server.remove(PODS, 'p');
    await passBackoff(all);
    await until(() => all.seen.length === 2);
    expect(all.seen).toEqual(['added p', 'deleted p']);
    expect(lists(all)).toBe(1);
  });

  it('finds a deletion in the gap by a new list when history is gone (410), without emitting the rest again', async () => {
    const all = await reflected();
    all.server.put(PODS, pod('stays'));
    all.server.put(PODS, pod('goes'));
    await all.reflector.synced;
    await watching(all);
    all.server.dropWatches();
    all.server.remove(PODS, 'goes');
    all.server.compact();
    await passBackoff(all);
    await passBackoff(all);
    await until(() => all.seen.length === 3);
    expect(all.seen).toEqual(['added stays', 'added goes', 'deleted goes']);
    expect(lists(all)).toBe(2);
  });

  it('backs off longer and longer when every watch is answered with 410', async () => {
    const all = await reflected();
    all.server.intercept = (request, response) => {
      if (!request.query.has('watch')) return false;
      return Boolean(response.end(`${JSON.stringify({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })}\n`));
    };
    const delays: number[] = [];
    for (let n = 0; n < 4; n++) delays.push(await passBackoff(all));
    expect(delays).toEqual([375, 750, 1500, 3000]);
  });

  it('backs off when a server ends every watch at once', async () => {
    const all = await reflected();
    all.server.intercept = (request, response) => request.query.has('watch') && Boolean(response.writeHead(200).end());
    expect([await passBackoff(all), await passBackoff(all)]).toEqual([375, 750]);
  });

  it('gets through HTTP 500, 401, another ERROR event and a line that is not JSON', async () => {
    const failures: string[] = [];
    const all = await reflected({ observer: { failed: (error) => failures.push(String(error)) } });
    await watching(all);
    all.server.failNext(1, 500);
    all.server.failNext(2, 401);
    all.server.sendEvent({ type: 'ERROR', object: { code: 500, message: 'etcd' } });
    for (let n = 0; n < 3; n++) await passBackoff(all);
    await watching(all);
    expect(failures.at(-1)).toContain('401');
    for (const watch of all.server.watches) watch.response.write('{oops\n');
    await passBackoff(all);
    await watching(all);
    all.server.put(PODS, pod('p'));
    await until(() => all.seen.length === 1);
    expect(all.reflector.lastError).toBeUndefined();
  });

  it('hears from the server when it answers a watch, long before a quiet type has anything to tell', async () => {
    const all = await reflected();
    await watching(all);
    all.server.failNext(2, 500);
    all.server.dropWatches();
    await passBackoff(all);
    await until(() => all.reflector.lastError !== undefined);
    await passBackoff(all);
    await passBackoff(all);
    await watching(all);
    await until(() => all.reflector.lastError === undefined);
  });

  it('does not take a watch that breaks off for the absence of the server, but the next one that is not answered', async () => {
    const all = await reflected();
    const objects = new TenantObjects([all.reflector]);
    await watching(all);
    all.server.dropWatches();
    await until(() => all.clock.pendingTimers === 1 && all.server.watches.size === 0);
    expect(objects.ready()).toBe(true);
    all.server.failNext(1, 500);
    await passBackoff(all);
    await until(() => !objects.ready());
    await passBackoff(all);
    await until(() => objects.ready());
    expect(lists(all)).toBe(1);
  });

  it('waits as long as the server asks for', async () => {
    const all = await reflected({}, false);
    all.server.failNext(1, 429, undefined, { 'retry-after': '9' });
    all.reflector.start();
    expect(await passBackoff(all)).toBe(9000);
    await all.reflector.synced;
  });

  it('gives up a silent watch and starts another', async () => {
    const failures: string[] = [];
    const all = await reflected({ idleMs: 45_000, observer: { failed: (error) => failures.push(String(error)) } });
    await watching(all);
    await until(() => all.clock.nextTimerIn === 45_000);
    await all.clock.advance(45_000);
    await passBackoff(all);
    await until(() => all.server.requests.length === 3);
    expect(failures).toEqual([expect.stringContaining('nothing received for 45000 ms')]);
  });

  it('lists anew when the server keeps refusing the version, and believes a server restored from a backup', async () => {
    const all = await reflected();
    all.server.put(PODS, pod('p'));
    await all.reflector.synced;
    await watching(all);
    const old = { ...pod('p'), metadata: { ...all.server.read(PODS, 'p')!.metadata, resourceVersion: '7' } };
    all.server.intercept = (request, response) => {
      if (request.query.get('resourceVersion') === '8') return false;
      if (request.query.has('watch')) return Boolean(response.writeHead(504).end());
      return Boolean(response.end(JSON.stringify({ metadata: { resourceVersion: '8' }, items: [old] })));
    };
    all.server.dropWatches();
    for (let n = 0; n < 5; n++) await passBackoff(all);
    await until(() => all.seen.length === 2);
    expect(all.reflector.get({ namespace: 'a', name: 'p' })?.metadata.resourceVersion).toBe('7');
  });

  it('goes on when a handler throws', async () => {
    const all = await reflected({}, false);
    all.reflector.subscribe(() => {
      throw new Error('broken handler');
    });
    all.server.put(PODS, pod('p'));
    all.reflector.start();
    await watching(all);
    all.server.put(PODS, pod('q'));
    await until(() => all.seen.length === 2);
  });

  it('shows a write of ours at once, and emits it once', async () => {
    const all = await reflected();
    await watching(all);
    const view = all.reflector.view(({ metadata }) => ({ namespace: metadata.namespace!, name: 'owner' }));
    view.observe(await all.client.create(core.pods, pod('p')));
    expect(view.byOwner({ namespace: 'a', name: 'owner' })).toHaveLength(1);
    all.server.put(PODS, pod('q'));
    await until(() => all.seen.length === 2);
    expect(all.seen).toEqual(['added p', 'added q']);
    expect(view.list()).toHaveLength(2);
    expect(view.get({ namespace: 'a', name: 'q' })).toBeDefined();
  });

  it('drops managedFields, which nobody reads', async () => {
    const all = await reflected();
    all.server.put(
      PODS,
      pod('p', { metadata: { name: 'p', namespace: 'a', managedFields: [{}] } as KubeObject['metadata'] }),
    );
    await until(() => all.seen.length === 1);
    expect(all.reflector.list()[0]?.metadata).not.toHaveProperty('managedFields');
  });
});

describe('Reflector.stop', () => {
  it('leaves no watch, socket or timer', async () => {
    const all = await reflected();
    await watching(all);
    await all.reflector.stop();
    await until(() => all.server.watches.size === 0);
    await all.client.close();
    await until(() => all.server.sockets.size === 0);
    expect(all.clock.pendingTimers).toBe(0);
  });

  it('opens no watch afterwards when it comes during a back-off', async () => {
    const all = await reflected({}, false);
    all.server.failNext(100, 500);
    all.reflector.start();
    await until(() => all.clock.nextTimerIn === 375);
    await all.reflector.stop();
    expect(all.clock.pendingTimers).toBe(0);
    await all.clock.advance(600_000);
    expect(all.server.requests).toHaveLength(1);
    await expect(all.reflector.synced).rejects.toThrow('was stopped');
  });

  it('ends a list that hangs', async () => {
    const all = await reflected({}, false);
    all.server.intercept = () => true;
    all.reflector.start();
    await until(() => all.server.requests.length === 1);
    await all.reflector.stop();
    await until(() => all.server.sockets.size === 0);
  });
});
