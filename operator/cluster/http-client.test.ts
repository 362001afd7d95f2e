import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { ApiError, core, type KubeObject, type ResourceType, type WatchEvent } from './cluster-client.ts';
import { DeadlineExceeded } from './deadline.ts';
import { HttpClusterClient } from './http-client.ts';
import { fixture, pod, PODS, until } from './testing/fixture.ts';

const at = { namespace: 'a', name: 'p' };
const workloads: ResourceType = {
  group: 'example.com',
  version: 'v1',
  plural: 'things',
  kind: 'Thing',
  namespaced: true,
};

describe('HttpClusterClient', () => {
  it('keeps fields that nobody here knows through a read and a replace', async () => {
    const { server, client } = await fixture();
    server.put(PODS, pod('p', { spec: { futureField: 1 } }));
    const read = await client.get(core.pods, at);
    await client.replace(core.pods, read!);
    expect(server.read(PODS, 'p')).toMatchObject({ spec: { futureField: 1 } });
    await expect(client.replace(core.pods, pod('p'))).rejects.toThrow('needs a resourceVersion');
  });

  it('takes only a NotFound about the object itself for its absence', async () => {
    const { server, client } = await fixture();
    expect(await client.get(core.pods, at)).toBeUndefined();
    expect(await client.delete(core.pods, at, { preconditions: { uid: 'u' } })).toBe(false);
    server.intercept = (_, response) => Boolean(response.writeHead(404).end('404 page not found\n'));
    await expect(client.get(workloads, at)).rejects.toMatchObject({ code: 404, reason: '' });
  });

  it('addresses nothing larger than meant when a name is missing', async () => {
    const { client } = await fixture();
    await expect(client.get(core.pods, { name: 'p' })).rejects.toThrow('without a namespace');
    await expect(client.get(core.pods, { namespace: 'a', name: '' })).rejects.toThrow('without a name');
  });

  it('follows pages, gives items apiVersion and kind, and starts over once when continue expired', async () => {
    const { server, client } = await fixture();
    for (let n = 0; n < 7; n++) server.put(PODS, pod(`p${n}`));
    const list = await client.list(core.pods, { namespace: 'a', pageSize: 3 });
    expect(list.items.map((item) => item.metadata.name)).toEqual(['p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6']);
    expect(list.items[0]).toMatchObject({ apiVersion: 'v1', kind: 'Pod' });
    expect(server.requests).toHaveLength(3);
    server.failNext(1, 410, (request) => request.query.has('continue'));
    expect((await client.list(core.pods, { pageSize: 3 })).items).toHaveLength(7);
  });

  it('gives each page of a list the whole time', async () => {
    const clock = new FakeClock();
    const { server, client } = await fixture({ clock });
    for (let n = 0; n < 6; n++) server.put(PODS, pod(`p${n}`));
    server.intercept = () => {
      void clock.advance(150);
      return false;
    };
    expect((await client.list(core.pods, { pageSize: 1, timeoutMs: 200 })).items).toHaveLength(6);
  });

  it('reads a body larger than what may wait in memory', async () => {
    const { server, client } = await fixture();
    for (let n = 0; n < 40; n++) server.put(PODS, pod(`p${n}`, { spec: 'x'.repeat(200_000) }));
    expect((await client.list(core.pods)).items).toHaveLength(40);
  });

  it('sends the content type, manager and force that server-side apply needs', async () => {
    const { server, client } = await fixture();
    await client.apply(core.pods, pod('p'), { fieldManager: 'highlander', dryRun: true });
    const { method, headers, query } = server.requests.at(-1)!;
    expect([method, headers['content-type'], query.toString()]).toEqual([
      'PATCH',
      'application/apply-patch+yaml',
      'fieldManager=highlander&dryRun=All&force=true',
    ]);
    await client.patch(core.pods, at, { status: {} }, { type: 'merge', subresource: 'status' });
    expect(server.requests.at(-1)).toMatchObject({
      path: `${PODS}/p/status`,
      headers: { 'content-type': 'application/merge-patch+json' },
    });
  });

  it('sends a DELETE with its preconditions and a content-length, and refuses to delete another object of that name', async () => {
    const { server, client } = await fixture();
    const stored = server.put(PODS, pod('p'));
    await expect(client.delete(core.pods, at, { preconditions: { uid: 'other' } })).rejects.toMatchObject({
      code: 409,
      reason: 'Conflict',
    });
    expect(
      await client.delete(core.pods, at, { preconditions: { uid: stored.metadata.uid! }, gracePeriodSeconds: 5 }),
    ).toBe(true);
    const { headers, body } = server.requests.at(-1)!;
    expect(headers['content-length']).toBe(String(Buffer.byteLength(body)));
    expect(headers['transfer-encoding']).toBeUndefined();
    expect(JSON.parse(body)).toMatchObject({
      kind: 'DeleteOptions',
      gracePeriodSeconds: 5,
      preconditions: { uid: stored.metadata.uid },
    });
  });

  it('goes on with the same connection after a DELETE', async () => {
    const { server, client } = await fixture();
    for (let n = 0; n < 5; n++) {
      const { metadata } = server.put(PODS, pod('p'));
      await client.delete(core.pods, at, { preconditions: { uid: metadata.uid! } });
    }
    expect(server.connections).toBeLessThanOrEqual(2);
  });

  it.each(['999999999999', '1e300', '1764308000'])(
    'Retry-After: %s keeps nobody waiting for longer than minutes',
    async (text) => {
      const { server, client } = await fixture();
      server.failNext(1, 429, undefined, { 'retry-after': text });
      await expect(client.get(core.pods, at)).rejects.toMatchObject({ retryAfterMs: 300_000 });
    },
  );

  it('turns Retry-After into milliseconds and never shows credentials in an error', async () => {
    const { server, client } = await fixture();
    server.failNext(1, 429, undefined, { 'retry-after': '7' });
    const error = await client.get(core.pods, at).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: 429, retryAfterMs: 7000, message: `GET ${PODS}/p: 429 an injected failure` });
    expect(server.requests[0]?.headers.authorization).toBe('Bearer secret-token');
    expect(JSON.stringify(error) + String(error)).not.toContain('secret');
  });

  it('sends nothing when beforeSend throws, and keeps the connection', async () => {
    const { server, client } = await fixture();
    await client.get(core.pods, at);
    const lost = new Error('the lease is gone');
    await expect(
      client.create(core.pods, pod('p'), {
        beforeSend: () => {
          throw lost;
        },
      }),
    ).rejects.toBe(lost);
    for (let n = 0; n < 5; n++) await client.get(core.pods, at);
    expect(server.requests.every((request) => request.method === 'GET')).toBe(true);
    expect(server.connections).toBeLessThanOrEqual(2);
  });

  it('asks beforeSend when a request that waited for a connection is written, not when it was asked for', async () => {
    const { server, client } = await fixture();
    let held = true;
    const stuck: (() => void)[] = [];
    server.intercept = (request, response) => request.method === 'GET' && stuck.push(() => response.end('{}')) > 0;
    const reads = Array.from({ length: 32 }, () => client.get(core.pods, at));
    await until(() => stuck.length === 32);
    const write = client.create(core.pods, pod('p'), {
      beforeSend: () => {
        if (!held) throw new Error('the lease is gone');
      },
    });
    await systemClock.sleep(5);
    held = false;
    for (const go of stuck) go();
    await expect(write).rejects.toThrow('the lease is gone');
    await Promise.all(reads);
    expect(server.read(PODS, 'p')).toBeUndefined();
  });

  it('fails at its deadline when the server hangs before the headers, in the body, or while connecting', async () => {
    const clock = new FakeClock();
    const { server, client, config } = await fixture({ clock });
    server.intercept = () => true;
    const headers = expect(client.get(core.pods, at, { timeoutMs: 500 })).rejects.toBeInstanceOf(DeadlineExceeded);
    await until(() => server.requests.length === 1);
    await clock.advance(500);
    await headers;
    server.intercept = (_, response) => response.writeHead(200).write('{') || true;
    const body = expect(client.get(core.pods, at)).rejects.toThrow('no answer within 10000 ms');
    await until(() => server.requests.length === 2);
    await clock.advance(10_000);
    await body;
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const port = (silent.address() as { port: number }).port;
    const nobody = {
      server: `https://127.0.0.1:${port}`,
      transport: () => config.transport(),
      dropCredentials() {},
      close: async () => {},
    };
    const connecting = expect(
      new HttpClusterClient({ config: nobody, clock, userAgent: 'x' }).get(core.pods, at),
    ).rejects.toBeInstanceOf(DeadlineExceeded);
    await clock.advance(10_000);
    await connecting;
    expect(clock.pendingTimers).toBe(0);
    await config.close();
    silent.close();
  });

  it('ends a call when its signal is aborted, with the reason', async () => {
    const { server, client } = await fixture();
    server.intercept = () => true;
    const controller = new AbortController();
    const call = client.list(core.pods, { signal: controller.signal });
    await until(() => server.requests.length === 1);
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await until(() => server.sockets.size === 0, 'the socket to be closed');
  });

  it('reads once more when a kept-alive connection was closed under it, but never writes twice', async () => {
    const { server, client } = await fixture();
    let cuts = 1;
    server.intercept = (_, response) => cuts-- > 0 && Boolean(response.destroy());
    expect(await client.get(core.pods, at)).toBeUndefined();
    cuts = 1;
    await expect(client.create(core.pods, pod('p'))).rejects.toThrow(`POST ${PODS}: `);
    expect(server.requests.map((request) => request.method)).toEqual(['GET', 'GET', 'POST']);
  });

  it("estimates the API server's own time from its replies", async () => {
    const { client } = await fixture();
    expect(client.serverClock.at()).toBeUndefined();
    await client.get(core.pods, at);
    const behind = Date.now() - client.serverClock.at()!;
    expect(behind).toBeGreaterThanOrEqual(-5);
    expect(behind).toBeLessThan(2000);
  });
});

