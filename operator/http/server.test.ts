import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { silentLogger } from '../lib/logger.ts';
import type { LogFields, Logger } from '../lib/logger.ts';
import { eventLoopCheck } from './event-loop.ts';
import type { HealthCheck } from './health.ts';
import type { Listening } from './listen.ts';
import { listen } from './listen.ts';
import type { HttpDeps } from './server.ts';
import { createHttpApp } from './server.ts';

const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close(0)));
});

async function serve(deps: Partial<HttpDeps> = {}) {
  const app = createHttpApp({
    health: { live: [], ready: [] },
    metrics: { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: async () => 'up 1\n' },
    logger: silentLogger,
    ...deps,
  });
  const server = await listen(app, 0);
  open.push(server);
  return (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init);
}

const well: HealthCheck = { name: 'caches', check: () => undefined };
const ill: HealthCheck = { name: 'store', check: () => 'no answer for 3 s' };
const broken: HealthCheck = {
  name: 'broken',
  check() {
    throw new Error('oops');
  },
};

describe('probes', () => {
  it.each([
    ['/healthz', 200, 'ok'],
    ['/livez', 200, 'ok'],
    ['/readyz', 503, 'not ready - no answer for 3 s'],
    ['/health', 503, 'not ready - no answer for 3 s'],
    ['/healthz?verbose', 200, '[+]ping ok\nhealthz check passed\n'],
    ['/livez?verbose=true', 200, '[+]ping ok\n[+]caches ok\nlivez check passed\n'],
    ['/readyz?verbose', 503, '[+]ping ok\n[+]caches ok\n[-]store failed: no answer for 3 s\nreadyz check failed\n'],
    ['/readyz?verbose=0', 503, 'not ready - no answer for 3 s'],
  ])('%s answers %i %j', async (path, status, text) => {
    const get = await serve({ health: { live: [well], ready: [well, ill] } });
    const response = await get(path);
    expect([response.status, await response.text()]).toEqual([status, text]);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('name every reason, and a check that throws has failed', async () => {
    const get = await serve({ health: { live: [ill, broken], ready: [] } });
    const response = await get('/livez');
    expect([response.status, await response.text()]).toEqual([503, 'not live - no answer for 3 s; check failed: oops']);
  });
});

describe('the app', () => {
  it('serves metrics as they are, in their own type', async () => {
    const response = await (await serve())('/metrics');
    expect(await response.text()).toBe('up 1\n');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(response.headers.has('x-powered-by')).toBe(false);
  });

  it.each([
    ['/nothing', {}, 404, 'not_found'],
    ['/metrics', { method: 'POST' }, 405, 'method_not_allowed'],
    ['/%ff', {}, 404, 'not_found'],
  ])('answers %s %j with a problem', async (path, init, status, code) => {
    const response = await (await serve())(path, init);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await response.json()).toMatchObject({ type: 'about:blank', status, code });
    expect(response.status).toBe(status);
  });

  it('keeps what went wrong inside for the log', async () => {
    const logged: (LogFields | undefined)[] = [];
    const logger: Logger = { ...silentLogger, error: (_, fields) => logged.push(fields) };
    const metrics = { contentType: 'text/plain', text: () => Promise.reject(new Error('geheim')) };
    const response = await (await serve({ metrics, logger }))('/metrics');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('geheim');
    expect(logged).toEqual([{ method: 'GET', path: '/metrics', error: new Error('geheim') }]);
  });
});

describe('listen', () => {
  it('says which setting to change when the port is taken', async () => {
    const first = await listen(() => {}, 0);
    open.push(first);
    await expect(listen(() => {}, first.port)).rejects.toThrow(
      `Port ${first.port} is in use by another process: stop that process, or set port (HIGHLANDER_PORT, --port) to a free one, or to 0 for any`,
    );
  });

  it('closes within its grace although a request hangs, and only once', async () => {
    const clock = new FakeClock({ monotonic: 0 });
    const server = await listen(() => {}, 0, clock);
    const hanging = fetch(`http://127.0.0.1:${server.port}/`).catch((error: unknown) => error);
    const socket = connect(server.port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    const closed = server.close(1000);
    await clock.advance(1000);
    await closed;
    await server.close();
    expect(await hanging).toBeInstanceOf(Error);
    socket.destroy();
  });

  it('gives up on a client that never finishes its request', async () => {
    const server = await listen(() => {}, 0);
    open.push(server);
    const socket = connect(server.port, '127.0.0.1').on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
    const started = performance.now();
    socket.resume();
    await once(socket, 'close');
    expect(performance.now() - started).toBeLessThan(8000);
  }, 10_000);
});

describe('the event loop check', () => {
  it('fails while a beat is overdue and until one came in time', async () => {
    const clock = new FakeClock({ monotonic: 0 });
    const check = eventLoopCheck({ clock, maxLagMs: 500, beatMs: 100 });
    await clock.advance(1000);
    expect(check.check()).toBeUndefined();
    clock.suspend({ monotonic: 1000, wall: 1000 });
    expect(check.check()).toBe('the event loop was blocked for 900 ms');
    await clock.advance(0);
    expect(check.check()).toBe('the event loop was blocked for 900 ms');
    await clock.advance(100);
    expect(check.check()).toBeUndefined();
    check.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
