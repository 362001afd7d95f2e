/**
 * What a store must do for the lease to be safe on it; each driver runs this against its real server. A test that a
 * driver cannot pass is a driver that must not be used.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { CellStore, WriteReply } from '../cell-store.ts';
import { StoreError } from '../store-error.ts';
import { FaultProxy, type ServerAddress } from './fault-proxy.ts';

export interface StoreServer {
  /** Where clients connect to: of several, all that they may come to. */
  readonly addresses: readonly ServerAddress[];
  pause(): void;
  resume(): void;
  /** Without any farewell. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Whether acknowledged writes survive `kill` and `restart`. */
  readonly durable: boolean;
}

export interface StoreHarness extends AsyncDisposable {
  /** A store with connections of its own, by these addresses instead of the server's when some are given. */
  open(...addresses: readonly ServerAddress[]): Promise<CellStore>;
  /** A store whose credentials the server refuses. Absent: an embedded store. */
  openUnauthorized?(): Promise<CellStore>;
  /** Loses all cells, by other means than the driver's. */
  wipe(): Promise<void>;
  /** Absent: an embedded store, which nothing can stop or cut off. */
  readonly server?: StoreServer;
}

const call = { timeoutMs: 5000 };
const racers = 10;

let counter = 0;
/** A key that no other test uses. */
const freshKey = () => `highlander-leader-lock:t${(counter += 1)}`;