describe('HttpClusterClient.watch', () => {
  const options = { namespace: 'a', resourceVersion: '0', timeoutSeconds: 250, idleMs: 120_000 };
  const collect = async (
    events: AsyncIterable<WatchEvent<KubeObject>>,
    into: WatchEvent<KubeObject>[] = [],
  ): Promise<WatchEvent<KubeObject>[]> => {
    for await (const event of events) into.push(event);
    return into;
  };

  it('asks for bookmarks, yields events in order, and ends when the server ends it', async () => {
    const { server, client } = await fixture();
    server.put(PODS, pod('p'));
    const { signal } = new AbortController();
    const seen: WatchEvent<KubeObject>[] = [];
    const watching = collect(client.watch(core.pods, { ...options, signal }), seen);
    await until(() => seen.length === 1);
    server.remove(PODS, 'p');
    server.bookmark();
    await until(() => seen.length === 3);
    server.endWatches();
    expect((await watching).map((event) => event.type)).toEqual(['ADDED', 'DELETED', 'BOOKMARK']);
    expect(server.requests[0]?.query.toString()).toBe(
      'watch=true&allowWatchBookmarks=true&resourceVersion=0&timeoutSeconds=250',
    );
  });

  it('puts lines together from pieces, inside a character too', async () => {
    const { server, client } = await fixture();
    const line = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: pod('héllo') })}\n`);
    server.intercept = (_, response) => {
      response.writeHead(200).write(line.subarray(0, line.indexOf(0xc3) + 1));
      setTimeout(() => response.end(line.subarray(line.indexOf(0xc3) + 1)), 20);
      return true;
    };
    const [event] = await collect(client.watch(core.pods, { ...options, signal: new AbortController().signal }));
    expect(event).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'héllo' } } });
  });

  it('throws ERROR events and refusals as ApiError, and lines that are not JSON, swallowing none', async () => {
    const { server, client } = await fixture();
    const watch = (): Promise<unknown> =>
      collect(client.watch(core.pods, { ...options, signal: new AbortController().signal }));
    server.compact();
    await expect(watch()).rejects.toMatchObject({ code: 410, reason: 'Expired' });
    server.failNext(1, 503, undefined, { 'retry-after': '1' });
    await expect(watch()).rejects.toMatchObject({ code: 503, retryAfterMs: 1000 });
    server.intercept = (_, response) => Boolean(response.writeHead(200).end('{oops\n'));
    await expect(watch()).rejects.toBeInstanceOf(SyntaxError);
  });

  it('fails after silence, a half-open connection included, and closes the socket', async () => {
    const clock = new FakeClock();
    const { server, client } = await fixture({ clock });
    const watching = expect(
      collect(client.watch(core.pods, { ...options, signal: new AbortController().signal })),
    ).rejects.toThrow('nothing received for 120000 ms');
    await until(() => server.watches.size === 1);
    server.bookmark();
    await until(() => clock.nextTimerIn === 120_000);
    await clock.advance(119_999);
    expect(server.watches.size).toBe(1);
    await clock.advance(1);
    await watching;
    await until(() => server.sockets.size === 0, 'the socket to be closed');
  });

  it('leaves no socket behind when its reader goes away or its signal is aborted', async () => {
    const { server, client } = await fixture();
    server.put(PODS, pod('p'));
    for await (const event of client.watch(core.pods, { ...options, signal: new AbortController().signal }))
      if (event) break;
    await until(() => server.sockets.size === 0, 'the first socket to be closed');
    const controller = new AbortController();
    const watching = collect(client.watch(core.pods, { ...options, signal: controller.signal }));
    await until(() => server.watches.size === 1);
    controller.abort(new Error('stop'));
    await expect(watching).rejects.toThrow('stop');
    await until(() => server.sockets.size === 0, 'the second socket to be closed');
  });
});
