/** What a store must do for one cell after the other, and for all of a prefix. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { call, freshKey, okVersion, type Bench } from './conformance-bench.ts';

export function cellTests(bench: () => Bench): void {
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

export function listTests(bench: () => Bench): void {
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