/** Opens stores and ends them with the test. */
class Bench {
  readonly harness: StoreHarness;
  readonly #opened: CellStore[] = [];
  constructor(harness: StoreHarness) {
    this.harness = harness;
  }
  get server(): StoreServer {
    if (!this.harness.server) throw new Error('This store has no server');
    return this.harness.server;
  }
  async open(proxy?: FaultProxy): Promise<CellStore> {
    return this.keep(await this.harness.open(...(proxy?.addresses ?? [])));
  }
  keep(store: CellStore): CellStore {
    this.#opened.push(store);
    return store;
  }
  async clear(): Promise<void> {
    for (const store of this.#opened.splice(0)) await store.close();
  }
}

export interface Conformance {
  /** No server and no credentials, hence no faults of theirs. */
  readonly embedded?: boolean;
  /** Milliseconds within which a write is hinted at as a rule; 200 unless told. */
  readonly hintMs?: number;
  /** Why there is no such server on this machine: the tests are skipped. */
  readonly missing?: string | undefined;
}

export function describeCellStore(
  name: string,
  startHarness: () => Promise<StoreHarness>,
  options: Conformance = {},
): void {
  const { missing } = options;
  describe.skipIf(missing)(`${name} as a cell store${missing ? ` (${missing})` : ''}`, () => {
    let bench: Bench;
    beforeAll(async () => {
      bench = new Bench(await startHarness());
    }, 60_000);
    afterEach(() => bench.clear());
    afterAll(() => bench?.harness[Symbol.asyncDispose](), 30_000);
    const current = () => bench;

    describe('cells', () => {
      cellTests(current);
    });
    describe('races', () => {
      raceTests(current);
    });
    describe('listing', () => {
      listTests(current);
    });
    describe('hints', () => {
      hintTests(current, options.hintMs ?? 200);
    });
    describe('losses', () => {
      lossTests(current);
    });
    if (options.embedded) return;
    describe('faults', () => {
      credentialTests(current);
      processFaultTests(current);
      networkFaultTests(current);
      hintFaultTests(current);
    });
  });
}

function cellTests(bench: () => Bench): void {
  test('an absent cell is read as absent', async () => {
    const store = await bench().open();
    const reply = await store.read(freshKey(), call);
    expect(reply.cell).toBeUndefined();
    expect(reply.incarnation).not.toBe('');
    expect(Math.abs(reply.storeTimeMs - Date.now())).toBeLessThan(5000);
  });

  test('an acknowledged write is read by everybody, with its version', async () => {
    const [one, other] = [await bench().open(), await bench().open()];
    const key = freshKey();
    for (let round = 0, expected: string | undefined; round < 20; round += 1) {
      const version: string = okVersion(await one.write(key, `value ${round}`, expected, call));
      expect((await other.read(key, call)).cell).toMatchObject({ value: `value ${round}`, version });
      expect((await one.read(key, call)).cell).toMatchObject({ value: `value ${round}`, version });
      expected = version;
    }
  });

  test('a write with another version than the current one changes nothing', async () => {
    const store = await bench().open();
    const key = freshKey();
    const earlier = okVersion(await store.write(key, 'a', undefined, call));
    expect(await store.write(key, 'b', undefined, call)).toMatchObject({ ok: false });
    const second = okVersion(await store.write(key, 'c', earlier, call));
    expect(await store.write(key, 'd', earlier, call)).toMatchObject({ ok: false });
    expect((await store.read(key, call)).cell).toMatchObject({ value: 'c', version: second });
  });

  test('a write to a cell that is gone changes nothing', async () => {
    const store = await bench().open();
    const key = freshKey();
    const version = okVersion(await store.write(key, 'a', undefined, call));
    expect(await store.remove(key, version, call)).toBe(true);
    expect(await store.write(key, 'b', version, call)).toMatchObject({ ok: false });
    expect((await store.read(key, call)).cell).toBeUndefined();
  });

  test('the age grows, and starts anew with each write', async () => {
    const store = await bench().open();
    const key = freshKey();
    const earlier = okVersion(await store.write(key, 'a', undefined, call));
    const young = (await store.read(key, call)).cell?.ageMs ?? NaN;
    await sleep(300);
    const old = (await store.read(key, call)).cell?.ageMs ?? NaN;
    okVersion(await store.write(key, 'a', earlier, call));
    const again = (await store.read(key, call)).cell?.ageMs ?? NaN;
    expect(young).toBeGreaterThanOrEqual(0);
    expect(old - young).toBeGreaterThan(290);
    expect(old - young).toBeLessThan(1500);
    expect(again).toBeLessThan(250);
    expect(again).toBeGreaterThanOrEqual(0);
  });

  test('a cell is removed only with its version', async () => {
    const store = await bench().open();
    const key = freshKey();
    expect(await store.remove(key, '1-none', call)).toBe(false);
    const earlier = okVersion(await store.write(key, 'a', undefined, call));
    const second = okVersion(await store.write(key, 'b', earlier, call));
    expect(await store.remove(key, earlier, call)).toBe(false);
    expect((await store.read(key, call)).cell?.value).toBe('b');
    expect(await store.remove(key, second, call)).toBe(true);
    expect(await store.remove(key, second, call)).toBe(false);
  });

  test('a version is never used twice, not even by a cell made anew with the same value', async () => {
    const store = await bench().open();
    const key = freshKey();
    const seen = new Set<string>();
    for (let round = 0; round < 20; round += 1) {
      const created = okVersion(await store.write(key, 'same', undefined, call));
      const renewed = okVersion(await store.write(key, 'same', created, call));
      expect(await store.remove(key, renewed, call)).toBe(true);
      for (const version of [created, renewed]) {
        expect(seen.has(version)).toBe(false);
        seen.add(version);
      }
    }
  });

  test.for([
    ['64 KiB', 'x'.repeat(64 * 1024)],
    ['all of Unicode', '{"name":"Größe 😀 \u0000 \\u0000 \' \n ]]>"}'],
    ['nothing', ''],
  ])('a value of %s comes back as it was', async ([, value]) => {
    const store = await bench().open();
    const key = freshKey();
    okVersion(await store.write(key, value ?? '', undefined, call));
    expect((await store.read(key, call)).cell?.value).toBe(value);
  });

  test('two tenants do not see each other', async () => {
    const store = await bench().open();
    const key = freshKey();
    okVersion(await store.write(key, 'a', undefined, call));
    for (const other of [`${key}x`, `${key}-x`, key.slice(0, -1), key.replace(':', '-'), key.toUpperCase()]) {
      expect({ other, cell: (await store.read(other, call)).cell }).toEqual({ other, cell: undefined });
    }
  });
}

function raceTests(bench: () => Bench): void {
  test('of ten that create a cell exactly one does', async () => {
    const stores = await Promise.all(Array.from({ length: racers }, () => bench().open()));
    for (let round = 0; round < 10; round += 1) {
      const key = freshKey();
      const replies = await Promise.all(stores.map((store, i) => store.write(key, `racer ${i}`, undefined, call)));
      expectOneWinner(replies);
      const winner = replies.findIndex((reply) => reply.ok);
      expect((await stores[0]?.read(key, call))?.cell?.value).toBe(`racer ${winner}`);
    }
  });

  test('of ten that write with the same version exactly one does, in each of 50 rounds', async () => {
    const stores = await Promise.all(Array.from({ length: racers }, () => bench().open()));
    const key = freshKey();
    let version = okVersion(await first(stores).write(key, 'start', undefined, call));
    for (let round = 0; round < 50; round += 1) {
      await Promise.all(stores.map((store) => store.read(key, call)));
      const replies = await Promise.all(stores.map((store, i) => store.write(key, `racer ${i}`, version, call)));
      expectOneWinner(replies);
      const winner = replies.findIndex((reply) => reply.ok);
      const cell = (await first(stores).read(key, call)).cell;
      version = okVersion(replies[winner]);
      expect(cell).toMatchObject({ value: `racer ${winner}`, version });
    }
  }, 60_000);
}

function listTests(bench: () => Bench): void {
  test('a prefix is taken literally', async () => {
    const store = await bench().open();
    const under = (tenant: string) => `highlander-presence:${tenant}:`;
    const more: Record<string, string[]> = { 'a-b': [`${under('a-b')}two_Two.2`], a: [`${under('a:b')}one`] };
    const tenants = ['a', 'ab', 'a*', 'a[b]', 'a?', 'a\\', '[a-z]', 'a-b', 'A', 'a:b'];
    for (const tenant of tenants) okVersion(await store.write(`${under(tenant)}one`, tenant, undefined, call));
    okVersion(await store.write(`${under('a-b')}two_Two.2`, 'a-b', undefined, call));
    for (const tenant of tenants) {
      const keys = (await store.list(under(tenant), call)).map((cell) => cell.key).sort();
      const expected = [`${under(tenant)}one`, ...(more[tenant] ?? [])].sort();
      expect({ tenant, keys }).toEqual({ tenant, keys: expected });
    }
    expect(await store.list('highlander-presence:a', call)).toHaveLength(9);
    expect(await store.list('highlander-presence:none:', call)).toEqual([]);
  });

  test('each cell is listed once, as it would be read', async () => {
    const store = await bench().open();
    const prefix = `highlander-presence:${(counter += 1)}:`;
    const versions = new Map<string, string>();
    for (let i = 0; i < 30; i += 1) {
      const key = `${prefix}pod-${i}`;
      versions.set(key, okVersion(await store.write(key, `value of ${key}`, undefined, call)));
    }
    const cells = await store.list(prefix, call);
    expect(cells).toHaveLength(30);
    for (const cell of cells) {
      expect(cell.version).toBe(versions.get(cell.key));
      expect(cell.value).toBe(`value of ${cell.key}`);
      expect(cell.ageMs).toBeGreaterThanOrEqual(0);
      expect(await store.remove(cell.key, cell.version, call)).toBe(true);
    }
    expect(await store.list(prefix, call)).toEqual([]);
  });
}

function hintTests(bench: () => Bench, hintMs: number): void {
  test(`a write is hinted at within ${hintMs} ms as a rule, and no longer after the end`, async () => {
    const [listener, writer] = [await bench().open(), await bench().open()];
    const key = freshKey();
    let version = okVersion(await writer.write(key, 'a', undefined, call));
    const hint = vi.fn<() => void>();
    const end = listener.subscribe(key, hint);
    await vi.waitFor(() => expect(hint).toHaveBeenCalled(), 5000);
    await sleep(100);
    const delays: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      hint.mockClear();
      const start = performance.now();
      version = okVersion(await writer.write(key, `b ${round}`, version, call));
      await vi.waitFor(() => expect(hint).toHaveBeenCalled(), { timeout: 2000, interval: 5 });
      delays.push(performance.now() - start);
    }
    expect(delays.sort((a, b) => a - b)[5]).toBeLessThan(hintMs);
    end();
    await sleep(50);
    hint.mockClear();
    okVersion(await writer.write(key, 'c', version, call));
    await sleep(200);
    expect(hint).not.toHaveBeenCalled();
  });

