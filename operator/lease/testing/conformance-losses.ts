/** What is lost is seen, and nothing is left of what has ended. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { StoreError } from '../store-error.ts';
import { call, freshKey, okVersion, type Bench } from './conformance-bench.ts';

export function lossTests(bench: () => Bench): void {
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
}

export function endTests(bench: () => Bench): void {
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

/** Open sockets of this process, and running timers. */
function resources(): Record<string, number> {
  const count = (kind: string) => process.getActiveResourcesInfo().filter((name) => name === kind).length;
  return { TCPSocketWrap: count('TCPSocketWrap'), TLSWrap: count('TLSWrap'), Timeout: count('Timeout') };
}
