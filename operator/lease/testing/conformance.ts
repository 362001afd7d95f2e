/**
 * What a store must do for the lease to be safe on it; each driver runs this against its real server. A test that a
 * driver cannot pass is a driver that must not be used.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { CellStore, WriteReply } from '../cell-store.ts';
import { StoreError } from '../store-error.ts';
import { Bench, call, freshKey, okVersion, type StoreHarness } from './conformance-bench.ts';
import { credentialTests, hintFaultTests, networkFaultTests, processFaultTests } from './conformance-faults.ts';
import { clockTests, processTests } from './conformance-processes.ts';

export type { StoreHarness } from './conformance-bench.ts';

const racers = 10;

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
    describe('processes', () => {
      processTests(current);
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
    describe('clocks', () => {
      clockTests(current);
    });
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

  test('two that write the very same value, as processes of one identity would, are told apart', async () => {
    const [one, other] = [await bench().open(), await bench().open()];
    const key = freshKey();
    const start = okVersion(await one.write(key, 'a', undefined, call));
    const replies = await Promise.all([one, other].map((store) => store.write(key, 'same', start, call)));
    expectOneWinner(replies);
    const held = okVersion(replies.find((reply) => reply.ok));
    expect(held).not.toBe(start);
    const renewed = okVersion(await other.write(key, 'same', held, call));
    expect(await one.write(key, 'same', held, call)).toMatchObject({ ok: false });
    expect((await one.read(key, call)).cell).toMatchObject({ value: 'same', version: renewed });
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
    const prefix = `${freshKey().replace('leader-lock', 'presence')}:`;
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

function expectOneWinner(replies: readonly WriteReply[]): void {
  expect(replies.filter((reply) => reply.ok)).toHaveLength(1);
}

function first(stores: readonly CellStore[]): CellStore {
  const [store] = stores;
  if (!store) throw new Error('No store');
  return store;
}

/** Open sockets of this process, and running timers. */
function resources(): Record<string, number> {
  const count = (kind: string) => process.getActiveResourcesInfo().filter((name) => name === kind).length;
  return { TCPSocketWrap: count('TCPSocketWrap'), TLSWrap: count('TLSWrap'), Timeout: count('Timeout') };
}