  test('two listeners end apart from each other', async () => {
    const store = await bench().open();
    const [key, other] = [freshKey(), freshKey()];
    const [one, two, elsewhere] = [vi.fn<() => void>(), vi.fn<() => void>(), vi.fn<() => void>()];
    const end = store.subscribe(key, one);
    store.subscribe(key, two);
    await vi.waitFor(() => expect(one).toHaveBeenCalled(), 5000);
    store.subscribe(other, elsewhere);
    await vi.waitFor(() => expect(elsewhere).toHaveBeenCalled(), 5000);
    await vi.waitFor(() => expect(two).toHaveBeenCalled(), 5000);
    await sleep(100);
    end();
    end();
    for (const hint of [one, two, elsewhere]) hint.mockClear();
    okVersion(await store.write(key, 'a', undefined, call));
    await vi.waitFor(() => expect(two).toHaveBeenCalled(), 5000);
    expect(one).not.toHaveBeenCalled();
    expect(elsewhere).not.toHaveBeenCalled();
  });
}

function lossTests(bench: () => Bench): void {
  test('lost data is seen as absence', async () => {
    const store = await bench().open();
    const key = freshKey();
    const version = okVersion(await store.write(key, 'a', undefined, call));
    await bench().harness.wipe();
    expect((await store.read(key, call)).cell).toBeUndefined();
    expect(await store.write(key, 'b', version, call)).toMatchObject({ ok: false });
    okVersion(await store.write(key, 'c', undefined, call));
  });

  test('the incarnation stays while nothing happens, for everybody', async () => {
    const [one, other] = [await bench().open(), await bench().open()];
    const key = freshKey();
    const { incarnation } = await one.read(key, call);
    const written = await other.write(key, 'a', undefined, call);
    expect(written.incarnation).toBe(incarnation);
    expect((await other.write(key, 'a', undefined, call)).incarnation).toBe(incarnation);
    expect((await one.read(key, call)).incarnation).toBe(incarnation);
  });

  test('a call that was aborted before it began fails with the reason', async () => {
    const store = await bench().open();
    const key = freshKey();
    const reason = new Error('no longer wanted');
    const aborted = { ...call, signal: AbortSignal.abort(reason) };
    await expect(store.write(key, 'a', undefined, aborted)).rejects.toBe(reason);
    expect((await store.read(key, call)).cell).toBeUndefined();
  });

  test('close ends every socket and timer', async () => {
    await sleep(300); // until the sockets of other tests are gone
    const before = resources();
    const store = await bench().harness.open();
    const key = freshKey();
    await store.read(key, call);
    const hint = vi.fn<() => void>();
    store.subscribe(key, hint);
    await vi.waitFor(() => expect(hint).toHaveBeenCalled(), 5000);
    await store.close();
    // Not by waitFor, which has timers of its own.
    const left = () => Object.entries(resources()).filter(([kind, count]) => count > (before[kind] ?? 0));
    for (let i = 0; i < 30 && left().length > 0; i += 1) await sleep(100);
    expect(left()).toEqual([]);
    await expect(store.read(key, call)).rejects.toBeInstanceOf(StoreError);
  });
}

