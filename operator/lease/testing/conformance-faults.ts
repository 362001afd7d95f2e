/** What a store must bear of its server and of the network in between. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import type { CellStore } from '../cell-store.ts';
import { call, freshKey, okVersion, settled, type Bench } from './conformance-bench.ts';
import { FaultProxy } from './fault-proxy.ts';

export function credentialTests(bench: () => Bench): void {
  test('refused credentials are told apart', async () => {
    const store = await bench().harness.openUnauthorized?.();
    if (!store) throw new Error('The harness has no credentials to refuse');
    bench().keep(store);
    await expect(store.read(freshKey(), call)).rejects.toMatchObject({ name: 'StoreError', kind: 'unauthorized' });
    await expect(store.write(freshKey(), 'a', undefined, call)).rejects.toMatchObject({ kind: 'unauthorized' });
  });
}

export function processFaultTests(bench: () => Bench): void {
  test('a paused server hangs nobody, and serves again afterwards', async () => {
    const { server } = bench();
    const store = await bench().open();
    const key = freshKey();
    await store.read(key, call);
    server.pause();
    try {
      await expectTimeout(store, key, 300);
      await expectTimeout(store, key, 300); // by a connection that was never greeted
      await expectAbort(store, key);
      expect(await settled(store.write(key, 'late', undefined, { timeoutMs: 200 }))).toMatchObject({ kind: 'timeout' });
    } finally {
      server.resume();
    }
    await expectServes(store, key);
  });

  test('a paused server hangs no listing either', async () => {
    const { server } = bench();
    const store = await bench().open();
    await store.list('highlander-presence:', call);
    server.pause();
    try {
      expect(await settled(store.list('highlander-', { timeoutMs: 200 }))).toMatchObject({ kind: 'timeout' });
    } finally {
      server.resume();
    }
    await vi.waitFor(() => store.list('highlander-', call), 5000);
  });
}

export function networkFaultTests(bench: () => Bench): void {
  test('a black-holed connection is given up, and made anew when the network is back', async () => {
    await using proxy = await FaultProxy.start(...bench().server.addresses);
    const store = await bench().open(proxy);
    const key = freshKey();
    await store.read(key, call);
    proxy.blackhole();
    await expectTimeout(store, key, 300);
    await expectTimeout(store, key, 300);
    await expectAbort(store, key);
    proxy.restore();
    await expectServes(store, key);
    await store.close();
    await vi.waitFor(() => expect(proxy.open).toBe(0), 8000);
  }, 30_000);

  test('a half-open connection costs one call, or two where there is a pool', async () => {
    await using proxy = await FaultProxy.start(...bench().server.addresses);
    const store = await bench().open(proxy);
    const key = freshKey();
    await store.read(key, call);
    proxy.halfOpen();
    let lost = 0;
    while ((await settled(store.read(key, { timeoutMs: 500 }))) !== undefined) lost += 1;
    expect(lost).toBeLessThanOrEqual(2);
    await store.close();
  });

  test('a half-open connection is given up although every caller aborts first', async () => {
    await using proxy = await FaultProxy.start(...bench().server.addresses);
    const store = await bench().open(proxy);
    const key = freshKey();
    await store.read(key, call);
    proxy.halfOpen();
    const impatient = { timeoutMs: 300, signal: AbortSignal.timeout(100) };
    expect(await settled(store.read(key, impatient))).toMatchObject({ name: 'TimeoutError' });
    await sleep(300);
    expect((await store.read(key, { timeoutMs: 2000 })).cell).toBeUndefined();
    await store.close();
  });

  test('reset connections fail at once and are made anew', async () => {
    await using proxy = await FaultProxy.start(...bench().server.addresses);
    const store = await bench().open(proxy);
    const key = freshKey();
    await store.read(key, call);
    proxy.reset();
    const start = performance.now();
    expect(await settled(store.read(key, call))).toMatchObject({ name: 'StoreError', kind: 'unreachable' });
    expect(performance.now() - start).toBeLessThan(2000);
    proxy.restore();
    await expectServes(store, key);
    await store.close();
  });

  test('a slow network changes nothing but the time', async () => {
    await using proxy = await FaultProxy.start(...bench().server.addresses);
    const store = await bench().open(proxy);
    const key = freshKey();
    proxy.delay(50);
    const version = okVersion(await store.write(key, 'a', undefined, call));
    expect((await store.read(key, call)).cell).toMatchObject({ value: 'a', version });
    await store.close();
  });
}

export function hintFaultTests(bench: () => Bench): void {
  test('hints survive a reset, a half-open connection tells again once it is noticed', async () => {
    await using proxy = await FaultProxy.start(...bench().server.addresses);
    const [listener, writer] = [await bench().open(proxy), await bench().open()];
    const key = freshKey();
    const hint = vi.fn<() => void>();
    listener.subscribe(key, hint);
    await vi.waitFor(() => expect(hint).toHaveBeenCalled(), 5000);
    let version = okVersion(await writer.write(key, 'a', undefined, call));
    proxy.reset();
    await sleep(100);
    hint.mockClear();
    version = okVersion(await writer.write(key, 'missed', version, call));
    proxy.restore();
    await vi.waitFor(() => expect(hint).toHaveBeenCalled(), 8000);
    await sleep(100);
    hint.mockClear();
    okVersion(await writer.write(key, 'seen', version, call));
    await vi.waitFor(() => expect(hint).toHaveBeenCalled(), 2000);
    proxy.halfOpen();
    await sleep(20);
    hint.mockClear();
    await vi.waitFor(() => expect(hint).toHaveBeenCalled(), 30_000);
    await listener.close();
  }, 60_000);

  test('a killed server fails calls at once; after its restart the store serves and hints again', async () => {
    const { server } = bench();
    const store = await bench().open();
    const key = freshKey();
    const before = await store.write(key, 'a', undefined, call);
    const hint = vi.fn<() => void>();
    store.subscribe(key, hint);
    await vi.waitFor(() => expect(hint).toHaveBeenCalled(), 5000);
    await server.kill();
    try {
      const start = performance.now();
      expect(await settled(store.read(key, call))).toMatchObject({ name: 'StoreError', kind: 'unreachable' });
      expect(performance.now() - start).toBeLessThan(2000);
      hint.mockClear();
    } finally {
      await server.restart();
    }
    const after = await vi.waitFor(() => store.read(key, call), 10_000);
    // A durable server keeps the cell; every other one says that it may have lost it.
    const { incarnation } = before;
    const same = {
      version: after.cell?.version,
      incarnation: server.durable ? after.incarnation : after.incarnation !== incarnation,
    };
    expect(same).toEqual(
      server.durable ? { version: okVersion(before), incarnation } : { version: undefined, incarnation: true },
    );
    await vi.waitFor(() => expect(hint).toHaveBeenCalled(), 10_000);
    await sleep(100);
    hint.mockClear();
    const written = await store.write(key, 'b', after.cell?.version, call);
    expect(written).toMatchObject({ ok: true, incarnation: after.incarnation });
    await vi.waitFor(() => expect(hint).toHaveBeenCalled(), 2000);
  }, 60_000);
}

async function expectTimeout(store: CellStore, key: string, timeoutMs: number): Promise<void> {
  const start = performance.now();
  const error = await settled(store.read(key, { timeoutMs }));
  const took = performance.now() - start;
  expect(error).toMatchObject({ name: 'StoreError', kind: 'timeout' });
  expect(took).toBeGreaterThan(timeoutMs - 5);
  expect(took).toBeLessThan(timeoutMs + 300);
}

async function expectAbort(store: CellStore, key: string): Promise<void> {
  const reason = new Error('no longer wanted');
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 50);
  const start = performance.now();
  expect(await settled(store.read(key, { timeoutMs: 400, signal: controller.signal }))).toBe(reason);
  expect(performance.now() - start).toBeLessThan(300);
}

/** Within a few seconds calls succeed, and go on to. */
async function expectServes(store: CellStore, key: string): Promise<void> {
  await vi.waitFor(() => store.read(key, { timeoutMs: 1000 }), { timeout: 5000, interval: 20 });
  for (let i = 0; i < 5; i += 1) {
    const { cell } = await store.read(key, { timeoutMs: 1000 });
    okVersion(await store.write(key, `again ${i}`, cell?.version, { timeoutMs: 1000 }));
  }
}