function credentialTests(bench: () => Bench): void {
  test('refused credentials are told apart', async () => {
    const store = await bench().harness.openUnauthorized?.();
    if (!store) throw new Error('The harness has no credentials to refuse');
    bench().keep(store);
    await expect(store.read(freshKey(), call)).rejects.toMatchObject({ name: 'StoreError', kind: 'unauthorized' });
    await expect(store.write(freshKey(), 'a', undefined, call)).rejects.toMatchObject({ kind: 'unauthorized' });
  });
}

function processFaultTests(bench: () => Bench): void {
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

function networkFaultTests(bench: () => Bench): void {
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

function hintFaultTests(bench: () => Bench): void {
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

function okVersion(reply: WriteReply | undefined): string {
  if (!reply?.ok) throw new Error('The write was refused');
  return reply.version;
}

function expectOneWinner(replies: readonly WriteReply[]): void {
  expect(replies.filter((reply) => reply.ok)).toHaveLength(1);
}

function first(stores: readonly CellStore[]): CellStore {
  const [store] = stores;
  if (!store) throw new Error('No store');
  return store;
}

/** The error that a promise rejects with, `undefined` when it does not. */
function settled(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
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

/** Open sockets of this process, and running timers. */
function resources(): Record<string, number> {
  const count = (kind: string) => process.getActiveResourcesInfo().filter((name) => name === kind).length;
  return { TCPSocketWrap: count('TCPSocketWrap'), TLSWrap: count('TLSWrap'), Timeout: count('Timeout') };
}
